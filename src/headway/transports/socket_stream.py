"""A stream of events on a socket of its own: the fast path, where the HTTP protocol gives its socket away.

The head of the answer is the last that HTTP does. What follows are chunks, framed once for all who get them, so that
a delivery is one `transport.write` and a stream is one small object instead of a task that waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from headway.model.grant import Grant
from headway.transports.backpressure import HIGH_WATER, Backpressure
from headway.transports.http import PromptHttp
from headway.transports.service import Service
from headway.transports.stream import Stream
from headway.transports.wants import Asked
from headway.transports.words import Words
from headway.wire.streams import LAST_CHUNK, chunk

__all__ = ["SocketStream"]

_CLOSING_SECONDS = 2.0


class _Held:
    """Stands for the transport until the answer has begun: a refusal would be an answer of another kind."""

    def __init__(self, stream: SocketStream) -> None:
        self._stream = stream
        self.data: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        self.data.append(data)
        self._size += len(data)
        if self._size > HIGH_WATER:
            self._stream.fill()

    def close(self) -> None:
        """There is nothing to close; who gives the socket away looks whether the stream has ended."""

    abort = close


class SocketStream(Stream, Backpressure):
    """One client's stream. Kept for as long as it is connected, so it is small."""

    __slots__ = ("_checking", "_connections", "_full", "_http", "_hung_up", "_transport", "_waiting")

    def __init__(self, service: Service, words: Words, asked: Asked, grant: Grant, http: PromptHttp) -> None:
        """Wait for the socket.

        Args:
            http: has the socket, and gives it away when the answer begins.
        """
        self._http: PromptHttp | None = http
        self._connections: set[Any] = http.connections
        self._full = False
        self._hung_up = False
        self._checking = False
        self._waiting = 0
        self._transport = cast("asyncio.Transport", _Held(self))
        super().__init__(service, words, words.chunked, asked, grant)

    def take_socket(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Begin the answer."""
        http, self._http = self._http, None
        if http is not None:
            http.give_away(self, headers)
            self.begin()

    def deliver(self, data: bytes) -> bool:
        if self._full:
            return False
        self._transport.write(data)
        if self._until:
            self.delivered()
        return True

    def write(self, events: bytes) -> None:
        if not self._hung_up:
            self._transport.write(chunk(events))

    def hang_up(self) -> None:
        if self._hung_up:
            return
        self._hung_up = True
        self._transport.write(LAST_CHUNK)
        self._close()

    def _close(self) -> None:
        self._transport.close()
        # What waits still goes out; who does not read it is not waited for.
        service = self._service
        patience = _CLOSING_SECONDS if service.draining else service.write_deadline
        service.hub.wheel.schedule(patience, self._transport.abort)

    def fill(self) -> None:
        """Take no more for now."""
        self._full = True

    def drained(self) -> None:
        if self.follower is not None:
            self.follower.drained()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The head of the answer was sent."""
        held = cast("_Held", self._transport)
        self.watch(cast("asyncio.Transport", transport))
        self._connections.add(self)
        self._full = False
        self._transport.write(b"".join(held.data))
        if self._hung_up:
            self._close()
        elif not self._full:
            self.drained()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended, it has
        self._hung_up = True
        self._connections.discard(self)
        self.finish()

    def shutdown(self) -> None:
        """Uvicorn is about to stop; the drain has said goodbye before."""
        self.hang_up()
