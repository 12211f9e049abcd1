"""Notifications that nobody saw: after a while they are told by other ways, to those who have set some."""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec.structs import replace

from headway.errors import Forbidden, HeadwayError, NotFound, RateLimited
from headway.hub.outbox import Announced, Outbox
from headway.model.notification import Notification, NotificationStatus
from headway.onward.backoff import Backoff
from headway.ports.store import Document, Store, Writes

__all__ = ["Fallback", "Plan", "Sender"]

_log = logging.getLogger("headway.onward")

PLAN = "fallback.plan"
WAITING = "fallback"
_PAGE = 500
_MOST_PLANS = 10_000
_MOST_WAITING = 50_000
_AT_ONCE = 4
_LONGEST_SLEEP = 60.0
_STORE_RETRY = 5_000
_USER = "user:"


class Sender(Protocol):
    """Sends a notification to addresses; returns what went wrong."""

    async def send(self, targets: Sequence[str], notification: Notification) -> str | None:
        """Never raises for what the other side does."""


class Plan(msgspec.Struct, frozen=True):
    """How one user is told.

    Attributes:
        targets: addresses as Apprise takes them; they are secrets.
        after: seconds for which a notification must have stayed unread.
    """

    targets: tuple[str, ...]
    after: float


class _Waiting(msgspec.Struct, frozen=True):
    """A notification that is to be looked at later; times in Unix milliseconds."""

    id: str
    user: str
    began: int
    at: int
    attempts: int = 0

    def document(self) -> Document:
        return Document(WAITING, self.id, self.user, msgspec.json.encode(self).decode())


