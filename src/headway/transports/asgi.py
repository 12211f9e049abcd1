"""The native door as a plain ASGI application, for when Headway is mounted in somebody else's server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from headway.errors import HeadwayError, OriginRefused, SlowReader
from headway.transports.conversation import Conversation
from headway.transports.credentials import brought_token
from headway.transports.service import RETRY_AFTER, Service
from headway.wire.codec import NativeCodec
from headway.wire.native import PROTOCOL

__all__ = ["AsgiConnection", "Receive", "Scope", "Send", "refuse", "websocket"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_HIGH_WATER = 65_536


def _line(message: bytes, _cursor: str = "") -> bytes:
    # JSON has no line feed of its own, so a batch can be taken apart again; ASGI wants one call for each message.
    return message + b"\n"


_CODEC = NativeCodec(_line)


class AsgiConnection(Conversation):
    """One client behind an ASGI server: what is delivered waits for the server's `send`, up to the high-water mark."""

    __slots__ = ("_close", "_pending", "_size", "_wake")

    codec = _CODEC

    def __init__(self, service: Service) -> None:
        super().__init__(service)
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
            self._queue(_line(message))

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
                for text in data.decode().rstrip("\n").split("\n"):
                    try:
                        async with asyncio.timeout(self._service.write_deadline):
                            await send({"type": "websocket.send", "text": text})
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

    def _queue(self, data: bytes) -> None:
        self._pending.append(data)
        self._size += len(data)
        self._wake.set()


async def websocket(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one WebSocket of the native protocol."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    await receive()
    offered = scope.get("subprotocols") or []
    if offered and PROTOCOL not in offered:
        await refuse(scope, send, 400, f"The subprotocol here is {PROTOCOL}")
        return
    if service.crowded:
        await refuse(scope, send, 503, "The server holds as many connections as it may")
        return
    await send({"type": "websocket.accept", "subprotocol": PROTOCOL if offered else None})
    connection = AsgiConnection(service)
    refusal: HeadwayError | None = None
    token: str | None = None
    try:
        token = brought_token(lambda name: headers.get(name, ""), service.origins)
    except OriginRefused as error:
        refusal = error
    pump = asyncio.create_task(connection.pump(send))
    connection.begin(token, refusal)
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


async def refuse(scope: Scope, send: Send, status: int, text: str) -> None:
    """Answer an upgrade that was not accepted, with a sentence where the server can send one."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        # Then a close is the server's way to answer with an HTTP error of its own.
        await send({"type": "websocket.close", "code": 1013 if status == 503 else 1002})
        return
    body = text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if status == 503:
        headers.append((b"retry-after", str(RETRY_AFTER).encode()))
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


async def _listen(connection: AsgiConnection, receive: Receive, max_message: int) -> bool:
    """Take messages until the client leaves (True) or says what ends the connection (False)."""
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return True
        text = event.get("text")
        if text is None:
            connection.finish()
            connection.hang_up(1003, "Send text")
            return False
        data = text.encode("utf-8", "surrogatepass")
        if len(data) > max_message:
            connection.finish()
            connection.hang_up(1009, "The message is too large")
            return False
        connection.receive(data)
