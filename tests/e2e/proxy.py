"""A proxy of the kind that people sit behind: it knows no WebSockets, or holds streams back until they end."""

from __future__ import annotations

from tests.network import End, Network, Way

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
        super().__init__(port)

    def way(self) -> Way:
        return _Carried(self)


class _Carried(Way):
    """One connection, of which this proxy reads the requests. They are small: each comes in one piece."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(proxy)
        self._proxy = proxy
        self._held = False

    def take(self, data: bytes, towards: End) -> None:
        if towards is self.near:
            if not self._held:
                self.give(data, towards)
        elif data.startswith(b"GET /ws ") and not self._proxy.sockets:
            self.near.write(_REFUSAL)
            self.end()
        else:
            if data.startswith(b"POST /events ") and not self._proxy.streams:
                self._held = True
            self.give(data, towards)
