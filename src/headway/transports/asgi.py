"""The native door as a plain ASGI application, for when Headway is mounted in somebody else's server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from headway.errors import ConnectingTooOften, HeadwayError, OriginRefused, SlowReader
from headway.transports.addresses import address_of
from headway.transports.conversation import DOOR, Conversation
from headway.transports.credentials import Brought, bring
from headway.transports.service import FULL, Service
from headway.wire.forms import PACKED_PROTOCOL, Form, choose_form
from headway.wire.native import PROTOCOL
from headway.wire.packed import pack, unpack

__all__ = ["AsgiConnection", "Receive", "Scope", "Send", "refuse", "websocket"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_HIGH_WATER = 65_536
_SIZE = 4


def _sized(message: bytes) -> bytes:
    # So that a batch can be taken apart again: ASGI wants one call for each message.
    return len(message).to_bytes(_SIZE, "big") + message


_TEXT = Form(_sized, packed=False)
_PACKED = Form(lambda message: _sized(pack(message)), packed=True)


class AsgiConnection(Conversation):
    """One client behind an ASGI server: what is delivered waits for the server's `send`, up to the high-water mark."""

    __slots__ = ("_close", "_pending", "_size", "_wake", "codec")

    codec: Form

    def __init__(self, service: Service, *, packed: bool = False) -> None:
        super().__init__(service)
        self.codec = _PACKED if packed else _TEXT
        self._pending: list[bytes] = []
        self._size = 0
        self._wake = asyncio.Event()
        self._close: tuple[int, str] | None = None

    @property
    def full(self) -> bool:
        return self._size > _HIGH_WATER

    def deliver(self, data: bytes) -> bool:
        if self.full:
            return False
        self._queue(data)
        return True

    def send(self, message: bytes) -> None:
        if self._close is None and self.takes(message):
            self._queue(self.codec.frame(message, ""))

    def ping(self) -> None:
        """ASGI has no ping: its servers send their own, keep the answers, and end who does not answer."""
        self.heard()

    def hang_up(self, code: int, reason: str) -> None:
        if self._close is None:
            self._close = (code, reason)
            self._wake.set()

    async def pump(self, send: Send) -> None:
        """Send what waits until the connection is hung up."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            pending, self._pending = self._pending, []
            for data in pending:
                for message in _apart(data):
                    try:
                        async with asyncio.timeout(self._service.write_deadline):
                            await send(self._event(message))
                    except TimeoutError:
                        self.end(SlowReader())
                        return
                was_full = self.full
                self._size -= len(data)
                if was_full and not self.full:
                    self.drained()
            if self._close is not None and not self._pending:
                return

    async def close(self, send: Send) -> None:
        """Send the close, when the connection was hung up."""
        if self._close is not None:
            code, reason = self._close
            await send({"type": "websocket.close", "code": code, "reason": reason[:120]})

    def take(self, event: MutableMapping[str, Any], max_message: int) -> bool:
        """Take a message; False when it is such that the connection ends."""
        data = event.get("bytes" if self.codec.packed else "text")
        if data is None:
            self.finish()
            self.hang_up(1003, "Send MessagePack in binary frames" if self.codec.packed else "Send text")
            return False
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogatepass")
        if len(data) > max_message:
            self.finish()
            self.hang_up(1009, "The message is too large")
            return False
        self.receive(unpack(data) if self.codec.packed else data)
        return True

    def _event(self, message: bytes) -> dict[str, Any]:
        if self.codec.packed:
            return {"type": "websocket.send", "bytes": message}
        return {"type": "websocket.send", "text": message.decode()}

    def _queue(self, data: bytes) -> None:
        self._pending.append(data)
        self._size += len(data)
        self._wake.set()


def _apart(data: bytes) -> Iterator[bytes]:
    """The messages of a batch."""
    at = 0
    while at < len(data):
        start = at + _SIZE
        at = start + int.from_bytes(data[at:start], "big")
        yield data[start:at]


async def websocket(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one WebSocket of the native protocol."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    await receive()
    chosen = choose_form(scope.get("subprotocols") or [])
    if chosen is None:
        await refuse(scope, send, 400, f"The subprotocols here are {PROTOCOL} and {PACKED_PROTOCOL}")
        return
    subprotocol, packed = chosen
    address = address_of(scope)
    try:
        service.rates.arrive(address, service.now())
    except ConnectingTooOften as error:
        service.hub.audit.refused(error, door=DOOR, address=address)
        await refuse(scope, send, 429, error.message, error.details["retry_after"])
        return
    if service.crowded:
        await refuse(scope, send, 503, FULL, service.retry_after())
        return
    await send({"type": "websocket.accept", "subprotocol": subprotocol})
    connection = AsgiConnection(service, packed=packed)
    refusal: HeadwayError | None = None
    brought: Brought | None = None
    query = scope.get("query_string", b"").decode("latin-1")
    try:
        brought = bring(
            lambda name: headers.get(name, ""), query, service.origins, query_tokens=service.query_tokens
        )
    except OriginRefused as error:
        refusal = error
    pump = asyncio.create_task(connection.pump(send))
    connection.begin(brought, refusal, address)
    listening = asyncio.create_task(_listen(connection, receive, service.max_message))
    try:
        await asyncio.wait((pump, listening), return_when=asyncio.FIRST_COMPLETED)
        if listening.done() and not pump.done() and not listening.result():
            # We hung up; what was said last still goes out.
            await asyncio.wait((pump,), timeout=service.write_deadline)
        if pump.done() and not (listening.done() and listening.result()):
            # A server may send the close only when nobody listens any more (granian).
            listening.cancel()
            await asyncio.wait((listening,))
            await connection.close(send)
    finally:
        connection.finish()
        for task in (pump, listening):
            task.cancel()
        await asyncio.gather(pump, listening, return_exceptions=True)


async def refuse(scope: Scope, send: Send, status: int, text: str, retry_after: int = 0) -> None:
    """Answer an upgrade that was not accepted, with a sentence where the server can send one."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        # Then a close is the server's way to answer with an HTTP error of its own.
        await send({"type": "websocket.close", "code": 1013 if status in {429, 503} else 1002})
        return
    body = text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if retry_after:
        headers.append((b"retry-after", b"%d" % retry_after))
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


async def _listen(connection: AsgiConnection, receive: Receive, max_message: int) -> bool:
    """Take messages until the client leaves (True) or says what ends the connection (False)."""
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return True
        if not connection.take(event, max_message):
            return False
