"""Uvicorn's HTTP protocol as we run it: it waits for nobody, and turns away whom there is no descriptor for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from headway.transports.asgi import Scope
from headway.transports.service import FULL, Service
from headway.wire.handshake import is_whole_upgrade, refuse_response

__all__ = ["MOST_REFUSED", "SOCKET", "PromptHttp", "http_of", "socket_of"]

SOCKET = "headway.socket"
"""The extension of a scope by which an application is given the socket of its request."""

MOST_REFUSED = 50
"""Connections beyond the limit that are answered at the same time; each needs a descriptor until it has read that."""

_REFUSAL_SECONDS = 2.0
_MOST_HEAD = 65_536
"""Bytes of a request's head beyond the first piece; the parser takes any number."""


class PromptHttp(HttpToolsProtocol):
    """Uvicorn's HTTP protocol, for which a request whose head does not come in time is none, the first or any other.

    Attributes:
        patience: seconds; as long as a WebSocket has until it must have authenticated.
        service: says how many sockets there may be.
    """

    patience = 10.0
    service: Service

    _arrival: asyncio.TimerHandle | None = None
    _began = False
    _in_head = False
    _head_bytes = 0
    _checking = False
    _waiting = 0
    _gone: Callable[[], object] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if 0 < self.service.max_sockets <= len(self.connections):
            TurnedAway.come(transport, self.service)
            return
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        began, self._began = self._began, True
        if began or not is_whole_upgrade(data):
            in_head = self._in_head
            super().data_received(data)
            if in_head and self._in_head:
                self._head_bytes += len(data)
                if self._head_bytes > _MOST_HEAD:
                    self._refuse_head()
                    return
            # Uvicorn waits for whoever sends anything: bits of the next head, or of a body that was answered already.
            if self._arrival is None and self.transport.get_protocol() is self and self._idle:
                self._expect()
            return
        # Nearly all that connect and stay. Whoever takes the socket reads the request itself, so it is not read twice.
        self._cancel_arrival()
        self.connections.discard(self)
        protocol = cast("Any", self.ws_protocol_class)(
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        protocol.connection_made(self.transport)
        protocol.data_received(data)
        self.transport.set_protocol(protocol)
        del self.parser

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()
        self.scope["extensions"] = cast("Any", {SOCKET: self})

    def on_headers_complete(self) -> None:
        self._in_head = False
        # Also before an upgrade: a timer that is left behind would keep this protocol in memory.
        self._cancel_arrival()
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """After the last chunk come trailers, which are as long as their sender likes; after any other its bytes."""
        self._in_head, self._head_bytes = True, 0

    def on_body(self, body: bytes) -> None:
        self._in_head = False
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_head = False
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        self._let_go()

    @property
    def may_be_given_away(self) -> bool:
        """Whether the request is the only one, and of a client that understands chunks."""
        return self.scope["http_version"] == "1.1" and not self.pipeline

    def give_away(self, protocol: asyncio.Protocol, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Answer the request with 200 and leave socket and body, in chunks, to another protocol.

        For the application that answers the request, instead of sending anything.

        Args:
            headers: of the answer, without those that say how long it is.
        """
        transport = self.transport
        closing = ((b"transfer-encoding", b"chunked"), (b"connection", b"close"))
        lines = [
            b"%b: %b\r\n" % header for header in (*self.server_state.default_headers, *headers, *closing)
        ]
        if not transport.is_closing():
            transport.write(b"HTTP/1.1 200 OK\r\n%b\r\n" % b"".join(lines))
        # Uvicorn takes nothing amiss from an application whose client has gone.
        self.cycle.disconnected = True
        self.connections.discard(self)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if self.flow.write_paused:
            protocol.pause_writing()
        self.flow.resume_reading()
        if transport.is_closing():
            protocol.connection_lost(None)
        self._let_go()

    @property
    def _idle(self) -> bool:
        """Whether no request is being answered."""
        cycle = cast("Any", self.cycle)
        return cycle is None or bool(cycle.response_complete)

    def _refuse_head(self) -> None:
        self.transport.write(refuse_response(431, "The head of the request is too large"))
        self.transport.close()

    def _expect(self) -> None:
        """The head of a request must come now."""
        self._arrival = self.loop.call_later(self.patience, self.transport.close)

    def _check_later(self) -> None:
        self._checking = True
        self.service.hub.wheel.schedule(self.service.write_deadline, self._check)

    def _check(self) -> None:
        """Whether a client that has enough has read any of its answer since it was last looked at."""
        self._checking = False
        transport = self.transport
        if transport.is_closing() or transport.get_protocol() is not self or not self.flow.write_paused:
            return
        waiting = transport.get_write_buffer_size()
        if waiting >= self._waiting:
            # In the middle of an answer there is no way to say why.
            transport.abort()
            return
        self._waiting = waiting
        self._check_later()

    def _cancel_arrival(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _let_go(self) -> None:
        """Be forgotten at once, and not when rings are looked for: scope, parser and cycle hold this as it holds them."""
        self.scope["extensions"].clear()
        del self.scope, self.parser, self.cycle

    def tell(self, gone: Callable[[], object] | None) -> bool:
        """Call this when the client goes away before it was answered; None calls nothing any more.

        Returns:
            whether it is still there.
        """
        self._gone = gone
        return not self.transport.is_closing()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._waiting = self.transport.get_write_buffer_size()
        if not self._checking:
            self._check_later()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
        if self._gone is not None:
            self._gone()
        super().connection_lost(exc)


def http_of(scope: Scope) -> PromptHttp | None:
    """The protocol that carries a request; None behind other servers."""
    http: PromptHttp | None = (scope.get("extensions") or {}).get(SOCKET)
    return http


def socket_of(scope: Scope) -> PromptHttp | None:
    """The protocol whose socket the application may have; None behind other servers, and where that cannot be."""
    http: PromptHttp | None = (scope.get("extensions") or {}).get(SOCKET)
    return http if http is not None and http.may_be_given_away else None


class TurnedAway(asyncio.Protocol):
    """Answers 503 to a connection that there is no room for, whatever it asks, and waits until that was read.

    Closing at once would reset the connection while the request is still on its way, and the answer with it.
    """

    __slots__ = ("_retry_after", "_timer", "_transport")

    _present: set[TurnedAway] = set()  # noqa: RUF012 - of this process, since its descriptors are

    def __init__(self, transport: asyncio.Transport, retry_after: int) -> None:
        self._transport = transport
        self._retry_after = retry_after
        self._timer = asyncio.get_running_loop().call_later(_REFUSAL_SECONDS, transport.abort)

    @classmethod
    def come(cls, transport: asyncio.Transport, service: Service) -> None:
        """Take a connection; when too many are being answered it is cut without a word."""
        if len(cls._present) >= MOST_REFUSED:
            transport.abort()
            return
        refused = cls(transport, service.retry_after())
        cls._present.add(refused)
        transport.set_protocol(refused)

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 - the answer is the same to everything
        if self._retry_after:
            headers = (("Retry-After", str(self._retry_after)),)
            self._transport.write(refuse_response(503, FULL, headers))
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self._retry_after = 0

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._timer.cancel()
        self._present.discard(self)
