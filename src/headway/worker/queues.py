"""What waits to be sent, in order, by how much it would be missed. Pure.

It must not know what a report means; the reporter says what it is worth. Entries keep their place when they come
back from a failed delivery, because places only grow and what was taken was taken from the front.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from collections.abc import Iterator
from enum import IntEnum
from itertools import islice
from typing import Any

from headway.model.report import LogLine, Report

__all__ = ["Entry", "Key", "Queues", "Rank"]

Key = tuple[str, type[Any]]


class Rank(IntEnum):
    """How much a report would be missed; the lowest are dropped first."""

    PASSING = 0
    """Log lines and heartbeats."""
    TICK = 1
    FACT = 2
    LASTING = 3
    """That a task exists, and how it ended."""


class Entry:
    """One report that waits or is on its way.

    Attributes:
        at: its place; smaller is earlier.
        key: under which a newer report of the same task and type may join it, or None.
        lines: log lines that are still being collected; the report is written when it is taken.
        first: number of the first of them.
        epoch: the stretch of its task's life it belongs to; only reports of one stretch may be combined.
        tries: how often the server did not know its task.
    """

    __slots__ = ("at", "epoch", "first", "key", "lines", "rank", "report", "size", "task", "tries")

    def __init__(
        self, at: int, rank: Rank, report: Report, size: int, task: str | None, epoch: int, key: Key | None
    ) -> None:
        self.at = at
        self.rank = rank
        self.report = report
        self.size = size
        self.task = task
        self.epoch = epoch
        self.key = key
        self.lines: deque[LogLine] | None = None
        self.first = 0
        self.tries = 0


class Queues:
    """Entries by rank, each rank in order of place."""

    def __init__(self) -> None:
        self._ranks: tuple[OrderedDict[int, Entry], ...] = tuple(OrderedDict() for _ in Rank)
        self._last = 0
        self._first = 0
        self.bytes = 0

    def __len__(self) -> int:
        return sum(map(len, self._ranks))

    def __iter__(self) -> Iterator[Entry]:
        """All entries, earliest first."""
        for _, entry in heapq.merge(*(rank.items() for rank in self._ranks)):
            yield entry

    def place(self) -> int:
        """The next place at the end."""
        self._last += 1
        return self._last

    def place_in_front(self) -> int:
        """A place before everything else."""
        self._first -= 1
        return self._first

    def add(self, entry: Entry) -> None:
        """Put an entry at the end of its rank."""
        self._ranks[entry.rank][entry.at] = entry
        self.bytes += entry.size

    def restore(self, entries: list[Entry]) -> None:
        """Put entries back at their places, which are before the others as a rule."""
        for rank, queue in zip(Rank, self._ranks, strict=True):
            back = sorted((entry for entry in entries if entry.rank is rank), key=lambda entry: entry.at)
            if not back:
                continue
            in_order = not queue or back[-1].at < next(iter(queue))
            for entry in reversed(back):
                queue[entry.at] = entry
                queue.move_to_end(entry.at, last=False)
                self.bytes += entry.size
            if not in_order:
                for at in sorted(queue):
                    queue.move_to_end(at)

    def first_place(self) -> int | None:
        """The place of the earliest entry, or None when there is none."""
        return min((at for queue in self._ranks for at in islice(queue, 1)), default=None)

    def last_place(self) -> int:
        """The place that was given out last."""
        return self._last

    def remove(self, entry: Entry) -> bool:
        """Take an entry out; False when it is not here."""
        if self._ranks[entry.rank].pop(entry.at, None) is None:
            return False
        self.bytes -= entry.size
        return True

    def resize(self, entry: Entry, size: int) -> None:
        """Take note that an entry that waits here has another size."""
        self.bytes += size - entry.size
        entry.size = size

    def oldest(self, rank: Rank) -> Entry | None:
        """The earliest entry of one rank."""
        for entry in self._ranks[rank].values():
            return entry
        return None

    def least(self) -> Entry:
        """The entry that would be missed least: the oldest of the lowest rank."""
        for rank in self._ranks:
            for entry in rank.values():
                return entry
        raise LookupError
