"""A WebSocket behind any ASGI server: what is sent waits for the server's `send`, up to the high-water mark."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from headway.errors import HeadwayError, SlowReader
from headway.transports.backpressure import HIGH_WATER
from headway.transports.service import Service

__all__ = ["AsgiSocket", "Carried", "MessageSocket", "Receive", "Scope", "Send", "refuse", "sized"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Item = TypeVar("Item")
_SIZE = 4


def sized(message: bytes) -> bytes:
    """A message as it stands in a batch, which can be taken apart again: ASGI wants one call for each message."""
    return len(message).to_bytes(_SIZE, "big") + message


class Carried(Protocol):
    """What goes over it: one client's conversation."""

    async def take(self, event: MutableMapping[str, Any]) -> bool:
        """A message came; False when it is such that the connection ends."""

    def drained(self) -> None:
        """It takes more again."""

    def end(self, error: HeadwayError) -> None:
        """The client has read nothing for too long."""

    def finish(self) -> None:
        """The client has gone. Idempotent."""


class AsgiSocket(ABC, Generic[Item]):
    """The carrier of one connection. Who inherits says what messages the items are that it is given to send."""

    __slots__ = ("_close", "_pending", "_service", "_size", "_wake")

    def __init__(self, service: Service) -> None:
        """Nothing is sent before `serve`."""
        self._service = service
        self._pending: list[tuple[Item, int]] = []
        self._size = 0
        self._wake = asyncio.Event()
        self._close: tuple[int, str] | None = None

    @abstractmethod
    def events(self, item: Item) -> Iterator[dict[str, Any]]:
        """What the server is to send."""

    @property
    def full(self) -> bool:
        """Whether as much waits as may."""
        return self._size > HIGH_WATER

    @property
    def closing(self) -> bool:
        """Whether it was hung up."""
        return self._close is not None

    def queue(self, item: Item, size: int) -> None:
        """Send an item of so many bytes, full or not."""
        self._pending.append((item, size))
        self._size += size
        self._wake.set()

    def hang_up(self, code: int, reason: str) -> None:
        """Close; what was sent before still goes out. Idempotent."""
        if self._close is None:
            self._close = (code, reason)
            self._wake.set()

    async def serve(self, carried: Carried, receive: Receive, send: Send) -> None:
        """Take and send messages until either side ends it; it was accepted."""
        pump = asyncio.create_task(self._pump(carried, send))
        listening = asyncio.create_task(_listen(carried, receive))
        try:
            await asyncio.wait((pump, listening), return_when=asyncio.FIRST_COMPLETED)
            if listening.done() and not pump.done() and not listening.result():
                # We hung up; what was said last still goes out.
                await asyncio.wait((pump,), timeout=self._service.write_deadline)
            if pump.done() and not (listening.done() and listening.result()):
                # A server may send the close only when nobody listens any more (granian).
                listening.cancel()
                await asyncio.wait((listening,))
                await self._say_the_end(send)
        finally:
            carried.finish()
            for task in (pump, listening):
                task.cancel()
            await asyncio.gather(pump, listening, return_exceptions=True)

    async def _say_the_end(self, send: Send) -> None:
        if self._close is not None:
            code, reason = self._close
            # A server that waits until there is room would wait for ever for a client that reads nothing.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._service.write_deadline):
                    await send({"type": "websocket.close", "code": code, "reason": reason[:120]})

    async def _pump(self, carried: Carried, send: Send) -> None:
        """Send what waits until it is hung up."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            pending, self._pending = self._pending, []
            for item, size in pending:
                for event in self.events(item):
                    try:
                        async with asyncio.timeout(self._service.write_deadline):
                            await send(event)
                    except TimeoutError:
                        carried.end(SlowReader())
                        return
                was_full = self.full
                self._size -= size
                if was_full and not self.full:
                    carried.drained()
            if self._close is not None and not self._pending:
                return


class MessageSocket(AsgiSocket[bytes]):
    """It is given `sized` messages."""

    __slots__ = ("_binary",)

    def __init__(self, service: Service, *, binary: bool = False) -> None:
        """Begin.

        Args:
            binary: the messages are no text.
        """
        super().__init__(service)
        self._binary = binary

    def deliver(self, data: bytes) -> bool:
        """Send messages; False, with nothing sent, while it is full."""
        if self.full:
            return False
        self.queue(data, len(data))
        return True

    def send(self, data: bytes) -> None:
        """Send messages, full or not."""
        self.queue(data, len(data))

    def events(self, item: bytes) -> Iterator[dict[str, Any]]:
        for message in _apart(item):
            if self._binary:
                yield {"type": "websocket.send", "bytes": message}
            else:
                yield {"type": "websocket.send", "text": message.decode()}


def _apart(data: bytes) -> Iterator[bytes]:
    """The messages of a batch."""
    at = 0
    while at < len(data):
        start = at + _SIZE
        at = start + int.from_bytes(data[at:start], "big")
        yield data[start:at]


async def _listen(carried: Carried, receive: Receive) -> bool:
    """Take messages until the client leaves (True) or says what ends the connection (False)."""
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return True
        if not await carried.take(event):
            return False


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
