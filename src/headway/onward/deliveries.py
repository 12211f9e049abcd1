"""What is owed to endpoints, on its way: when each is due, how many at once, and what comes of an attempt.

A delivery is kept in the store until it is settled, so a kill costs at most a repetition. A receiver that fails is tried
with one message at a time, so that it costs the others nothing.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
from collections import deque
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from headway.errors import HeadwayError
from headway.onward.backoff import Backoff
from headway.onward.delivery import (
    DELIVERY,
    MESSAGE,
    PING,
    Attempt,
    Delivery,
    attempt_document,
    message_document,
    ping_body,
)
from headway.onward.endpoint import Endpoint
from headway.onward.post import Outcome, Poster
from headway.onward.signature import signed_headers
from headway.ports.store import Document, Store, Writes

__all__ = ["Deliveries"]

_log = logging.getLogger("headway.onward")

_AT_ONCE = 16
_AT_ONCE_EACH = 4
_PAGE = 500
_MOST_EACH = 10_000
_MOST = 50_000
_STORE_RETRY = 5_000
_LONGEST_SLEEP = 60.0
_GONE = 410
_decode = msgspec.json.Decoder(Delivery).decode


class _Lane:
    """One endpoint's share."""

    __slots__ = ("busy", "failing_since", "ready", "waiting")

    def __init__(self) -> None:
        self.ready: deque[Delivery] = deque()
        self.busy = 0
        self.waiting = 0
        self.failing_since: int | None = None

    @property
    def free(self) -> bool:
        return bool(self.ready) and self.busy < (_AT_ONCE_EACH if self.failing_since is None else 1)


