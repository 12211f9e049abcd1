"""What waits to be sent, conflated and bounded. Pure.

It must not know batches, answers or the life of a task beyond its epoch: reports of one epoch may become one, and
beyond the limits log lines go first, then the oldest ticks, then facts, and creations and endings last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import msgspec
from msgspec.structs import replace

from headway.model.report import MAX_LOG_LINES, Beat, Log, Notify, Report, Result, TickReport
from headway.worker.conflate import combine
from headway.worker.counts import Counts
from headway.worker.limits import Limits
from headway.worker.living import Living
from headway.worker.queues import Entry, Key, Queues, Rank

__all__ = ["Outbox"]

_CONFLATED = (TickReport, Result)


class Outbox:
    """Entries in order; one open entry for each task and type that newer reports may join."""

    def __init__(self, limits: Limits, counts: Counts, settle: Callable[[Entry], None]) -> None:
        """Start empty.

        Args:
            limits: bounds.
            counts: where merges and drops are counted.
            settle: told of each entry that was dropped.
        """
        self.limits = limits
        self.queues = Queues()
        self.lines = 0
        self._counts = counts
        self._settle = settle
        self._open: dict[Key, Entry] = {}

    def __len__(self) -> int:
        return len(self.queues)

    def __iter__(self) -> Iterator[Entry]:
        """All entries, earliest first."""
        return iter(self.queues)

    def has_tick(self, task: str) -> bool:
        """Whether the task is going to be spoken of anyway."""
        return (task, TickReport) in self._open

    def append(self, rank: Rank, report: Report, living: Living | None, key: Key | None = None) -> Entry:
        """Put a report at the end.

        Args:
            rank: what it is worth.
            living: its task, when it is one of this process.
            key: under which newer reports may join it.
        """
        epoch = 0 if living is None else living.epoch
        task = None if isinstance(report, Notify) else report.task
        entry = Entry(self.queues.place(), rank, report, _size(report), task, epoch, key)
        if key is not None:
            self._open[key] = entry
        self.queues.add(entry)
        self._shrink()
        return entry

    def prepend(self, rank: Rank, report: Report, living: Living) -> None:
        """Put a report before everything else."""
        place = self.queues.place_in_front()
        self.queues.restore([Entry(place, rank, report, _size(report), living.task, living.epoch, None)])

    def join(self, rank: Rank, report: Report, living: Living) -> None:
        """Let a report join the one of its type that waits already; it keeps its place, so nothing starves."""
        key = (living.task, type(report))
        entry = self._open.get(key)
        if entry is None:
            self.append(rank, report, living, key)
            return
        self._counts.merged += 1
        if isinstance(report, TickReport) and isinstance(entry.report, TickReport):
            report = combine(entry.report, report)
        entry.report = report
        self.queues.resize(entry, _size(report))
        self._shrink()

    def replace_tick(self, tick: TickReport, living: Living) -> None:
        """Let a full state stand where the task's open tick does."""
        entry = self._open.get((living.task, TickReport))
        if entry is None:
            self.append(Rank.TICK, tick, living, (living.task, TickReport))
        else:
            entry.report = tick
            self.queues.resize(entry, _size(tick))

    def log(self, report: Log, living: Living, source: str | None) -> None:
        """Collect lines; `source` names this stretch of the task's log."""
        key = (living.task, Log)
        for line in report.lines:
            entry = self._open.get(key)
            if entry is None or entry.lines is None or len(entry.lines) >= MAX_LOG_LINES:
                head = replace(report, lines=(), source=source, seq=0)
                entry = self.append(Rank.PASSING, head, living, key)
                if self._open.get(key) is not entry:
                    self._counts.dropped += 1
                    continue
                entry.lines = deque()
                entry.first = living.next_line
            entry.lines.append(line)
            living.next_line += 1
            self.lines += 1
            self.queues.resize(entry, entry.size + _line_size(line.text))
            self._shrink()

    def take(self, most: int, most_bytes: int) -> list[Entry]:
        """Take entries out from the front; nothing joins them any more."""
        entries: list[Entry] = []
        size = 0
        for entry in self.queues:
            if len(entries) == most or (entries and size + entry.size > most_bytes):
                break
            entries.append(entry)
            size += entry.size
        for entry in entries:
            self.queues.remove(entry)
            self._close(entry)
            if entry.lines is not None:
                self.lines -= len(entry.lines)
                entry.report = replace(entry.report, lines=tuple(entry.lines), seq=entry.first)
        return entries

    def put_back(self, entries: list[Entry], living_of: Callable[[Entry], Living | None]) -> None:
        """Put entries back that were taken; where newer state waits, it wins."""
        back: list[Entry] = []
        for entry in sorted(entries, key=lambda entry: entry.at, reverse=True):
            key = entry.key
            newer = None if key is None else self._open.get(key)
            living = living_of(entry)
            if newer is not None and isinstance(entry.report, _CONFLATED) and newer.epoch == entry.epoch:
                if isinstance(newer.report, TickReport) and isinstance(entry.report, TickReport):
                    newer.report = combine(entry.report, newer.report)
                    self.queues.resize(newer, _size(newer.report))
                self._counts.merged += 1
                continue
            back.append(entry)
            self.lines += len(entry.lines or ())
            if newer is None and key is not None and living is not None and living.epoch == entry.epoch:
                self._open[key] = entry
        self.queues.restore(back)
        self._shrink()

    def seal(self, living: Living) -> None:
        """Nothing that comes now may join what was said before."""
        living.epoch += 1
        for kind in (TickReport, Result, Log, Beat):
            self._open.pop((living.task, kind), None)

    def _shrink(self) -> None:
        limits = self.limits
        while self.lines > limits.lines and (entry := self.queues.oldest(Rank.PASSING)) is not None:
            self._drop(entry)
        queues = self.queues
        while len(queues) and (len(queues) > limits.entries or queues.bytes > limits.bytes):
            self._drop(self.queues.least())

    def _drop(self, entry: Entry) -> None:
        if entry.lines is not None and len(entry.lines) > 1:
            # Half of a log report, oldest first: what is left has numbers that show the gap.
            for _ in range((len(entry.lines) + 1) // 2):
                line = entry.lines.popleft()
                entry.first += 1
                self.lines -= 1
                self._counts.dropped += 1
                self.queues.resize(entry, entry.size - _line_size(line.text))
            return
        self.queues.remove(entry)
        self.lines -= len(entry.lines or ())
        self._counts.dropped += 1
        self._counts.lost_facts += entry.rank >= Rank.FACT
        self._close(entry)
        self._settle(entry)

    def _close(self, entry: Entry) -> None:
        if entry.key is not None and self._open.get(entry.key) is entry:
            del self._open[entry.key]


def _size(report: Report) -> int:
    return len(msgspec.json.encode(report))


def _line_size(text: str) -> int:
    return len(text) + 40
