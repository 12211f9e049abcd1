"""A WebSocket of Engine.IO behind any ASGI server: what is sent waits for the server's `send`, up to the high-water mark."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from headway.errors import HeadwayError, SlowReader
from headway.transports.addresses import address_of
from headway.transports.asgi import AsgiSocket, Receive, Scope, Send, refuse
from headway.transports.backpressure import HIGH_WATER
from headway.transports.service import Service
from headway.transports.socketio.connection import Connection
from headway.wire.engineio_packets import Binary, Encoded, as_text
from headway.wire.engineio_requests import UNKNOWN_SID, Refusal, read_request
from headway.wire.socketio_batch import Batch

if TYPE_CHECKING:
    from headway.transports.socketio.endpoint import EngineEndpoint

__all__ = ["AsgiCarrier", "websocket"]

_MOST_ANSWERS = 262_144
"""Bytes beyond the high-water mark that answers may take of a client that asks and asks and reads nothing."""


class AsgiCarrier(AsgiSocket[Sequence[Encoded]]):
    """Packets in, messages out."""

    __slots__ = ("_connection", "_plain")

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._connection: Connection | None = None
        self._plain = True

    def begin(self, connection: Connection) -> None:
        """The connection that it carries is known."""
        self._connection = connection
        self._plain = connection.engine.binary_frames

    def deliver(self, data: Batch) -> bool:
        if self.full:
            return False
        self.queue(data.packets, len(data))
        return True

    def send(self, data: bytes, binary: bool) -> None:
        if self._size > HIGH_WATER + _MOST_ANSWERS:
            self.end(SlowReader())
        elif not self.closing:
            self.queue((Binary(data) if binary else data,), len(data))

    def close(self, code: int, reason: str) -> None:
        self._connection = None
        self.hang_up(code, reason)

    async def take(self, event: MutableMapping[str, Any]) -> bool:
        connection = self._connection
        if connection is not None:
            text = event.get("text")
            if text is not None:
                connection.ws_message(text.encode("utf-8", "replace"), False)
            else:
                connection.ws_message(event.get("bytes") or b"", True)
        return True

    def drained(self) -> None:
        if self._connection is not None:
            self._connection.drained()

    def end(self, error: HeadwayError) -> None:
        if self._connection is not None:
            self._connection.ws_failed(self, error)

    def finish(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.ws_closed(self)

    def events(self, item: Sequence[Encoded]) -> Iterator[dict[str, Any]]:
        for packet in item:
            if type(packet) is Binary and self._plain:
                yield {"type": "websocket.send", "bytes": packet.data}
            else:
                yield {"type": "websocket.send", "text": as_text(packet).decode()}


async def websocket(endpoint: EngineEndpoint, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one WebSocket."""
    service = endpoint.service
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    await receive()
    query = scope.get("query_string", b"").decode("latin-1")
    asked = read_request("GET", query, upgrade=True)
    if isinstance(asked, Refusal):
        await refuse(scope, send, asked.status, asked.body.decode())
        return
    begins = asked.sid is None
    if asked.sid is None:
        address = address_of(scope)
        try:
            endpoint.arrive(address)
        except HeadwayError as error:
            await refuse(scope, send, error.status, error.message, endpoint.retry_after(error))
            return
        connection = endpoint.begin(asked, lambda name: headers.get(name, ""), query, address, websocket=True)
    elif asked.sid in endpoint.connections:
        connection = endpoint.connections[asked.sid]
    else:
        await refuse(scope, send, UNKNOWN_SID.status, UNKNOWN_SID.body.decode())
        return
    carrier = AsgiCarrier(service)
    carrier.begin(connection)
    connection.carry(carrier, begins=begins)
    try:
        await send({"type": "websocket.accept"})
        await carrier.serve(carrier, receive, send)
    finally:
        carrier.finish()
