"""Uvicorn's WebSocket protocol with bounds: what applications beside us and the contracts are spoken over."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

__all__ = ["BoundedWebSocket"]

_HIGH_WATER = 65_536
_MOST_FRAGMENTS = 10_000
_LAST_SECONDS = 12.0
"""Within which a client reads some of what was said last; a little longer than it has to answer a close."""


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """It answers no pings of a client that reads no answers, takes no message of endlessly many pieces, and has an end.

    By itself it keeps the pongs and the pieces, however many they are: what is bounded is how large a message is, and a
    piece may be empty. And it keeps the socket of a client that reads nothing, for as long as the client likes.
    """

    _last: asyncio.TimerHandle | None = None
    _waiting = 0

    def handle_ping(self) -> None:
        if self.transport.get_write_buffer_size() > _HIGH_WATER:
            # RFC 6455 §5.5.3 lets us answer the newest one only.
            self.conn.data_to_send()
            return
        super().handle_ping()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= _MOST_FRAGMENTS:
            self.transport.abort()
            return
        super().handle_cont(event)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._expect_the_end()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self._expect_the_end()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._last is not None:
            self._last.cancel()
            self._last = None
        super().connection_lost(exc)

    def _expect_the_end(self) -> None:
        """Nothing more is to come."""
        if self._last is None and not self.disconnected:
            self._waiting = self.transport.get_write_buffer_size()
            self._last = self.loop.call_later(_LAST_SECONDS, self._give_up)

    def _give_up(self) -> None:
        """Do not wait for a client that has read nothing since it was last looked at."""
        self._last = None
        if self.transport.get_write_buffer_size() < self._waiting:
            self._expect_the_end()
        else:
            self.transport.abort()
