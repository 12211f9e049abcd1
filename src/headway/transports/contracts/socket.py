"""A raw WebSocket that speaks a contract: JSON text, accepted first and authenticated after, so that a browser can read why not."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping, MutableMapping
from typing import Any

from headway.dialects.translation import Event, iso
from headway.errors import (
    ConnectingTooOften,
    Flooding,
    HeadwayError,
    InternalError,
    RateLimited,
    RefusedError,
    SlowReader,
    TokenRevoked,
    TooLarge,
)
from headway.model.grant import Grant
from headway.transports.asgi import MessageSocket, refuse, sized
from headway.transports.contracts.codec import encode
from headway.transports.contracts.contract import Contract, Request
from headway.transports.lasting import Lasting
from headway.transports.members import Members
from headway.transports.service import Service
from headway.wire.allowance import Allowance
from headway.wire.session import beating

__all__ = ["GOING_AWAY", "REFUSED", "SERVER_ERROR", "ContractSocket", "converse"]

_log = logging.getLogger("headway.connection")

NORMAL = 1000
GOING_AWAY = 1001
REFUSED = 1008
SERVER_ERROR = 1011

_MOST_ANSWERS = 262_144


class ContractSocket(Lasting):
    """One client of a contract. Who inherits says what is said first, what is heard, and how refusals and beats look.

    Attributes:
        codec: of the contract; its events are `sized`.
    """

    __slots__ = (
        "_address",
        "_allowance",
        "_answers",
        "_door",
        "_peers",
        "socket",
    )

    def __init__(
        self, service: Service, peers: Members, beat_seconds: float, door: str, address: str
    ) -> None:
        """Nothing is known of the client yet.

        Args:
            peers: the sockets of this contract, by user.
            beat_seconds: between heartbeats.
            door: what the audit calls the contract.
            address: where the client comes from.
        """
        super().__init__(service, beating(service.limits, beat_seconds))
        self.socket = MessageSocket(service)
        self._door = door
        self._address = address
        self._peers = peers
        self._answers = 0
        self._allowance = Allowance(service.limits, service.now())

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

    def unheard(self, error: HeadwayError) -> None:
        """The client says too much, or something too large, which is not heard."""

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
        return self.socket.full

    def deliver(self, data: bytes) -> bool:
        if not self.socket.deliver(data):
            return False
        self.delivered()
        return True

    def drained(self) -> None:
        """The link takes more again."""
        if self.follower is not None:
            self.follower.drained()

    def say(self, event: Event) -> None:
        """Send one message, full or not; these are few and small, and who does not read them is not heard any more."""
        if self.socket.closing:
            return
        message = sized(encode(self.said(event)))
        self._answers = self._answers + len(message) if self.full else 0
        if self._answers > _MOST_ANSWERS:
            error = SlowReader()
            self._part(error, self.refusal(error)[1])
        else:
            self.socket.send(message)

    def end(self, error: HeadwayError) -> None:
        if not self._ended:
            event, code = self.refusal(error)
            self.say(event)
            self._part(error, code)

    def goodbye(self, error: HeadwayError, _reconnect_in: float) -> None:
        """End it because the server stops; every client of these contracts comes again by itself."""
        if not self._ended:
            self.finish()
            self.hang_up(GOING_AWAY, error.message)

    def renew(self, grant: Grant) -> None:
        if not self._ended:
            # Each of the two indexes is to know which token to forget.
            old = self.grant
            self._peers.renew(grant, self)
            self.grant = old
            super().renew(grant)

    def done(self) -> None:
        self.finish()
        self.hang_up(NORMAL, "The task has ended")

    def pulse(self) -> None:
        self.say(self.beat())

    def hang_up(self, code: int, reason: str) -> None:
        """Close; what was said before still goes out. Idempotent."""
        self.socket.hang_up(code, reason)

    def finish(self) -> None:
        self._peers.leave(self)
        super().finish()

    def _part(self, error: HeadwayError, code: int) -> None:
        if self._ended:
            return
        # Of what was revoked there is one line for all, so that no log stands in the way of the end.
        if self.grant is None or not isinstance(error, TokenRevoked):
            user = None if self.grant is None else self.grant.user
            if isinstance(error, RefusedError | ConnectingTooOften):
                self._service.hub.audit.refused(error, user=user, door=self._door, address=self._address)
            _log.info("connection ended", extra={"code": error.code, "user": user})
        self.finish()
        self.hang_up(code, error.message)

    def count(self, size: int) -> None:
        """The client said something, of so many bytes.

        Raises:
            TooLarge: that is more than a message has.
            RateLimited: it says too much, or its user does, over all connections.
            Flooding: it does so on and on.
        """
        service = self._service
        now, audit = service.now(), service.hub.audit
        audit.total.messages += 1
        self._allowance.count(now)
        if self.grant is not None:
            audit.of(self.grant.user).messages += 1
            service.rates.say(self.grant.user, self._address, now)
        if size > service.max_message:
            raise TooLarge

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
        super().admit(grant)
        service.hub.audit.authenticated(grant.user, self._door, self._address, grant.can)

    async def take(self, event: MutableMapping[str, Any]) -> bool:
        if self._ended:
            return False
        data = event.get("text")
        data = event.get("bytes") or b"" if data is None else data.encode("utf-8", "surrogatepass")
        self.heard()
        try:
            self.count(len(data))
        except (RateLimited, TooLarge) as error:
            # Who sends too much and reads nothing is not answered each time.
            if not self.full:
                self.unheard(error)
        except Flooding as error:
            self.end(error)
            return False
        else:
            await self._hear(data)
        return True

    async def _hear(self, message: bytes) -> None:
        try:
            await self.hear(message)
        except HeadwayError as error:
            self.end(error)
        except Exception:  # noqa: BLE001 - whatever a message does, it ends this conversation at most
            _log.exception("a message failed")
            self.end(InternalError())


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
    except Exception:  # noqa: BLE001 - as for what is heard
        _log.exception("a client could not be welcomed")
        socket.end(InternalError())
    except BaseException:
        socket.finish()
        raise
    else:
        socket.begin()
    await socket.socket.serve(socket, request.receive, request.send)
