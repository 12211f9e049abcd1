"""A WebSocket of Engine.IO behind any ASGI server: what is sent waits for the server's `send`, up to the high-water mark."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from headway.errors import HeadwayError, SlowReader
from headway.transports.addresses import address_of
from headway.transports.asgi import Receive, Scope, Send, refuse
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


class AsgiCarrier:
    """Messages in, messages out."""

    __slots__ = ("_close", "_connection", "_pending", "_plain", "_service", "_size", "_wake")

    def __init__(self, service: Service) -> None:
        self._service = service
        self._connection: Connection | None = None
        self._plain = True
        self._pending: list[tuple[Sequence[Encoded], int]] = []
        self._size = 0
        self._wake = asyncio.Event()
        self._close: tuple[int, str] | None = None

    def begin(self, connection: Connection) -> None:
        """The connection that it carries is known."""
        self._connection = connection
        self._plain = connection.engine.binary_frames

    @property
    def full(self) -> bool:
        return self._size > HIGH_WATER

    def deliver(self, data: Batch) -> bool:
        if self.full:
            return False
        self._queue(data.packets, len(data))
        return True

    def send(self, data: bytes, binary: bool) -> None:
        if self._size > HIGH_WATER + _MOST_ANSWERS:
            self._fail(SlowReader())
        elif self._close is None:
            self._queue((Binary(data) if binary else data,), len(data))

    def close(self, code: int, reason: str) -> None:
        self._connection = None
        if self._close is None:
            self._close = (code, reason)
            self._wake.set()

    def take(self, event: MutableMapping[str, Any]) -> None:
        """A message came."""
        connection = self._connection
        if connection is None:
            return
        text = event.get("text")
        if text is not None:
            connection.ws_message(text.encode("utf-8", "replace"), False)
        else:
            connection.ws_message(event.get("bytes") or b"", True)

    def lose(self) -> None:
        """The client has gone."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.ws_closed(self)

    async def pump(self, send: Send) -> None:
        """Send what waits until the socket is closed by us."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            pending, self._pending = self._pending, []
            for packets, size in pending:
                for packet in packets:
                    try:
                        async with asyncio.timeout(self._service.write_deadline):
                            await send(self._event(packet))
                    except TimeoutError:
                        self._fail(SlowReader())
                        return
                was_full = self.full
                self._size -= size
                if was_full and not self.full and self._connection is not None:
                    self._connection.drained()
            if self._close is not None and not self._pending:
                return

    async def finish(self, send: Send) -> None:
        """Send the close, when the socket was closed by us."""
        if self._close is not None:
            code, reason = self._close
            await send({"type": "websocket.close", "code": code, "reason": reason[:120]})

    def _event(self, packet: Encoded) -> dict[str, Any]:
        if type(packet) is Binary and self._plain:
            return {"type": "websocket.send", "bytes": packet.data}
        return {"type": "websocket.send", "text": as_text(packet).decode()}

    def _queue(self, packets: Sequence[Encoded], size: int) -> None:
        self._pending.append((packets, size))
        self._size += size
        self._wake.set()

    def _fail(self, error: HeadwayError) -> None:
        if self._connection is not None:
            self._connection.ws_failed(self, error)


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
    pump = listening = None
    try:
        await send({"type": "websocket.accept"})
        pump = asyncio.create_task(carrier.pump(send))
        listening = asyncio.create_task(_listen(carrier, receive))
        await asyncio.wait((pump, listening), return_when=asyncio.FIRST_COMPLETED)
        if pump.done() and not listening.done():
            # A server may send the close only when nobody listens any more (granian).
            listening.cancel()
            await asyncio.wait((listening,))
            await carrier.finish(send)
    finally:
        carrier.lose()
        tasks = [task for task in (pump, listening) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _listen(carrier: AsgiCarrier, receive: Receive) -> None:
    """Take messages until the client leaves."""
    while (event := await receive())["type"] != "websocket.disconnect":
        carrier.take(event)
