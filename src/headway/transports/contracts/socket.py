"""A raw WebSocket that speaks a contract: JSON text, accepted first and authenticated after, so that a browser can read why not."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from headway.dialects.translation import Event, iso
from headway.errors import (
    ConnectingTooOften,
    Flooding,
    HeadwayError,
    RateLimited,
    RefusedError,
    SlowReader,
    TokenRevoked,
)
from headway.hub.follower import Follower
from headway.hub.wanted import Wanted
from headway.model.grant import Grant
from headway.transports.asgi import Receive, Send, refuse
from headway.transports.contracts.codec import encode
from headway.transports.contracts.contract import Contract, Request
from headway.transports.members import Member, Members
from headway.transports.service import Service
from headway.wire.lease import Lease

__all__ = ["GOING_AWAY", "REFUSED", "SERVER_ERROR", "ContractSocket", "converse", "sized"]

_log = logging.getLogger("headway.connection")

NORMAL = 1000
GOING_AWAY = 1001
TOO_BIG = 1009
REFUSED = 1008
SERVER_ERROR = 1011

_HIGH_WATER = 65_536
_MOST_REFUSED = 1000
"""Messages that were too many, since the last time when they were not."""
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
        "_address",
        "_allowance",
        "_allowed_at",
        "_answers",
        "_beat_at",
        "_close",
        "_door",
        "_ended",
        "_lease",
        "_peers",
        "_pending",
        "_service",
        "_size",
        "_too_much",
        "_turn_at",
        "_wake",
        "beat_seconds",
        "codec",
        "follower",
    )

    def __init__(
        self, service: Service, peers: Members, beat_seconds: float, door: str, address: str
    ) -> None:
        """Nothing is known of the client yet.

        Args:
            peers: the sockets of this contract, by user.
            door: what the audit calls the contract.
            address: where the client comes from.
        """
        self.grant = None
        self.follower: Follower | None = None
        self.beat_seconds = beat_seconds
        self._door = door
        self._address = address
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
        self._too_much = 0

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
        """The client said something, at most `Service.max_message` bytes, and not too often."""

    def slowed(self, error: RateLimited) -> None:
        """The client says too much; what it said is not heard."""

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
        # Of what was revoked there is one line for all, so that no log stands in the way of the end.
        if self.grant is None or not isinstance(error, TokenRevoked):
            user = None if self.grant is None else self.grant.user
            if isinstance(error, RefusedError | ConnectingTooOften):
                self._service.hub.audit.refused(error, user=user, door=self._door, address=self._address)
            _log.info("connection ended", extra={"code": error.code, "user": user})
        self.finish()
        self.hang_up(code, error.message)

    def goodbye(self, error: HeadwayError, _reconnect_in: float) -> None:
        """End it because the server stops; every client of these contracts comes again by itself."""
        if not self._ended:
            self.finish()
            self.hang_up(GOING_AWAY, error.message)

    def renew(self, grant: Grant) -> None:
        """Go on with another token of the same user."""
        old = self.grant
        self._service.members.renew(grant, self)
        # The second index, too, is to know which token to forget.
        self.grant = old
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
        """The client said something.

        Raises:
            RateLimited: it says too much, or its user does, over all connections.
            Flooding: it does so on and on.
        """
        service, limits = self._service, self._service.limits
        now, audit = service.now(), service.hub.audit
        audit.total.messages += 1
        earned = (now - self._allowed_at) * limits.message_rate
        self._allowance = min(limits.message_burst, self._allowance + earned)
        self._allowed_at = now
        if self._allowance < 1:
            self._too_much += 1
            raise Flooding if self._too_much > _MOST_REFUSED else RateLimited(rate=limits.message_rate)
        if self._allowance >= limits.message_burst:
            self._too_much = 0
        self._allowance -= 1
        if self.grant is not None:
            audit.of(self.grant.user).messages += 1
            service.rates.say(self.grant.user, self._address, now)

    def heard(self) -> None:
        """The client gave a sign of life."""

    def admit(self, grant: Grant) -> None:
        """Take a place among the connections.

        Raises:
            TooManyConnections: the user has enough.
            ConnectingTooOften: they come too often.
        """
        service = self._service
        service.rates.enter(grant.user, self._address, service.now())
        self._peers.join(grant, self)
        service.admit(grant, self)
        service.hub.audit.authenticated(grant.user, self._door, self._address, grant.can)
        self._lease.renew(self._service.lasts(grant), self._service.hub.wheel.now())
        self._plan()

    async def follow(self, grant: Grant, wanted: Wanted) -> None:
        """Follow one thing, from how it stands; to be called by `welcome`.

        Raises:
            HeadwayError: there is no such thing, as far as this client is concerned.
        """
        self.follower = follower = self._service.hub.follower(self, grant)
        refused: list[HeadwayError] = []
        follower.subscribe(wanted, refused.append)
        await follower.opened()
        if refused:
            raise refused[0]

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
            try:
                self.count()
            except RateLimited as error:
                # Who sends too much and reads nothing is not answered each time.
                if not self.full:
                    self.slowed(error)
            except Flooding as error:
                self.end(error)
                return False
            else:
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


async def converse(contract: Contract, request: Request, socket: ContractSocket) -> None:
    """Serve one WebSocket from its request to its end."""
    await request.receive()
    try:
        contract.arrive(request)
    except HeadwayError as error:
        text, wait = error.message, contract.retry_after(error)
        await refuse(request.scope, request.send, error.status, text, wait)
        return
    await request.send({"type": "websocket.accept"})
    try:
        request.check_origin(contract.service)
        await socket.welcome(await request.grant(contract.service))
    except HeadwayError as error:
        socket.end(error)
    await socket.serve(request.receive, request.send)


def _apart(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        start = at + _SIZE
        at = start + int.from_bytes(data[at:start], "big")
        yield data[start:at]
