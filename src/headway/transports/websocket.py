"""The native door on the fast path: a uvicorn WebSocket protocol class that owns its socket.

`uvicorn --ws headway.transports.websocket:Gate`. Other paths go on to uvicorn's own WebSocket protocol, so that an
application beside us keeps working.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from headway.errors import ConnectingTooOften, Draining, HeadwayError, OriginRefused
from headway.transports.addresses import address_at
from headway.transports.backpressure import Backpressure
from headway.transports.bounded import BoundedWebSocket
from headway.transports.conversation import DOOR, Conversation
from headway.transports.credentials import Brought, bring
from headway.transports.service import FULL, Service, state_key
from headway.wire import handshake
from headway.wire import websocket as ws
from headway.wire.deflate import InflatingReader, accept_offer
from headway.wire.forms import PACKED_PROTOCOL, Form, choose_form, form_of
from headway.wire.native import PROTOCOL
from headway.wire.packed import unpack

__all__ = ["Door", "Gate", "WebSocketConnection"]

_CLOSING_SECONDS = 2.0


class Door(Protocol):
    """Something else that speaks over WebSockets of its own."""

    def come(
        self, request: handshake.UpgradeRequest, transport: asyncio.Transport, connections: set[Any]
    ) -> asyncio.Protocol:
        """Answer a request, and take the socket.

        Args:
            connections: those that uvicorn ends when it stops; who takes the socket is to be among them.

        Raises:
            HandshakeRefused: it is refused.
        """


class Gate(asyncio.Protocol):
    """Stands at the door until it is known whose connection it is, then gives it away."""

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        self._config = config
        self._server_state = server_state
        self._app_state = app_state
        self._transport: asyncio.Transport | None = None
        self._inner: asyncio.Protocol | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.data_received(data)
            return
        assert self._transport is not None  # noqa: S101 - connection_made came first
        try:
            request = handshake.parse_upgrade(data)
            door: Service | Door | None = self._app_state.get(state_key(request.path))
            if door is None:
                self._give_to(
                    BoundedWebSocket(
                        config=self._config, server_state=self._server_state, app_state=self._app_state
                    ),
                    # It hands names on as it reads them, and who looks for an origin would find none.
                    handshake.lower_names(data),
                )
            elif isinstance(door, Service):
                self._open(request, door)
            else:
                self._give_to(door.come(request, self._transport, self._server_state.connections), b"")
        except handshake.HandshakeRefused as refused:
            self._transport.write(handshake.refuse_response(refused.status, refused.reason, refused.headers))
            self._transport.close()

    def eof_received(self) -> None:
        if self._inner is not None:
            self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._inner is not None:
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def shutdown(self) -> None:
        """Uvicorn asks what is still at the gate to end."""
        if self._transport is not None:
            self._transport.close()

    def _open(self, request: handshake.UpgradeRequest, service: Service) -> None:
        transport = self._transport
        assert transport is not None  # noqa: S101
        handshake.check_upgrade(request)
        chosen = choose_form(handshake.offered_subprotocols(request))
        if chosen is None:
            raise handshake.HandshakeRefused(
                400, f"The subprotocols here are {PROTOCOL} and {PACKED_PROTOCOL}"
            )
        address = address_at(transport, request.header("x-forwarded-for"), service.rates.proxies)
        try:
            service.rates.arrive(address, service.now())
        except ConnectingTooOften as error:
            service.hub.audit.refused(error, door=DOOR, address=address)
            wait = str(error.details["retry_after"])
            raise handshake.HandshakeRefused(429, error.message, (("Retry-After", wait),)) from None
        if service.crowded:
            raise handshake.HandshakeRefused(503, FULL, (("Retry-After", str(service.retry_after())),))
        subprotocol, packed = chosen
        extension = accept_offer(request.header("sec-websocket-extensions")) if service.compression else None
        headers = () if extension is None else (("Sec-WebSocket-Extensions", extension),)
        transport.write(handshake.accept_response(request, subprotocol, headers))
        form = form_of(packed=packed, deflated=extension is not None)
        connection = WebSocketConnection(service, self._server_state.connections, form)
        self._give_to(connection, b"")
        refusal: HeadwayError | None = None
        brought: Brought | None = None
        try:
            brought = bring(request.header, request.query, service.origins, query_tokens=service.query_tokens)
        except OriginRefused as error:
            refusal = error
        connection.begin(brought, refusal, address)

    def _give_to(self, inner: asyncio.Protocol, data: bytes) -> None:
        transport = self._transport
        assert transport is not None  # noqa: S101
        inner.connection_made(transport)
        if data:
            inner.data_received(data)
        self._inner = inner
        # Uvicorn sets this gate as the transport's protocol when it returns; the connection takes over right after.
        asyncio.get_running_loop().call_soon(self._hand_over)

    def _hand_over(self) -> None:
        if self._transport is not None and self._inner is not None and not self._transport.is_closing():
            self._transport.set_protocol(self._inner)


class WebSocketConnection(Conversation, Backpressure):
    """One client on a socket of its own. Kept for as long as it is connected, so it is small."""

    __slots__ = (
        "_checking",
        "_connections",
        "_full",
        "_hung_up",
        "_reader",
        "_transport",
        "_waiting",
        "codec",
    )

    codec: Form

    def __init__(self, service: Service, connections: set[Any], form: Form) -> None:
        super().__init__(service)
        self.codec = form
        self._connections = connections
        self._reader = (InflatingReader if form.deflated else ws.FrameReader)(service.max_message)
        self._full = False
        self._hung_up = False
        self._checking = False
        self._waiting = 0

    def send(self, message: bytes) -> None:
        if not self._hung_up and self.takes(message):
            self._transport.write(self.codec.frame(message, ""))

    def ping(self) -> None:
        if not self._full and not self._hung_up:
            self._transport.write(ws.ping_frame(b""))

    def hang_up(self, code: int, reason: str) -> None:
        if self._hung_up:
            return
        self._hung_up = True
        self._transport.write(ws.close_frame(code, reason))
        # The client answers with a close of its own; whoever reads that slowly is not waited for.
        self._service.hub.wheel.schedule(_CLOSING_SECONDS, self._transport.abort)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.watch(cast("asyncio.Transport", transport))
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        for event in self._reader.feed(data):
            if type(event) is ws.Text and not self.codec.packed:
                self.receive(event.data)
            elif type(event) is ws.Binary and self.codec.packed:
                self.receive(unpack(event.data))
            else:
                self._control(event)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended, it has
        self._hung_up = True
        self._connections.discard(self)
        self.finish()

    def shutdown(self) -> None:
        """Uvicorn is about to stop."""
        self.goodbye(Draining(), self._service.reconnect_in())

    def _control(self, event: ws.Event) -> None:
        self.heard()
        if isinstance(event, ws.Ping):
            if not self._full and not self._hung_up:
                self._transport.write(ws.pong_frame(event.data))
        elif isinstance(event, ws.Close):
            if not self._hung_up:
                self._hung_up = True
                code = 1000 if event.code == ws.NO_CODE else event.code
                self._transport.write(ws.close_frame(code, ""))
            self.finish()
            self._transport.close()
        elif isinstance(event, ws.Binary | ws.Text):
            self.finish()
            self.hang_up(1003, "Send MessagePack in binary frames" if self.codec.packed else "Send text")
        elif isinstance(event, ws.Violation):
            self.finish()
            self.hang_up(event.code, event.reason)
            # Nothing more is read, so an answer to the close would be waited for in vain.
            if self._transport.can_write_eof():
                self._transport.write_eof()