class Deliveries:
    """Delivers at least once, in no promised order."""

    def __init__(
        self,
        store: Store,
        poster: Poster,
        endpoint: Callable[[str], Endpoint | None],
        clock: Callable[[], int],
        backoff: Backoff,
        history: float,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Owe nothing yet.

        Args:
            endpoint: gives an endpoint by its id.
            clock: Unix milliseconds.
            history: seconds that messages and the log of attempts are kept.
        """
        self._store = store
        self._poster = poster
        self._endpoint = endpoint
        self._clock = clock
        self._backoff = backoff
        self._history = int(history * 1000)
        self._chance = chance
        self._due: list[tuple[int, str]] = []
        self._held: dict[str, Delivery] = {}
        self._lanes: dict[str, _Lane] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False

    async def start(self) -> None:
        """Go on with what was owed before."""
        after = ""
        while page := await self._store.documents(DELIVERY, after=after, limit=_PAGE):
            self.owe(_decode(document.data) for document in page)
            after = page[-1].id

    async def stop(self, grace: float) -> None:
        """Let what is on its way end; what does not within `grace` seconds is tried again at the next start."""
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=grace)
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def room(self, endpoint: str) -> bool:
        """Whether one more may be owed to an endpoint."""
        lane = self._lanes.get(endpoint)
        return len(self._held) < _MOST and (lane is None or lane.waiting < _MOST_EACH)

    def waiting(self, endpoint: str) -> tuple[int, int | None]:
        """How many are owed to an endpoint, and since when it has been failing (Unix milliseconds)."""
        lane = self._lanes.get(endpoint)
        return (lane.waiting, lane.failing_since) if lane is not None else (0, None)

    def expires_at(self, now: int) -> int:
        """Until when a message of now is kept, so that it can be sent again by hand."""
        return now + int(self._backoff.span * 1000) + self._history

    def owe(self, deliveries: Iterable[Delivery]) -> None:
        """These are in the store and are to be delivered when they are due."""
        for delivery in deliveries:
            self._lane(delivery.endpoint).waiting += 1
            self._later(delivery, delivery.next_at)
        self._turn()

    def hurry(self, endpoint: str) -> None:
        """Whatever is owed to an endpoint is due now: it has changed."""
        for delivery in tuple(self._held.values()):
            if delivery.endpoint == endpoint and delivery.next_at > self._clock():
                self._later(delivery, self._clock())
        self._turn()

    async def ping(self, endpoint: Endpoint, message: str) -> Attempt:
        """Send a test at once, and only once.

        Raises:
            StoreUnavailable: nothing can be kept just now.
        """
        now = self._clock()
        body = ping_body(endpoint.id, now)
        await self._store.write(Writes(documents=[message_document(message, body, self.expires_at(now))]))
        outcome = await self._post(endpoint, message, body)
        state: Literal["delivered", "given_up"] = "given_up" if outcome.error else "delivered"
        attempt = Attempt(message, PING, 1, state, now, outcome.duration, outcome.status, outcome.error)
        await self._store.write(Writes(documents=[self._line(endpoint.id, attempt)]))
        return attempt

    def _lane(self, endpoint: str) -> _Lane:
        return self._lanes.setdefault(endpoint, _Lane())

    def _turn(self) -> None:
        """Start what is due, and ask for the next turn."""
        if self._stopping:
            return
        now = self._clock()
        while self._due and self._due[0][0] <= now:
            at, which = heapq.heappop(self._due)
            delivery = self._held.get(which)
            # One that was due at another time as well is in the line already.
            if delivery is not None and delivery.next_at == at:
                self._lane(delivery.endpoint).ready.append(delivery)
        for lane in tuple(self._lanes.values()):
            while lane.free and len(self._running) < _AT_ONCE:
                lane.busy += 1
                running = asyncio.create_task(self._deliver(lane, lane.ready.popleft()))
                self._running.add(running)
                running.add_done_callback(self._ended)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            delay = min(_LONGEST_SLEEP, max(0.0, (self._due[0][0] - now) / 1000))
            self._timer = asyncio.get_running_loop().call_later(delay, self._turn)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._turn()

    async def _deliver(self, lane: _Lane, delivery: Delivery) -> None:
        try:
            await self._attempt(lane, delivery)
        except HeadwayError as error:
            _log.warning("deliveries wait for the store: %s", error.message)
            self._later(delivery, self._clock() + _STORE_RETRY)
        except Exception:  # noqa: BLE001 - one message must not stop the others
            _log.exception("a delivery failed in an unforeseen way", extra={"webhook": delivery.endpoint})
            self._later(delivery, self._clock() + _STORE_RETRY)
        finally:
            lane.busy -= 1
            # It had its turn; the next one is another endpoint's.
            if self._lanes.get(delivery.endpoint) is lane:
                self._lanes[delivery.endpoint] = self._lanes.pop(delivery.endpoint)

    async def _attempt(self, lane: _Lane, delivery: Delivery) -> None:
        endpoint = self._endpoint(delivery.endpoint)
        message = await self._store.document(MESSAGE, delivery.message)
        if endpoint is None or message is None:
            await self._store.write(Writes(dropped=[(DELIVERY, delivery.id)]))
            self._settled(lane, delivery)
            return
        now = self._clock()
        if endpoint.active:
            outcome = await self._post(endpoint, delivery.message, message.data.encode())
        else:
            outcome = Outcome(None, "the endpoint is switched off", 0)
        number = delivery.attempts + 1
        next_at = None
        if outcome.error is not None and endpoint.active and outcome.status != _GONE:
            next_at = self._backoff.next_try(
                delivery.began, number, self._clock(), self._chance(), outcome.asked
            )
        await self._settle(lane, delivery, outcome, number, now, next_at)

    async def _settle(
        self, lane: _Lane, delivery: Delivery, outcome: Outcome, number: int, at: int, next_at: int | None
    ) -> None:
        failed = outcome.error is not None
        attempt = Attempt(
            delivery.message,
            delivery.event,
            number,
            "delivered" if not failed else "given_up" if next_at is None else "retrying",
            at,
            outcome.duration,
            outcome.status,
            outcome.error,
            next_at,
        )
        writes = Writes(documents=[self._line(delivery.endpoint, attempt)])
        if next_at is None:
            writes.dropped = [(DELIVERY, delivery.id)]
        else:
            delivery = msgspec.structs.replace(delivery, attempts=number, next_at=next_at)
            writes.documents = [*writes.documents, delivery.document()]
        await self._store.write(writes)
        lane.failing_since = (lane.failing_since or at) if failed else None
        if next_at is not None:
            self._later(delivery, next_at)
            return
        self._settled(lane, delivery)
        if failed:
            _log.warning(
                "gave up on a webhook's message: %s",
                outcome.error,
                extra={"webhook": delivery.endpoint, "message_id": delivery.message, "attempts": number},
            )

    async def _post(self, endpoint: Endpoint, message: str, body: bytes) -> Outcome:
        now = self._clock()
        headers = signed_headers(endpoint.secrets(now), message, now // 1000, body)
        return await self._poster.post(endpoint.url, headers, body)

    def _later(self, delivery: Delivery, at: int) -> None:
        delivery = msgspec.structs.replace(delivery, next_at=at)
        self._held[delivery.id] = delivery
        heapq.heappush(self._due, (at, delivery.id))

    def _settled(self, lane: _Lane, delivery: Delivery) -> None:
        self._held.pop(delivery.id, None)
        lane.waiting -= 1
        if not lane.waiting and lane.failing_since is None:
            self._lanes.pop(delivery.endpoint, None)

    def _line(self, endpoint: str, attempt: Attempt) -> Document:
        return attempt_document(endpoint, attempt, attempt.at + self._history)
