"""What an update costs the server: batches of ticks as bytes, decoded, applied, written and shown.

Processor time of the whole process, the store's writer thread included;
HTTP is not in it. Each figure is the best of several runs, because the machine's other work only ever adds.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from pathlib import Path

import msgspec
import uvloop

from headway.buses.memory import MemoryBus
from headway.errors import HeadwayError
from headway.hub.hub import Hub
from headway.hub.wanted import Wanted
from headway.model.grant import Ability, Grant
from headway.ports.link import Link
from headway.server.bodies import read_batch
from headway.stores.sqlite import SqliteStore
from headway.wire.codec import NativeCodec

__all__ = ["measure"]

TASKS = 1000

COLUMNS = ("what", "updates a second of CPU")
AIMS = {
    f"batches of {size}, {count} subscribers": "at least 50,000" for size in (100, 1000) for count in (0, 1)
}
_GRANT = Grant("ada", can=frozenset((Ability.READ, Ability.PUBLISH)))


def _plain(message: bytes, _cursor: str = "") -> bytes:
    return message


class _Counter(Link):
    """A client that reads everything at once."""

    codec = NativeCodec(_plain)
    full = False

    def __init__(self) -> None:
        self.received = 0

    def deliver(self, data: bytes) -> bool:
        self.received += len(data)
        return True

    def end(self, error: HeadwayError) -> None:
        raise error


def _bodies(size: int) -> list[bytes]:
    """One update of each task, for each of a hundred steps."""
    bodies = []
    for done in range(1, 101):
        reports = [
            {"type": "progress", "task": f"task-{n}", "done": done, "message": f"row {done}", "attempt": 1}
            for n in range(TASKS)
        ]
        bodies += [
            msgspec.json.encode({"reports": reports[start : start + size]}) for start in range(0, TASKS, size)
        ]
    return bodies


async def _run(size: int, subscribers: int, seconds: float) -> float:
    """Updates per second of processor time."""
    with tempfile.TemporaryDirectory(prefix="headway-benchmark-") as folder:
        hub = Hub(SqliteStore(Path(folder) / "headway.db"), MemoryBus())
        await hub.start()
        created = [
            {"type": "create", "task": f"task-{n}", "title": f"Task {n}", "total": 100, "start": True}
            for n in range(TASKS)
        ]
        batch, refused, _ = read_batch(msgspec.json.encode({"reports": created}))
        assert not refused
        await hub.ingest(_GRANT, batch)
        links = [_Counter() for _ in range(subscribers)]
        for link in links:
            hub.follower(link, _GRANT).subscribe(Wanted(1, b"1", channel=_GRANT.own_channel), print)
        updates = 0
        began, until = time.process_time(), time.perf_counter() + seconds
        for body in _bodies(size):
            batch, _, _ = read_batch(body)
            answer = await hub.ingest(_GRANT, batch)
            assert not answer.rejected
            updates += answer.accepted
            # As between requests: timers and the store get their turns.
            await asyncio.sleep(0)
            if time.perf_counter() > until:
                break
        await hub.stop()
        spent = time.process_time() - began
        assert all(link.received for link in links)
        return updates / spent


def measure(seconds: float = 2.0, runs: int = 3) -> dict[str, float]:
    """Updates per second of processor time, by batch size and subscribers, best of `runs`."""
    best: dict[str, float] = {}
    for _ in range(runs):
        for size, subscribers in itertools.product((100, 1000), (0, 1)):
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                rate = runner.run(_run(size, subscribers, seconds))
            name = f"batches of {size}, {subscribers} subscribers"
            best[name] = max(rate, best.get(name, 0.0))
    return best
