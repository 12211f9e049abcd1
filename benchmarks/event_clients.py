"""Many clients of Server-Sent Events in one process, as cheap as they come: they ask for a stream and count its events.

    python -m benchmarks.event_clients HOST PORT COUNT PATH

Speaks as `benchmarks.clients` does: `ready` when every client has its first event, then a line of JSON for each line.
"""

from __future__ import annotations

import resource
import sys

import uvloop

from benchmarks.clients import Client, Crowd, listen

_REQUEST = "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/event-stream\r\n\r\n"
_DATA = b"\ndata: "


class EventClient(Client):
    """Counts events without looking into them."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        crowd = self.crowd
        crowd.bytes += len(data)
        held = self.rest + data
        crowd.frames += held.count(_DATA)
        # One that is cut in two counts when its end comes.
        self.rest = held[-len(_DATA) + 1 :]
        if crowd.frames >= crowd.expected:
            crowd.ready.set()

    @staticmethod
    def request(host: str, port: int, path: str) -> bytes:
        """What it says first."""
        return _REQUEST.format(host=host, port=port, path=path).encode()


async def main(host: str, port: str, count: str, path: str) -> None:
    crowd = Crowd((host, int(port)), int(count), [], bare=False, stamp=False, path=path, expect=1)
    crowd.upgrade = EventClient.request(host, int(port), path)
    crowd.client = EventClient
    await crowd.connect()
    await listen(crowd)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(main(*sys.argv[1:]))
