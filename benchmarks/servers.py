"""The servers that are measured: Headway as `headway serve` runs it, and the bare write that it is held against.

    python -m benchmarks.servers headway|bare DATA [LOG]

With `LOG`, a file, everything is logged there that `headway serve` logs unless told otherwise; else nothing is.
Prints `PORT TOKEN`, then answers lines on standard input with a line of JSON:
`usage` (CPU seconds, resident KiB, connections), `collect` (the same after a collection, so that memory says something),
`send COUNT HZ BYTES` (changes one task so often, to everybody),
`mark TASKS TEXT` (lets so many tasks say something) and `flood TASKS HZ SECONDS` (ticks that many tasks, each so often).
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import resource
import struct
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

import msgspec
import uvloop

from headway.model.grant import Ability, Grant
from headway.model.report import Batch, Create, TickReport
from headway.model.task import Task
from headway.server.app import Headway
from headway.server.logs import set_up_logs
from headway.server.run import bind, raise_descriptor_limit, run
from headway.server.settings import load_settings

ADMIN = Grant("bench", can=frozenset(Ability))
TASK = "01BENCH"
BATCH = 100
ENVELOPE = 62
"""What `change` adds to a record, about."""


def usage(connections: int, asked: str = "") -> dict[str, float]:
    """CPU seconds of this process so far, its resident memory in KiB, and how many are connected; `collect` collects first."""
    if asked == "collect":
        gc.collect()
    used = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "at": time.monotonic(),
        "cpu": used.ru_utime + used.ru_stime,
        "user": used.ru_utime,
        "rss_kib": pages * os.sysconf("SC_PAGE_SIZE") / 1024,
        "connections": connections,
    }


async def paced(count: int, hz: float, step: object) -> None:
    """Call `step(index)` so often; waits between calls, never catches up in a burst."""
    for index in range(count):
        await step(index)  # type: ignore[operator]
        await asyncio.sleep(1 / hz)


def log_to(path: str) -> None:
    """Log as `headway serve` does when its standard error goes to a file."""
    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), sys.stderr.fileno())
    set_up_logs("info", "json")


def serve_headway(data: str) -> None:
    """The real server, and a producer in it that reports through the hub, as a REST call would."""
    settings = load_settings(port=0, data=data, heartbeat=300, log_level="warning")
    hw = Headway(settings)

    def listening(hw: Headway, url: str) -> None:
        token = hw.tokens.make("bench", can=frozenset(Ability))
        print(url.rpartition(":")[2], token, flush=True)
        loop = asyncio.get_running_loop()
        threading.Thread(target=commands, args=(loop, hw), daemon=True).start()

    def commands(loop: asyncio.AbstractEventLoop, hw: Headway) -> None:
        for line in sys.stdin:
            asyncio.run_coroutine_threadsafe(command(hw, line.split()), loop).result()

    async def command(hw: Headway, words: list[str]) -> None:
        more: dict[str, float] = {"waiting": 0}
        if words[0] == "send":
            await send(hw, int(words[1]), float(words[2]), int(words[3]))
        elif words[0] == "mark":
            await mark(hw, int(words[1]), words[2])
        elif words[0] == "flood":
            more = await flood(hw, int(words[1]), float(words[2]), float(words[3]))
        print(json.dumps(usage(len(hw.service.conversations), words[0]) | more), flush=True)

    run(hw, bind(settings), listening)


async def send(hw: Headway, count: int, hz: float, size: int) -> None:
    """Change one task so often; its message is filled up to the size that the frame is to have."""
    record = hw.hub.records.at_hand(TASK)
    if record is None:
        # Only once: what everybody is sent beside what was asked for would count too.
        await hw.hub.report(ADMIN, Create(task=TASK, title="Bench", total=10**9, start=True))
        record, _ = await hw.hub.report(ADMIN, TickReport(task=TASK, message=""))
    assert isinstance(record, Task)
    said = len(record.progress.message or "")
    filler = "x" * max(0, size + said - len(msgspec.json.encode(record)) - ENVELOPE)

    async def step(index: int) -> None:
        await hw.hub.report(
            ADMIN, TickReport(task=TASK, done=record.progress.done + index + 1, message=filler)
        )

    await paced(count, hz, step)


async def mark(hw: Headway, tasks: int, text: str) -> None:
    """Let so many tasks say this."""
    names = [f"01MARK{index}" for index in range(tasks)]
    creates = [Create(task=name, title=name, total=100, start=True) for name in names]
    await hw.hub.ingest(ADMIN, Batch([*creates, *(TickReport(task=name, message=text) for name in names)]))


async def flood(hw: Headway, tasks: int, hz: float, seconds: float) -> dict[str, float]:
    """Tick many tasks, each so often, in batches of a hundred as the bytes that workers post.

    Returns:
        `waiting`, the most bytes that waited for one client, and `updates`, how many were taken.
    """
    names = [f"01FLOOD{index}" for index in range(tasks)]
    await hw.hub.ingest(
        ADMIN, Batch([Create(task=name, title=name, total=10**9, start=True) for name in names])
    )
    base = int(time.time() * 1000) % 10**8
    groups = [names[at : at + BATCH] for at in range(0, tasks, BATCH)]
    most, updates = 0, 0
    loop = asyncio.get_running_loop()
    began = loop.time()
    for index in itertools.count():
        if loop.time() - began >= seconds:
            break
        for group in groups:
            message = f"@{time.time_ns()}@"
            reports = [TickReport(task=name, done=base + index, message=message) for name in group]
            body = msgspec.json.encode(Batch(list(reports)))
            await hw.hub.ingest(ADMIN, msgspec.json.decode(body, type=Batch))
            updates += len(group)
            await asyncio.sleep(0)
        most = max(most, max(map(waiting_for, hw.service.conversations), default=0))
        await asyncio.sleep(max(0.0, began + (index + 1) / hz - loop.time()))
    return {"waiting": most, "updates": updates}


def waiting_for(conversation: object) -> int:
    return conversation._transport.get_write_buffer_size()  # type: ignore[attr-defined, no-any-return]


class BareConnection(asyncio.Protocol):
    """Somebody to write to, and nothing else."""

    __slots__ = ("transport",)
    connected: ClassVar[set[BareConnection]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.connected.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.connected.discard(self)


async def serve_bare() -> None:
    """`transport.write` of one ready frame to everybody, on the same loop: the least that it can cost."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(BareConnection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], "-", flush=True)
    done = asyncio.Event()

    def commands() -> None:
        for line in sys.stdin:
            asyncio.run_coroutine_threadsafe(command(line.split()), loop).result()
        loop.call_soon_threadsafe(done.set)

    async def command(words: list[str]) -> None:
        if words[0] == "send":
            count, hz, size = int(words[1]), float(words[2]), int(words[3])
            frame = struct.pack("!BBH", 0x81, 126, size) + b"x" * size

            async def step(_index: int) -> None:
                for connection in BareConnection.connected:
                    connection.transport.write(frame)  # type: ignore[attr-defined]

            await paced(count, hz, step)
        print(json.dumps(usage(len(BareConnection.connected), words[0])), flush=True)

    threading.Thread(target=commands, daemon=True).start()
    await done.wait()


if __name__ == "__main__":
    raise_descriptor_limit()
    if sys.argv[1] == "bare":
        uvloop.run(serve_bare())
    else:
        for log in sys.argv[3:]:
            log_to(log)
        serve_headway(sys.argv[2])
