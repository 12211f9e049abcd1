"""A raw WebSocket that speaks a contract: JSON text, accepted first and authenticated after, so that a browser can read why not."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from headway.dialects.translation import Event, iso
from headway.errors import HeadwayError, RateLimited, SlowReader
from headway.hub.followers import Follower
from headway.model.grant import Grant
from headway.transports.asgi import Receive, Send
from headway.transports.contracts.codec import encode
from headway.transports.members import Member, Members
from headway.transports.service import Service
from headway.wire.lease import Lease

__all__ = ["GOING_AWAY", "REFUSED", "SERVER_ERROR", "ContractSocket", "sized"]

_log = logging.getLogger("headway.connection")

NORMAL = 1000
GOING_AWAY = 1001
TOO_BIG = 1009
REFUSED = 1008
SERVER_ERROR = 1011

_HIGH_WATER = 65_536
_MOST_ANSWERS = 262_144
_SIZE = 4


def sized(message: bytes) -> bytes:
    """A message as it stands in a batch, which can be taken apart again: ASGI wants one call for each message."""
    return len(message).to_bytes(_SIZE, "big") + message


class ContractSocket(Member):
    """One client of a contract. Who inherits says what is said first, what is heard, and how refusals and beats look.

    Attributes:
        codec: of the contract; its events are `sized`.
        beat_seconds: between heartbeats.
    """

    __slots__ = (
        "_allowance",
        "_allowed_at",
        "_answers",
        "_beat_at",
        "_close",
        "_ended",
        "_lease",
        "_peers",
        "_pending",
        "_service",
        "_size",
        "_turn_at",
        "_wake",
        "beat_seconds",
        "codec",
        "follower",
    )

    def __init__(self, service: Service, peers: Members, beat_seconds: float) -> None:
        """Nothing is known of the client yet.

        Args:
            peers: the sockets of this contract, by user.
        """
        self.grant = None
        self.follower: Follower | None = None
        self.beat_seconds = beat_seconds
        self._service = service
        self._peers = peers
        self._pending: list[bytes] = []
        self._size = 0
        self._answers = 0
        self._wake = asyncio.Event()
        self._close: tuple[int, str] | None = None
        self._ended = False
        now = service.hub.wheel.now()
        self._lease = Lease(service.limits, service.lifetime(), now)
        self._beat_at = now + beat_seconds
        self._turn_at = float("inf")
        self._allowance = service.limits.message_burst
        self._allowed_at = now

    @abstractmethod
    def said(self, event: Event) -> Mapping[str, Any]:
        """An event as a message of the contract."""

    @abstractmethod
    def refusal(self, error: HeadwayError) -> tuple[Event, int]:
        """How the contract says that it goes on no longer, and the code of the close."""

    @abstractmethod
    async def welcome(self, grant: Grant) -> None:
        """The client is known: greet it, and follow what there is to follow.

        Raises:
            HeadwayError: there is nothing for it here.
        """

    @abstractmethod
    async def hear(self, message: bytes) -> None:
        """The client said something, at most `Service.max_message` bytes."""

    @abstractmethod
    def beat(self) -> Event:
        """The contract's heartbeat."""

    @property
    def stamp(self) -> str:
        """Now, as the contracts write it."""
        return iso(self._service.hub.clock())

    # The link.

    @property
    def full(self) -> bool:
        return self._size > _HIGH_WATER

    def deliver(self, data: bytes) -> bool:
        if self.full:
            return False
        self._queue(data)
        return True

    def say(self, event: Event) -> None:
        """Send one message, full or not; these are few and small, and who does not read them is not heard any more."""
        if self._close is not None:
            return
        message = sized(encode(self.said(event)))
        self._answers = self._answers + len(message) if self.full else 0
        if self._answers > _MOST_ANSWERS:
            self.end(SlowReader())
            return
        self._queue(message)

    def end(self, error: HeadwayError) -> None:
        if self._ended:
            return
        event, code = self.refusal(error)
        self.say(event)
        _log.info("connection ended", extra={"code": error.code, "user": self.grant and self.grant.user})
        self.finish()
        self.hang_up(code, error.message)

    def goodbye(self, error: HeadwayError, _reconnect_in: float) -> None:
        """End it because the server stops; every client of these contracts comes again by itself."""
        if not self._ended:
            self.finish()
            self.hang_up(GOING_AWAY, error.message)

    def renew(self, grant: Grant) -> None:
        """Go on with another token of the same user."""
        self._service.members.renew(grant, self)
        self._peers.renew(grant, self)
        self._lease.renew(self._service.lasts(grant), self._service.hub.wheel.now())
        if self.follower is not None:
            self.follower.renew(grant, lambda _, error: self.end(error))
        self._plan()

    def mute(self) -> None:
        if self.follower is not None:
            self.follower.leave()
            self.follower = None

    def hang_up(self, code: int, reason: str) -> None:
        """Close; what was said before still goes out. Idempotent."""
        if self._close is None:
            self._close = (code, reason)
            self._wake.set()

    def finish(self) -> None:
        """The client has gone. Idempotent."""
        self._ended = True
        self._service.release(self)
        self._peers.leave(self)
        self.mute()

    def count(self) -> None:
        """The client said something that is to be answered.

        Raises:
            RateLimited: it says too much.
        """
        limits, now = self._service.limits, self._service.hub.wheel.now()
        earned = (now - self._allowed_at) * limits.message_rate
        self._allowance = min(limits.message_burst, self._allowance + earned)
        self._allowed_at = now
        if self._allowance < 1:
            raise RateLimited(rate=limits.message_rate)
        self._allowance -= 1

    def heard(self) -> None:
        """The client gave a sign of life."""

    def admit(self, grant: Grant) -> None:
        """Take a place among the connections.

        Raises:
            TooManyConnections: the user has enough.
        """
        self._peers.join(grant, self)
        self._service.admit(grant, self)
        self._lease.renew(self._service.lasts(grant), self._service.hub.wheel.now())
        self._plan()

    # What carries it.

    async def serve(self, receive: Receive, send: Send) -> None:
        """Take and send messages until either side ends it; it was accepted, and `welcome` or `end` was called."""
        pump = asyncio.create_task(self._pump(send))
        listening = asyncio.create_task(self._listen(receive))
        try:
            await asyncio.wait((pump, listening), return_when=asyncio.FIRST_COMPLETED)
            if listening.done() and not pump.done() and not listening.result():
                await asyncio.wait((pump,), timeout=self._service.write_deadline)
            if pump.done() and not (listening.done() and listening.result()) and self._close is not None:
                # A server may send the close only when nobody listens any more (granian).
                listening.cancel()
                await asyncio.wait((listening,))
                code, reason = self._close
                await send({"type": "websocket.close", "code": code, "reason": reason[:120]})
        finally:
            self.finish()
            for task in (pump, listening):
                task.cancel()
            await asyncio.gather(pump, listening, return_exceptions=True)

    async def _pump(self, send: Send) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            pending, self._pending = self._pending, []
            for data in pending:
                for message in _apart(data):
                    try:
                        async with asyncio.timeout(self._service.write_deadline):
                            await send({"type": "websocket.send", "text": message.decode()})
                    except TimeoutError:
                        self.finish()
                        self.hang_up(REFUSED, SlowReader().message)
                        return
                was_full = self.full
                self._size -= len(data)
                if was_full and not self.full and self.follower is not None:
                    self.follower.drained()
            if self._close is not None and not self._pending:
                return

    async def _listen(self, receive: Receive) -> bool:
        """Hear the client until it leaves (True) or the connection is over (False)."""
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                return True
            if self._ended:
                return False
            data = event.get("text")
            data = event.get("bytes") or b"" if data is None else data.encode("utf-8", "surrogatepass")
            if len(data) > self._service.max_message:
                self.finish()
                self.hang_up(TOO_BIG, "The message is too large")
                return False
            self.heard()
            await self.hear(data)

    def _queue(self, data: bytes) -> None:
        self._pending.append(data)
        self._size += len(data)
        self._wake.set()

    def _plan(self) -> None:
        wheel = self._service.hub.wheel
        at = min(self._beat_at, self._lease.next())
        if at < self._turn_at:
            self._turn_at = at
            wheel.schedule(max(0.0, at - wheel.now()), self._turn)

    def _turn(self) -> None:
        now = self._service.hub.wheel.now()
        # A turn that was planned before a sooner one was needed has nothing to do any more.
        if self._ended or now < self._turn_at:
            return
        try:
            # No contract has a word for a token that ends soon.
            self._lease.due(now)
        except HeadwayError as error:
            self.end(error)
            return
        if now >= self._beat_at:
            self._beat_at = now + self.beat_seconds
            if not self.full:
                self.say(self.beat())
        self._turn_at = float("inf")
        self._plan()


def _apart(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        start = at + _SIZE
        at = start + int.from_bytes(data[at:start], "big")
        yield data[start:at]