class Fallback(Outbox):
    """Waits until a notification has stayed unread for its user's time, then has it sent."""

    def __init__(
        self,
        store: Store,
        sender: Sender,
        fixed: Mapping[str, Plan],
        clock: Callable[[], int],
        backoff: Backoff | None = None,
    ) -> None:
        """Know the plans of the settings.

        Args:
            clock: Unix milliseconds.
        """
        self._store = store
        self._sender = sender
        self._fixed = dict(fixed)
        self._kept: dict[str, Plan] = {}
        self._clock = clock
        self._backoff = backoff or Backoff(first=30.0, longest=3600.0, span=21_600.0)
        self._due: list[tuple[int, str]] = []
        self._held: dict[str, _Waiting] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._unseen: Callable[[str], Awaitable[bool]] | None = None

    async def start(self, unseen: Callable[[str], Awaitable[bool]]) -> None:
        """Go on with what is kept; the store is open.

        Args:
            unseen: whether a notification is there and still unread.
        """
        self._unseen = unseen
        for document in await self._store.documents(PLAN, limit=_MOST_PLANS):
            self._kept[document.id] = msgspec.json.decode(document.data, type=Plan)
        after = ""
        while page := await self._store.documents(WAITING, after=after, limit=_PAGE):
            self.stored(page)
            after = page[-1].id

    async def stop(self) -> None:
        """End; what waits goes on waiting after the next start."""
        self._unseen = None
        if self._timer is not None:
            self._timer.cancel()
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def prepare(self, facts: Sequence[Announced]) -> Sequence[Document]:
        now = self._clock()
        documents = []
        for fact in facts:
            if not isinstance(fact, Notification) or fact.status is not NotificationStatus.UNREAD:
                continue
            user = fact.channel.removeprefix(_USER) if fact.channel.startswith(_USER) else ""
            plan = self.plan(user)
            if plan is not None and len(self._held) < _MOST_WAITING:
                at = now + int(plan.after * 1000)
                documents.append(_Waiting(fact.id, user, at, at).document())
        return documents

    def stored(self, documents: Sequence[Document]) -> None:
        for document in documents:
            if document.kind == WAITING:
                self._hold(msgspec.json.decode(document.data, type=_Waiting))
        self._turn()

    def plan(self, user: str) -> Plan | None:
        """How a user is told; None when nobody has said."""
        return self._fixed.get(user) or self._kept.get(user)

    def plans(self) -> dict[str, Plan]:
        """All of them by user."""
        return {**self._kept, **self._fixed}

    def is_fixed(self, user: str) -> bool:
        """Whether the settings say it."""
        return user in self._fixed

    async def keep(self, user: str, plan: Plan | None) -> None:
        """Keep how a user is told; None to tell nothing any more.

        Raises:
            Forbidden: the settings say it.
            NotFound: there is nothing to forget.
            RateLimited: there are too many.
            StoreUnavailable: it could not be made durable.
        """
        if user in self._fixed:
            raise Forbidden("This is in the settings; change it there and restart", user=user)
        if plan is None:
            if not await self._store.take(PLAN, user):
                raise NotFound("There is nothing set for this user", user=user)
            self._kept.pop(user, None)
            return
        if user not in self._kept and len(self._kept) >= _MOST_PLANS:
            raise RateLimited("There are as many as there may be; delete one first")
        await self._store.write(
            Writes(documents=[Document(PLAN, user, "", msgspec.json.encode(plan).decode())])
        )
        self._kept[user] = plan

    def _hold(self, waiting: _Waiting) -> None:
        self._held[waiting.id] = waiting
        heapq.heappush(self._due, (waiting.at, waiting.id))

    def _turn(self) -> None:
        if self._unseen is None:
            return
        now = self._clock()
        while self._due and self._due[0][0] <= now and len(self._running) < _AT_ONCE:
            at, which = heapq.heappop(self._due)
            waiting = self._held.get(which)
            # One that was announced anew waits anew.
            if waiting is not None and waiting.at == at:
                running = asyncio.create_task(self._look(waiting))
                self._running.add(running)
                running.add_done_callback(self._ended)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due and len(self._running) < _AT_ONCE:
            delay = min(_LONGEST_SLEEP, max(0.0, (self._due[0][0] - now) / 1000))
            self._timer = asyncio.get_running_loop().call_later(delay, self._turn)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._turn()

    async def _look(self, waiting: _Waiting) -> None:
        try:
            await self._tell(waiting)
        except HeadwayError as error:
            _log.warning("unread notifications wait for the store: %s", error.message)
            self._again(waiting, self._clock() + _STORE_RETRY)
        except Exception:  # noqa: BLE001 - one notification must not stop the others
            _log.exception("telling of a notification failed in an unforeseen way")
            self._again(waiting, self._clock() + _STORE_RETRY)

    async def _tell(self, waiting: _Waiting) -> None:
        plan = self.plan(waiting.user)
        notification = None
        if self._unseen is not None and plan is not None and await self._unseen(waiting.id):
            notification = await self._store.notification(waiting.id)
        failed = None
        if plan is not None and notification is not None:
            failed = await self._sender.send(plan.targets, notification)
        if failed is not None:
            number = waiting.attempts + 1
            chance = random.random()  # noqa: S311 - chance, not secrecy
            at = self._backoff.next_try(waiting.began, number, self._clock(), chance)
            about = {"user": waiting.user, "notification": waiting.id, "attempts": number}
            if at is not None:
                _log.info(
                    "an unread notification was not told, and will be tried again: %s", failed, extra=about
                )
                later = replace(waiting, at=at, attempts=number)
                await self._store.write(Writes(documents=[later.document()]))
                self._again(waiting, at, number)
                return
            _log.warning("gave up telling of an unread notification: %s", failed, extra=about)
        if self._held.get(waiting.id) is waiting:
            await self._store.write(Writes(dropped=[(WAITING, waiting.id)]))
            self._held.pop(waiting.id, None)

    def _again(self, waiting: _Waiting, at: int, attempts: int | None = None) -> None:
        if self._held.get(waiting.id) is waiting:
            self._hold(replace(waiting, at=at, attempts=waiting.attempts if attempts is None else attempts))
