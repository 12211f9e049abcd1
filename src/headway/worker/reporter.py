"""The conflating outbox of one process: newest state wins, facts are kept until they are acknowledged. Pure.

It must not know a clock, a thread, a socket or chance: time is an argument, and whoever owns it calls from one
thread at a time. Memory is bounded (`Limits`): beyond it log lines go first, then the oldest ticks, and only then
facts, of which creations and endings are the last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from math import inf

import msgspec
from msgspec.structs import replace

from headway.model.report import (
    MAX_LOG_LINES,
    MAX_REPORTS,
    Batch,
    BatchAnswer,
    Beat,
    Cancel,
    Create,
    Fail,
    Log,
    Notify,
    Rejected,
    Report,
    Result,
    Retry,
    Stopped,
    Succeed,
    TickReport,
)
from headway.worker.conflate import combine
from headway.worker.counts import Counts
from headway.worker.limits import Limits
from headway.worker.living import Living
from headway.worker.queues import Entry, Key, Queues, Rank

__all__ = ["Flight", "Outcome", "Reporter"]

HELD_EVERY = 1.0
_PATIENCE = 2
_NOT_FOUND = 104
_ENDINGS = (Succeed, Fail, Cancel, Stopped)
_BARRIERS = (Create, Retry, *_ENDINGS)
_LASTING = (Create, Retry, *_ENDINGS)
_CONFLATED = (TickReport, Result)


class Flight(msgspec.Struct, frozen=True):
    """A batch on its way; hand it back to `acknowledged`, `failed` or `refused`."""

    batch: Batch
    entries: list[Entry]


class Outcome(msgspec.Struct, frozen=True):
    """What an answer means for this process.

    Attributes:
        states: state by task, for tasks that this process lives with; `superseded` when a later attempt runs.
        refused: reports that were given up, and why.
        again: the server asked for some of it to be sent later.
    """

    states: dict[str, str]
    refused: list[tuple[Report, Rejected]]
    again: bool


class Reporter:
    """Keeps what is to be sent. One batch is on its way at a time."""

    def __init__(self, limits: Limits | None = None, source: str | None = None) -> None:
        """Start empty.

        Args:
            limits: bounds; the defaults when None.
            source: names this process in log reports.
        """
        self.limits = limits or Limits()
        self.source = source
        self.counts = Counts()
        self._queues = Queues()
        self._flight: dict[int, Entry] = {}
        self._open: dict[Key, Entry] = {}
        self._living: dict[str, Living] = {}
        self._lines = 0
        self._known = 0
        self._restate = False
        self._most = MAX_REPORTS

    def __len__(self) -> int:
        held = sum(len(living.held) for living in self._living.values())
        return len(self._queues) + len(self._flight) + held

    @property
    def bytes(self) -> int:
        """The size of what waits, about, as JSON."""
        return self._queues.bytes

    def facts(self) -> list[Report]:
        """The facts that no server has acknowledged, in order."""
        entries = [*self._flight.values(), *self._queues]
        for living in self._living.values():
            entries.extend(living.held)
        return [
            entry.report for entry in sorted(entries, key=lambda entry: entry.at) if entry.rank >= Rank.FACT
        ]

    def report(self, report: Report, now: float) -> None:
        """Take in what a job says.

        Args:
            now: seconds.
        """
        self.counts.reported += len(report.lines) if isinstance(report, Log) else 1
        if isinstance(report, Notify):
            self._append(Rank.FACT, report, None)
            return
        living = self._living.get(report.task)
        if living is None:
            living = self._know(report.task, now)
        if not living.takes(report):
            self.counts.dropped += 1
            return
        report = living.stamp(report)
        if isinstance(report, TickReport):
            report, adjusted = living.advance(report)
            self.counts.adjusted += adjusted
            self._conflate(Rank.TICK, report, living)
        elif isinstance(report, Log):
            self._log(report, living)
        elif isinstance(report, Result):
            self._conflate(Rank.FACT, report, living)
        else:
            living.learn(report, now)
            if isinstance(report, _BARRIERS):
                self._seal(living)
            self._append(Rank.LASTING if isinstance(report, _LASTING) else Rank.FACT, report, living)

    def recover(self, reports: Iterable[Report]) -> None:
        """Take in facts that another process left behind; they are sent once and no task is kept alive by them."""
        for report in reports:
            rank = Rank.LASTING if isinstance(report, _LASTING) else Rank.FACT
            self._append(rank, report, None)

    def beats(self, now: float) -> None:
        """Add a sign of life for each running task that has said nothing for a while."""
        for living in list(self._living.values()):
            if now < self._due(living):
                continue
            living.said_at = now
            held, living.held = living.held, []
            self._put_back(held)
            if living.stale:
                self._state_again(living)
            elif living.runs and not held and (living.task, TickReport) not in self._open:
                self._conflate(Rank.PASSING, living.stamp(Beat(living.task)), living)

    def next_beat(self) -> float | None:
        """When `beats` has something to do, in seconds; None when no task is running."""
        due = min(map(self._due, self._living.values()), default=inf)
        return None if due == inf else due

    def take(self, max_reports: int, now: float) -> Flight | None:
        """The next batch, or None when nothing waits.

        Args:
            max_reports: at most so many reports.
            now: seconds.
        """
        if self._flight:
            raise RuntimeError("a batch is on its way already")
        if self._restate:
            self._restate = False
            for living in self._living.values():
                if living.runs:
                    self._state_again(living)
        entries: list[Entry] = []
        size = 0
        most = min(max_reports, self._most)
        for entry in self._queues:
            if len(entries) == most or (entries and size + entry.size > self.limits.batch_bytes):
                break
            entries.append(entry)
            size += entry.size
        if not entries:
            return None
        for entry in entries:
            self._queues.remove(entry)
            self._flight[entry.at] = entry
            if entry.key is not None and self._open.get(entry.key) is entry:
                del self._open[entry.key]
            if entry.lines is not None:
                self._lines -= len(entry.lines)
                entry.report = replace(entry.report, lines=tuple(entry.lines), seq=entry.first)
            if entry.task in self._living:
                self._living[entry.task].said_at = now
        return Flight(Batch([entry.report for entry in entries]), entries)

    def acknowledged(self, flight: Flight, answer: BatchAnswer, now: float) -> Outcome:
        """The server has answered: what it took is done with.

        Args:
            now: seconds.
        """
        self._flight.clear()
        self._most = MAX_REPORTS
        refusals = {refusal.index: refusal for refusal in answer.rejected}
        refused: list[tuple[Report, Rejected]] = []
        later: list[Entry] = []
        unknown: dict[str, list[Entry]] = {}
        for index, entry in enumerate(flight.entries):
            refusal = refusals.get(index)
            if refusal is None:
                self.counts.sent += 1
                self._settle(entry)
            elif refusal.retryable:
                later.append(entry)
            elif refusal.code == _NOT_FOUND and self._may_wait(entry):
                unknown.setdefault(entry.task or "", []).append(entry)
            else:
                self.counts.rejected += 1
                refused.append((entry.report, refusal))
                self._settle(entry)
                if isinstance(entry.report, Create) and entry.task in self._living:
                    self._living[entry.task].refused = True
        for task, entries in unknown.items():
            self._introduce(self._living[task], entries, now)
        self.counts.retried += len(later)
        self._put_back(later)
        states = {}
        for task, (state, attempt) in answer.tasks.items():
            living = self._living.get(task)
            if living is not None and (told := living.told(state, attempt)) is not None:
                states[task] = told
        return Outcome(states, refused, bool(later))

    def failed(self, flight: Flight) -> None:
        """Nobody answered: what was on its way goes back, newer state wins."""
        self._flight.clear()
        self._restate = True
        entries = [entry for entry in flight.entries if not isinstance(entry.report, Beat)]
        self.counts.retried += len(entries)
        self._put_back(entries)

    def refused(self, flight: Flight, refusal: Rejected) -> list[tuple[Report, Rejected]]:
        """The server would not take the batch as a whole: smaller ones follow until the culprit stands alone."""
        if len(flight.entries) > 1:
            self.failed(flight)
            self._most = len(flight.entries) // 2
            return []
        self._flight.clear()
        self.counts.rejected += 1
        for entry in flight.entries:
            self._settle(entry)
        return [(entry.report, refusal) for entry in flight.entries]

    def _due(self, living: Living) -> float:
        if living.held:
            return living.said_at + HELD_EVERY
        if not living.runs:
            return inf
        return living.said_at + (self.limits.paused_beat if living.state == "paused" else self.limits.beat)

    def _know(self, task: str, now: float) -> Living:
        if len(self._living) >= self.limits.tasks:
            idle = next((other for other in self._living.values() if not other.runs), None)
            oldest = idle or next(iter(self._living.values()))
            self._seal(oldest)
            self.counts.dropped += len(oldest.held)
            del self._living[oldest.task]
        self._known += 1
        living = self._living[task] = Living(task, now, self._known)
        return living

    def _append(self, rank: Rank, report: Report, living: Living | None, key: Key | None = None) -> Entry:
        epoch = 0 if living is None else living.epoch
        task = None if isinstance(report, Notify) else report.task
        entry = Entry(self._queues.place(), rank, report, _size(report), task, epoch, key)
        if key is not None:
            self._open[key] = entry
        self._queues.add(entry)
        self._shrink()
        return entry

    def _conflate(self, rank: Rank, report: Report, living: Living) -> None:
        """Let a report join the one of its type that waits already; it keeps its place, so nothing starves."""
        key = (living.task, type(report))
        entry = self._open.get(key)
        if entry is None:
            self._append(rank, report, living, key)
            return
        self.counts.merged += 1
        if isinstance(report, TickReport) and isinstance(entry.report, TickReport):
            report = combine(entry.report, report)
        entry.report = report
        self._queues.resize(entry, _size(report))
        self._shrink()

    def _log(self, report: Log, living: Living) -> None:
        key = (living.task, Log)
        for line in report.lines:
            entry = self._open.get(key)
            if entry is None or entry.lines is None or len(entry.lines) >= MAX_LOG_LINES:
                source = None if self.source is None else f"{self.source}-{living.number}"
                head = replace(report, lines=(), source=source, seq=0)
                entry = self._append(Rank.PASSING, head, living, key)
                if self._open.get(key) is not entry:
                    self.counts.dropped += 1
                    continue
                entry.lines = deque()
                entry.first = living.next_line
            entry.lines.append(line)
            living.next_line += 1
            self._lines += 1
            self._queues.resize(entry, entry.size + _line_size(line.text))
            self._shrink()

    def _shrink(self) -> None:
        limits = self.limits
        while self._lines > limits.lines and (entry := self._queues.oldest(Rank.PASSING)) is not None:
            self._drop(entry)
        while len(self._queues) > limits.entries or self._queues.bytes > limits.bytes > 0 < len(self._queues):
            self._drop(self._queues.least())

    def _drop(self, entry: Entry) -> None:
        if entry.lines is not None and len(entry.lines) > 1:
            # Half of a log report, oldest first: what is left has numbers that show the gap.
            for _ in range((len(entry.lines) + 1) // 2):
                line = entry.lines.popleft()
                entry.first += 1
                self._lines -= 1
                self.counts.dropped += 1
                self._queues.resize(entry, entry.size - _line_size(line.text))
            return
        self._queues.remove(entry)
        self._lines -= len(entry.lines or ())
        self.counts.dropped += 1
        self.counts.lost_facts += entry.rank >= Rank.FACT
        if entry.key is not None and self._open.get(entry.key) is entry:
            del self._open[entry.key]
        self._settle(entry)

    def _seal(self, living: Living) -> None:
        """Nothing that comes now may join what was said before."""
        living.epoch += 1
        for kind in (TickReport, Result, Log, Beat):
            self._open.pop((living.task, kind), None)

    def _settle(self, entry: Entry) -> None:
        living = self._living.get(entry.task or "")
        if living is not None and living.is_done_by(entry.report):
            del self._living[living.task]

    def _may_wait(self, entry: Entry) -> bool:
        living = self._living.get(entry.task or "")
        entry.tries += 1
        return living is not None and not living.refused and entry.tries <= self.limits.tries

    def _introduce(self, living: Living, entries: list[Entry], now: float) -> None:
        """The server does not know a task: tell it again, or wait until whoever creates the task has done so."""
        living.said_at = now
        keep = [
            entry
            for entry in entries
            if not isinstance(entry.report, Beat)
            and (living.over or not isinstance(entry.report, TickReport))
        ]
        self.counts.retried += len(keep)
        for entry in keep:
            if isinstance(entry.report, Create) and entry.tries > _PATIENCE:
                # Its parent is what is unknown; better an orphan than no task.
                entry.report = replace(entry.report, parent=None)
        living.stale = True
        if living.create is None or living.recreated or any(isinstance(e.report, Create) for e in keep):
            living.hold(keep)
            return
        living.recreated = True
        self._put_back(keep)
        self._state_again(living)
        place = self._queues.place_in_front()
        size = _size(living.create)
        self._queues.add_in_front(
            Entry(place, Rank.LASTING, living.create, size, living.task, living.epoch, None)
        )

    def _state_again(self, living: Living) -> None:
        """Put the newest full state where the task's open tick is, so that a server that lost ticks is right again."""
        living.stale = False
        if living.over:
            return
        key = (living.task, TickReport)
        report = living.full()
        entry = self._open.get(key)
        if entry is None:
            self._append(Rank.TICK, report, living, key)
        else:
            entry.report = report
            self._queues.resize(entry, _size(report))

    def _put_back(self, entries: list[Entry]) -> None:
        for entry in sorted(entries, key=lambda entry: entry.at, reverse=True):
            key = entry.key
            newer = None if key is None else self._open.get(key)
            living = self._living.get(entry.task or "")
            if newer is not None and isinstance(entry.report, _CONFLATED) and newer.epoch == entry.epoch:
                if isinstance(newer.report, TickReport) and isinstance(entry.report, TickReport):
                    newer.report = combine(entry.report, newer.report)
                    self._queues.resize(newer, _size(newer.report))
                self.counts.merged += 1
                continue
            self._queues.add_in_front(entry)
            self._lines += len(entry.lines or ())
            if newer is None and key is not None and living is not None and living.epoch == entry.epoch:
                self._open[key] = entry
        self._shrink()


def _size(report: Report) -> int:
    return len(msgspec.json.encode(report))


def _line_size(text: str) -> int:
    return len(text) + 40
