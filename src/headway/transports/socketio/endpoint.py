"""Where Engine.IO is spoken: the sessions at one path, who may begin one, and over what."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from headway.errors import Draining, HeadwayError, OriginRefused, Overloaded
from headway.transports.addresses import address_at
from headway.transports.asgi import Receive, Scope, Send
from headway.transports.credentials import Brought, bring, known_host, origin_allowed
from headway.transports.service import FULL, Service
from headway.transports.socketio.carrier import DeflatingCarrier, SocketCarrier
from headway.transports.socketio.client import Client
from headway.transports.socketio.connection import Connection
from headway.transports.socketio.vocabulary import VocabularyMaker
from headway.wire import handshake
from headway.wire.deflate import accept_offer
from headway.wire.engineio import EngineSession
from headway.wire.engineio_limits import EngineLimits
from headway.wire.engineio_requests import UNKNOWN_SID, EngineRequest, Refusal, read_request
from headway.wire.socketio import SocketLimits
from headway.wire.socketio_parsers import ONLY_JSON, Parsers

__all__ = ["Endpoint", "EngineEndpoint", "Header"]

_SCRIPTS = ("Mozilla/", "node-XMLHttpRequest")
"""How browsers begin to say what they are, and the stock client in Node."""
_STOCK_QUERY = "EIO=4&transport=websocket"

Header = Callable[[str], str]
"""Gives the value of a request's header by its lower-case name, or an empty text."""


class EngineEndpoint(ABC):
    """The sessions of Engine.IO at one path.

    Attributes:
        service: what all connections of the server share.
        path: ends with a slash.
        limits: of each session.
        door: what the audit calls it.
        connections: by session id. Bounded, since nobody is let in beyond what the service admits.
    """

    def __init__(self, service: Service, path: str, limits: EngineLimits, door: str = "socketio") -> None:
        self.service = service
        self.path = path
        self.limits = limits
        self.door = door
        self.connections: dict[str, Connection] = {}
        service.endpoints.append(self)

    @property
    def paths(self) -> tuple[str, str]:
        """Where clients look for it: some leave the slash at the end out (`addTrailingSlash: false`)."""
        return self.path, self.path.removesuffix("/")

    @abstractmethod
    def make(self, engine: EngineSession, header: Header, query: str) -> Connection:
        """The connection of a new session, from its first request."""

    @staticmethod
    def new_id() -> str:
        """An id that nobody guesses: 120 bits."""
        return secrets.token_urlsafe(15)

    def arrive(self, address: str) -> None:
        """Somebody wants to begin a session.

        Raises:
            ConnectingTooOften, Draining, Overloaded: not now.
        """
        service, audit = self.service, self.service.hub.audit
        try:
            service.rates.arrive(address, service.now())
            if service.draining:
                raise Draining
            if service.crowded:
                raise Overloaded(FULL)
        except HeadwayError as error:
            audit.refused(error, door=self.door, address=address)
            raise
        audit.connected(self.door, address)

    def retry_after(self, error: HeadwayError) -> int:
        """Seconds until who was refused in `arrive` may come again."""
        return int(error.details.get("retry_after", 0)) or self.service.retry_after()

    def begin(
        self, request: EngineRequest, header: Header, query: str, address: str, *, websocket: bool
    ) -> Connection:
        """A new session of who was let in by `arrive`; it is still to be opened."""
        sid = self.new_id()
        now = self.service.hub.wheel.now()
        engine = EngineSession(sid, self.limits, now, websocket=websocket, base64=request.base64)
        connection = self.connections[sid] = self.make(engine, header, query)
        connection.address = address
        return connection

    def forget(self, connection: Connection) -> None:
        """The session is over."""
        self.connections.pop(connection.engine.sid, None)

    def drain(self) -> None:
        """End what has not been ended by who speaks over it."""
        for connection in tuple(self.connections.values()):
            connection.end(Draining())

    def come(self, request: handshake.UpgradeRequest, transport: Any, connections: set[Any]) -> SocketCarrier:
        """A WebSocket on a socket of its own.

        Raises:
            HandshakeRefused: it is no WebSocket, or not of a session here.
        """
        handshake.check_upgrade(request)
        asked = read_request(request.method, request.query, upgrade=True)
        if isinstance(asked, Refusal):
            raise _refused(asked)
        address = address_at(transport, request.header("x-forwarded-for"), self.service.rates.proxies)
        if asked.sid is None:
            try:
                self.arrive(address)
            except HeadwayError as error:
                wait = str(self.retry_after(error))
                raise handshake.HandshakeRefused(
                    error.status, error.message, (("Retry-After", wait),)
                ) from None
        connection = None if asked.sid is None else self.connections.get(asked.sid)
        if asked.sid is not None and connection is None:
            raise _refused(UNKNOWN_SID)
        begins = connection is None
        if connection is None:
            connection = self.begin(asked, request.header, request.query, address, websocket=True)
        extension = None
        if self.service.compression and connection.engine.binary_frames:
            extension = accept_offer(request.header("sec-websocket-extensions"))
        headers = () if extension is None else (("Sec-WebSocket-Extensions", extension),)
        transport.write(handshake.accept_response(request, None, headers))
        make = SocketCarrier if extension is None else DeflatingCarrier
        carrier = make(self.service, connections, self.limits.max_payload)
        carrier.begin(connection, transport)
        connection.carry(carrier, begins=begins)
        return carrier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket behind any ASGI server."""
        # Both need to know what an endpoint is.
        from headway.transports.socketio.asgi_carrier import websocket
        from headway.transports.socketio.polling import poll

        await (websocket if scope["type"] == "websocket" else poll)(self, scope, receive, send)


class Endpoint(EngineEndpoint):
    """Where Socket.IO is spoken.

    Attributes:
        namespaces: what makes the vocabulary of a client, by the name of the namespace.
        parsers: how packets may be written.
    """

    def __init__(
        self,
        service: Service,
        path: str,
        namespaces: Mapping[str, VocabularyMaker],
        *,
        limits: EngineLimits | None = None,
        socket_limits: SocketLimits | None = None,
        parsers: Parsers = ONLY_JSON,
        door: str = "socketio",
    ) -> None:
        super().__init__(service, path, limits or EngineLimits(), door)
        self.namespaces = namespaces
        self.socket_limits = socket_limits or SocketLimits()
        self.parsers = parsers

    def make(self, engine: EngineSession, header: Header, query: str) -> Client:
        service = self.service
        brought: Brought | OriginRefused | None
        try:
            brought = bring(header, query, service.origins, query_tokens=service.query_tokens)
        except OriginRefused as error:
            brought = error.with_traceback(None)
        host = header("host")
        own = origin_allowed(header("origin"), host, service.origins) and known_host(host, service.origins)
        agent = header("user-agent")
        # In Node its WebSockets do not say what they are; what it asks with is in the order of the stock client.
        scripts = agent.startswith(_SCRIPTS) if agent else _STOCK_QUERY in query
        return Client(self, engine, brought, keeps_offsets=scripts, foreign=not own)


def _refused(refusal: Refusal) -> handshake.HandshakeRefused:
    return handshake.HandshakeRefused(refusal.status, refusal.body.decode())
