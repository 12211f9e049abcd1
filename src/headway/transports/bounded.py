"""Uvicorn's WebSocket protocol with bounds: what applications beside us and the contracts are spoken over."""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

__all__ = ["BoundedWebSocket"]

_HIGH_WATER = 65_536
_MOST_FRAGMENTS = 10_000


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """It answers no pings of a client that reads no answers, and takes no message of endlessly many pieces.

    By itself it keeps the pongs and the pieces, however many they are: what is bounded is how large a message is, and a
    piece may be empty.
    """

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
