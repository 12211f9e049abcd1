"""The native door on the fast path: a uvicorn WebSocket protocol class that owns its socket.

`uvicorn --ws headway.transports.websocket:Gate`. Other paths go on to uvicorn's own WebSocket protocol, so that an
application beside us keeps working.
"""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from headway.errors import HeadwayError, OriginRefused, SlowReader
from headway.transports.conversation import Conversation
from headway.transports.credentials import brought_token
from headway.transports.service import RETRY_AFTER, Service, state_key
from headway.wire import handshake
from headway.wire import websocket as ws
from headway.wire.codec import NativeCodec
from headway.wire.native import PROTOCOL

__all__ = ["Gate", "WebSocketConnection"]

_HIGH_WATER = 65_536
_CLOSING_SECONDS = 2.0


def _framed(message: bytes, _cursor: str) -> bytes:
    return ws.text_frame(message)


_CODEC = NativeCodec(_framed)


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
            service: Service | None = self._app_state.get(state_key(request.path))
            if service is None:
                self._give_to(
                    WebSocketsSansIOProtocol(
                        config=self._config, server_state=self._server_state, app_state=self._app_state
                    ),
                    data,
                )
                return
            self._open(request, service)
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
        offered = handshake.offered_subprotocols(request)
        if offered and PROTOCOL not in offered:
            raise handshake.HandshakeRefused(400, f"The subprotocol here is {PROTOCOL}")
        if service.crowded:
            raise handshake.HandshakeRefused(
                503, "The server holds as many connections as it may", (("Retry-After", str(RETRY_AFTER)),)
            )
        transport.write(handshake.accept_response(request, PROTOCOL if offered else None))
        connection = WebSocketConnection(service, self._server_state.connections)
        self._give_to(connection, b"")
        refusal: HeadwayError | None = None
        token: str | None = None
        try:
            token = brought_token(request.header, service.origins)
        except OriginRefused as error:
            refusal = error
        connection.begin(token, refusal)

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


class WebSocketConnection(Conversation, asyncio.Protocol):
    """One client on a socket of its own. Kept for as long as it is connected, so it is small."""

    __slots__ = ("_checking", "_connections", "_full", "_hung_up", "_reader", "_transport", "_waiting")

    codec = _CODEC

    def __init__(self, service: Service, connections: set[Any]) -> None:
        super().__init__(service)
        self._connections = connections
        self._reader = ws.FrameReader(service.max_message)
        self._full = False
        self._hung_up = False
        self._checking = False
        self._waiting = 0

    @property
    def full(self) -> bool:
        return self._full

    def deliver(self, data: bytes) -> bool:
        if self._full:
            return False
        self._transport.write(data)
        return True

    def send(self, message: bytes) -> None:
        if not self._hung_up and self.takes(message):
            self._transport.write(ws.text_frame(message))

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
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        keep_little_in_the_kernel(self._transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        for event in self._reader.feed(data):
            if type(event) is ws.Text:
                self.receive(event.data)
            else:
                self._control(event)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended, it has
        self._hung_up = True
        self._connections.discard(self)
        self.finish()

    def pause_writing(self) -> None:
        self._full = True
        self._waiting = self._transport.get_write_buffer_size()
        if not self._checking:
            self._checking = True
            self._service.hub.wheel.schedule(self._service.write_deadline, self._check)

    def resume_writing(self) -> None:
        self._full = False
        self.drained()

    def shutdown(self) -> None:
        """Uvicorn is about to stop."""
        self.goodbye(round(random.uniform(0, self._service.drain_spread), 2))  # noqa: S311

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
        elif isinstance(event, ws.Binary):
            self.finish()
            self.hang_up(1003, "Send text")
        elif isinstance(event, ws.Violation):
            self.finish()
            self.hang_up(event.code, event.reason)
            # Nothing more is read, so an answer to the close would be waited for in vain.
            if self._transport.can_write_eof():
                self._transport.write_eof()

    def _check(self) -> None:
        """Whether a client that was full has read anything since it was last looked at."""
        self._checking = False
        if not self._full or self._hung_up:
            return
        waiting = self._transport.get_write_buffer_size()
        if waiting >= self._waiting:
            self.end(SlowReader())
            return
        self._waiting = waiting
        self._checking = True
        self._service.hub.wheel.schedule(self._service.write_deadline, self._check)


def keep_little_in_the_kernel(transport: asyncio.Transport) -> None:
    """Let the kernel hold little that is not sent yet: what waits there grows stale and costs memory."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    raw = transport.get_extra_info("socket")
    if option is not None and raw is not None and raw.family in {socket.AF_INET, socket.AF_INET6}:
        raw.setsockopt(socket.IPPROTO_TCP, option, 2 * _HIGH_WATER)
