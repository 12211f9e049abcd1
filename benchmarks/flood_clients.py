"""Many watchers of a flood in one process: each counts bytes, and times the changes of one task among all that come.

    python -m benchmarks.flood_clients HOST PORT COUNT TASKS HZ MESSAGE ...

Speaks as `benchmarks.clients` does. Staleness is that of every change, shown or not: how long it took until the client had a
state of the task that is as new. So what arrives quickly but seldom counts as it should.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from typing import cast

import uvloop

from benchmarks.clients import Client, Crowd, listen

_STAMP = b'"message":"@'
_RECORD = 600
"""Bytes of a record, at most."""


class Watcher(Client):
    """Comes as every client does; what it follows is read by another, which copies nothing."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.upgraded:
            self.transport.set_protocol(Reader(cast("Watchers", self.crowd)))  # type: ignore[attr-defined]


class Reader(asyncio.BufferedProtocol):
    """Reads everything, and looks at one task."""

    __slots__ = ("crowd", "name", "rest", "seen")

    buffer = bytearray(1 << 20)
    """Of all of them: each takes what it needs before another reads."""

    def __init__(self, crowd: Watchers) -> None:
        self.crowd = crowd
        self.name = b'"id":"01FLOOD%d"' % (crowd.born * crowd.tasks // crowd.count)
        self.rest = b""
        self.seen = 0
        crowd.born += 1

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        # A record may come in two pieces; one that is found twice says nothing new.
        self.buffer[: len(self.rest)] = self.rest
        return memoryview(self.buffer)[len(self.rest) :]

    def buffer_updated(self, nbytes: int) -> None:
        crowd, data, end = self.crowd, self.buffer, len(self.rest) + nbytes
        crowd.bytes += nbytes
        crowd.frames += 1
        if crowd.frames == crowd.expected:
            crowd.ready.set()
        now = time.time_ns()
        self.rest = bytes(data[max(0, end - _RECORD) : end])
        at = data.rfind(self.name, 0, end)
        start = data.find(_STAMP, at, min(end, at + _RECORD)) + len(_STAMP) if at >= 0 else 0
        close = data.find(b"@", start, end) if start >= len(_STAMP) else -1
        if close >= 0 and (stamp := int(data[start:close])) > self.seen:
            missed = round((stamp - self.seen) / crowd.period) if self.seen else 1
            # Those that were skipped were made at their time, and were not seen until now.
            crowd.delays += [(now - stamp + past * crowd.period) / 1e6 for past in range(min(missed, 1000))]
            self.seen = stamp

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.crowd.lost += 1


class Watchers(Crowd):
    """All of them.

    Attributes:
        period: nanoseconds between two changes of a task.
    """

    tasks = 0
    period = 0.0
    born = 0


async def main(host: str, port: str, count: str, tasks: str, hz: str, *messages: str) -> None:
    crowd = Watchers(
        (host, int(port)), int(count), list(messages), bare=False, stamp=False, path="/ws", expect=1
    )
    crowd.tasks, crowd.period = int(tasks), 1e9 / float(hz)
    crowd.client = Watcher
    await crowd.connect()
    await listen(crowd)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(main(*sys.argv[1:]))
