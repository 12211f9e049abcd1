"""A stream of events behind any ASGI server: what is delivered waits for the server's `send`, up to the high-water mark."""

from __future__ import annotations

import asyncio

from headway.errors import SlowReader
from headway.model.grant import Grant
from headway.transports.asgi import Receive, Send
from headway.transports.backpressure import HIGH_WATER
from headway.transports.service import Service
from headway.transports.stream import Stream
from headway.transports.wants import Asked
from headway.transports.words import Words

__all__ = ["AsgiStream"]


class AsgiStream(Stream):
    """One client's answer in the making."""

    __slots__ = ("_done", "_pending", "_size", "_wake")

    def __init__(self, service: Service, words: Words, asked: Asked, grant: Grant) -> None:
        super().__init__(service, words, words.plain, asked, grant)
        self._pending: list[bytes] = []
        self._size = 0
        self._wake = asyncio.Event()
        self._done = False

    @property
    def full(self) -> bool:
        return self._size > HIGH_WATER

    def deliver(self, data: bytes) -> bool:
        if self.full:
            return False
        self.write(data)
        self.delivered()
        return True

    def write(self, events: bytes) -> None:
        if not self._done:
            self._pending.append(events)
            self._size += len(events)
            self._wake.set()

    def hang_up(self) -> None:
        self._done = True
        self._wake.set()

    async def pump(self, receive: Receive, send: Send) -> None:
        """Send what is delivered, until the stream has ended or the client has gone."""
        gone = asyncio.create_task(self._gone(receive))
        last = False
        try:
            # It can end while something is sent; then the answer's end is still to be said.
            while not last:
                await self._wake.wait()
                self._wake.clear()
                last = self._done
                data = b"".join(self._pending)
                self._pending.clear()
                self._size = 0
                try:
                    async with asyncio.timeout(self._service.write_deadline):
                        await send({"type": "http.response.body", "body": data, "more_body": not last})
                except TimeoutError:
                    self.end(SlowReader())
                    return
                if self.follower is not None:
                    self.follower.drained()
        finally:
            gone.cancel()

    async def _gone(self, receive: Receive) -> None:
        """Notice that the client has left."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.done()
