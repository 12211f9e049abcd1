"""Many watchers of a flood in one process: each counts bytes, and times the changes of one task among all that come.

    python -m benchmarks.flood_clients HOST PORT COUNT TASKS HZ MESSAGE ...

Speaks as `benchmarks.clients` does. Staleness is that of every change, shown or not: how long it took until the client had a
state of the task that is as new. So what arrives quickly but seldom counts as it should.
"""

from __future__ import annotations

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
    """Reads everything, and looks at one task."""

    __slots__ = ("name", "seen")

    def __init__(self, crowd: Crowd) -> None:
        super().__init__(crowd)
        watchers = cast("Watchers", crowd)
        self.name = b'"id":"01FLOOD%d"' % (watchers.born * watchers.tasks // crowd.count)
        self.seen = 0
        watchers.born += 1

    def data_received(self, data: bytes) -> None:
        if not self.upgraded:
            super().data_received(data)
            return
        crowd = cast("Watchers", self.crowd)
        crowd.bytes += len(data)
        crowd.frames += 1
        if crowd.frames == crowd.expected:
            crowd.ready.set()
        now = time.time_ns()
        # A record may come in two pieces; one that is found twice says nothing new.
        data = self.rest + data
        self.rest = data[-_RECORD:]
        at = data.rfind(self.name)
        start = data.find(_STAMP, at, at + _RECORD) + len(_STAMP) if at >= 0 else 0
        end = data.find(b"@", start) if start >= len(_STAMP) else -1
        if end >= 0 and (stamp := int(data[start:end])) > self.seen:
            missed = round((stamp - self.seen) / crowd.period) if self.seen else 1
            # Those that were skipped were made at their time, and were not seen until now.
            crowd.delays += [(now - stamp + past * crowd.period) / 1e6 for past in range(min(missed, 1000))]
            self.seen = stamp


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
