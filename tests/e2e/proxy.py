"""A proxy of the kind that people sit behind: it knows no WebSockets, or holds streams back until they end."""

from __future__ import annotations

import contextlib
import socket

from tests.e2e.network import Network

__all__ = ["Proxy"]

_REFUSAL = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy(Network):
    """Carries HTTP to a port of this machine.

    Attributes:
        sockets: whether WebSockets get through.
        streams: whether streams of events are passed on as they come.
    """

    def __init__(self, port: int, *, sockets: bool = True, streams: bool = True) -> None:
        self.sockets = sockets
        self.streams = streams
        self._held: set[socket.socket] = set()
        super().__init__(port)

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            # Requests are small: each comes in one piece.
            while data := source.recv(65_536):
                if data.startswith(b"GET /ws ") and not self.sockets:
                    source.sendall(_REFUSAL)
                    break
                if data.startswith(b"POST /events ") and not self.streams:
                    self._held.add(sink)
                if source not in self._held:
                    sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open.discard(source)
        source.close()
