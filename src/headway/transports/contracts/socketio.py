"""Contracts over Socket.IO: what their vocabularies share, and their address."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections import deque
from collections.abc import Coroutine, Hashable, Mapping
from typing import Any

from headway.errors import (
    Flooding,
    HeadwayError,
    InternalError,
    OriginRefused,
    RateLimited,
    ReconnectError,
    RefusedError,
    RequestError,
)
from headway.model.grant import ANONYMOUS, Ability, Grant
from headway.transports.background import start
from headway.transports.contracts.contract import Contract, Request, Route, route
from headway.transports.service import Service
from headway.transports.socketio.client import Client
from headway.transports.socketio.conversation import SocketConversation
from headway.transports.socketio.endpoint import Endpoint
from headway.transports.socketio.vocabulary import Ack, Vocabulary
from headway.wire.engineio_limits import EngineLimits
from headway.wire.native import error as native_error
from headway.wire.socketio import Recovery, SocketLimits
from headway.wire.socketio_batch import SocketCodec
from headway.wire.socketio_positions import OFFSET_CHARS

__all__ = ["NOBODY", "SocketIoContract", "Speaking"]

SOCKETIO = "/socket.io/"
NOBODY = Grant(ANONYMOUS, channels=("*",), can=frozenset((Ability.READ,)))
"""Who came without a token, where the contract lets them: its clients never had one, and see everything."""
_FOREIGN = "Pages of this site need a token here; add its origin (https://its.name) to allowed_origins"
_MOST_ASKED = 500
"""What a client may ask for before the first of it is done."""

_log = logging.getLogger("headway.connection")


class SocketIoContract(Contract):
    """A contract whose only address is Socket.IO's.

    Attributes:
        endpoint: where it is spoken.
        open: whether clients without a token are let in.
    """

    def __init__(self, service: Service, prefix: str = "", *, open: bool = False) -> None:  # noqa: A002
        super().__init__(service, prefix)
        self.open = open
        limits = service.limits
        self.endpoint = Endpoint(
            service,
            prefix + SOCKETIO,
            {"/": self.vocabulary},
            limits=EngineLimits(ping_interval=limits.heartbeat, max_payload=service.max_message),
            socket_limits=SocketLimits(connect_timeout=limits.auth_timeout, max_recovery=OFFSET_CHARS),
            door=self.name,
        )

    @abstractmethod
    def vocabulary(self, client: Client, namespace: str) -> Vocabulary:
        """The vocabulary of one client."""

    def addresses(self) -> list[Route]:
        return [
            one
            for path in (SOCKETIO, SOCKETIO.removesuffix("/"))
            for one in (
                route("http", path, self._serve, "GET", "POST", "OPTIONS"),
                route("websocket", path, self._serve),
            )
        ]

    def refused(self, error: HeadwayError) -> Mapping[str, Any]:
        return {"message": error.message}

    async def _serve(self, request: Request) -> None:
        await self.endpoint(request.scope, request.receive, request.send)


class Speaking(SocketConversation):
    """What the vocabularies share: events are heard at a rate, and whatever is wrong is an `error` with a message."""

    __slots__ = ("_asked", "_open")

    def __init__(self, client: Client, namespace: str, codec: SocketCodec, *, open: bool) -> None:  # noqa: A002
        super().__init__(client, namespace, codec)
        self._open = open
        self._asked: deque[Coroutine[Any, Any, None]] | None = None
        """What was asked for and cannot be had at once; None when there is nothing."""

    @abstractmethod
    def say(self, name: str, args: list[Any]) -> None:
        """The client sent an event.

        Raises:
            HeadwayError: it is not right.
        """

    def connected(self, auth: dict[str, Any], recovery: Recovery | None) -> None:
        if self._open and not self._service.draining and not auth.get("token") and self._unknown():
            self._arrive()
            try:
                if self.client.foreign:
                    # Whoever sees everything without a token would show it to any page that they look at.
                    raise OriginRefused(_FOREIGN)
                self._let_in(recovery, NOBODY)
            except HeadwayError as error:
                self.end(error)
            return
        super().connected(auth, recovery)

    def _unknown(self) -> bool:
        try:
            return self.client.brought() is None
        except RefusedError:
            # Its cookie does not count here, so nobody is known.
            return True

    def event(self, name: str, args: list[Any], ack: Ack | None) -> None:  # noqa: ARG002 - no contract answers so
        if self._ended:
            return
        try:
            now = self._service.hub.wheel.now()
            self._session.count(now)
            self._count(now)
            self.say(name, args)
        except Flooding as error:
            self.end(error)
        except RateLimited as error:
            if not self.full:
                self.complain(error)
        except RequestError as error:
            self.complain(error)
        except (ReconnectError, RefusedError) as error:
            self.end(error)
        except HeadwayError as error:
            self.complain(error)

    def complain(self, error: HeadwayError) -> None:
        """Say what is wrong."""
        if not self._ended and self.takes(error.message.encode()):
            self.emit("error", {"message": error.message})

    def carry_out(self, work: Coroutine[Any, Any, None]) -> None:
        """Carry out what an event asks for, after all that was asked for before; whatever goes wrong is said.

        Raises:
            Flooding: too much was asked for before, and is not done.
        """
        if self._asked is not None:
            if len(self._asked) >= _MOST_ASKED:
                work.close()
                raise Flooding
            self._asked.append(work)
            return
        self._asked = deque((work,))
        start(self._carry_out_all(self._asked))

    async def _carry_out_all(self, asked: deque[Coroutine[Any, Any, None]]) -> None:
        while asked:
            try:
                await asked.popleft()
            except HeadwayError as error:
                self.complain(error)
            except Exception:  # noqa: BLE001 - whatever it does, it ends this conversation at most
                _log.exception("an event failed")
                self.end(InternalError())
        self._asked = None

    def send(self, message: bytes) -> None:
        """Of the native messages, only errors have a place in a contract."""
        if message.startswith(_ERROR):
            super().send(message)

    def _refuse(self, subscription: Hashable, error: HeadwayError) -> None:  # noqa: ARG002 - no contract names it
        self.complain(error)


_ERROR = native_error(InternalError())[:15]
