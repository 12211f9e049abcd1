"""A WebSocket of Engine.IO on a socket of its own: the fast path."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from headway.errors import Draining, HeadwayError, SlowReader
from headway.transports.backpressure import Backpressure
from headway.transports.service import Service
from headway.transports.socketio.connection import Connection
from headway.wire import websocket as ws
from headway.wire.deflate import InflatingReader
from headway.wire.engineio_packets import Binary
from headway.wire.socketio_batch import deflated_packet

__all__ = ["DeflatingCarrier", "SocketCarrier"]

_CLOSING_SECONDS = 2.0
_MOST_ANSWERS = 262_144
"""Bytes of answers that may wait for a client that asks and asks and reads nothing."""


class SocketCarrier(Backpressure):
    """Frames in, frames out. Kept for as long as it is connected, so it is small."""

    __slots__ = (
        "_answers",
        "_checking",
        "_connection",
        "_connections",
        "_full",
        "_hung_up",
        "_plain",
        "_reader",
        "_service",
        "_transport",
        "_waiting",
    )

    _read_by: type[ws.FrameReader] = ws.FrameReader

    def __init__(self, service: Service, connections: set[Any], max_message: int) -> None:
        self._service = service
        self._connections = connections
        self._reader = self._read_by(max_message)
        self._connection: Connection | None = None
        self._answers = 0
        self._checking = False
        self._full = False
        self._hung_up = False
        self._plain = True
        self._waiting = 0

    def begin(self, connection: Connection, transport: Any) -> None:
        """Take the socket; the connection that it carries is known."""
        self._connection = connection
        self._plain = connection.engine.binary_frames
        self.watch(cast("asyncio.Transport", transport))
        self._connections.add(self)

    def deliver(self, data: bytes) -> bool:
        if self._full:
            return False
        self._transport.write(data.frames if self._plain else data.text)  # type: ignore[attr-defined]
        return True

    def send(self, data: bytes, binary: bool) -> None:
        """Send one message, full or not; who asks and reads nothing is not heard any more."""
        if self._hung_up:
            return
        if self._full:
            self._answers += len(data)
            if self._answers > _MOST_ANSWERS:
                self.end(SlowReader())
                return
        self._transport.write(self._framed(data, binary))

    def close(self, code: int, reason: str) -> None:
        """Close; nothing more is reported. Idempotent."""
        self._connection = None
        if not self._hung_up:
            self._hung_up = True
            self._transport.write(ws.close_frame(code, reason))
            # The client answers with a close of its own; whoever reads that slowly is not waited for.
            self._service.hub.wheel.schedule(_CLOSING_SECONDS, self._transport.abort)

    def end(self, error: HeadwayError) -> None:
        if self._connection is not None:
            self._connection.ws_failed(self, error)

    def drained(self) -> None:
        self._answers = 0
        if self._connection is not None:
            self._connection.drained()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing: it has the socket since `begin`."""

    def data_received(self, data: bytes) -> None:
        for event in self._reader.feed(data):
            connection = self._connection
            if type(event) is ws.Text:
                if connection is not None:
                    connection.ws_message(event.data, False)
            elif type(event) is ws.Binary:
                if connection is not None:
                    connection.ws_message(event.data, True)
            else:
                self._control(event)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended, it has
        self._hung_up = True
        self._connections.discard(self)
        self._lose()

    def shutdown(self) -> None:
        """Uvicorn is about to stop."""
        if self._connection is not None:
            self.end(Draining())
        elif not self._hung_up:
            self._transport.close()

    def _framed(self, data: bytes, binary: bool) -> bytes:
        return ws.binary_frame(data) if binary else ws.text_frame(data)

    def _lose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.ws_closed(self)

    def _control(self, event: ws.Event) -> None:
        if isinstance(event, ws.Ping):
            if not self._full and not self._hung_up:
                self._transport.write(ws.pong_frame(event.data))
        elif isinstance(event, ws.Close):
            if not self._hung_up:
                self._hung_up = True
                code = 1000 if event.code == ws.NO_CODE else event.code
                self._transport.write(ws.close_frame(code, ""))
            self._lose()
            self._transport.close()
        elif isinstance(event, ws.Violation):
            connection = self._connection
            self.close(event.code, event.reason)
            if connection is not None:
                connection.ws_closed(self)
            # Nothing more is read, so an answer to the close would be waited for in vain.
            if self._transport.can_write_eof():
                self._transport.write_eof()


class DeflatingCarrier(SocketCarrier):
    """The same for a client with which compression was agreed, and which takes binary frames."""

    __slots__ = ()

    _read_by = InflatingReader

    def deliver(self, data: bytes) -> bool:
        if self._full:
            return False
        self._transport.write(data.deflated)  # type: ignore[attr-defined]
        return True

    def _framed(self, data: bytes, binary: bool) -> bytes:
        return deflated_packet(Binary(data) if binary else data)
