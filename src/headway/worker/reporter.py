"""The conflating outbox of one process: newest state wins, facts are kept until they are acknowledged. Pure.

It must not know a clock, a thread, a socket or chance: time is an argument, and whoever owns it calls from one
thread at a time. Memory is bounded (`Limits`): beyond it log lines go first, then the oldest ticks, and only then
facts, of which creations and endings are the last.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

import msgspec
from msgspec.structs import replace

from headway.model.report import (
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
from headway.worker.counts import Counts
from headway.worker.limits import Limits
from headway.worker.living import Living
from headway.worker.outbox import Outbox
from headway.worker.queues import Entry, Rank

__all__ = ["Flight", "Outcome", "Reporter"]

HELD_EVERY = 1.0
_PATIENCE = 2
_NOT_FOUND = 104
_ENDINGS = (Succeed, Fail, Cancel, Stopped)
_BARRIERS = (Create, Retry, *_ENDINGS)
_LASTING = (Create, Retry, *_ENDINGS)


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
        self._outbox = Outbox(self.limits, self.counts, self._settle)
        self._flight: list[Entry] = []
        self._living: dict[str, Living] = {}
        self._known = 0
        self._restate = False
        self._most = MAX_REPORTS

    def __len__(self) -> int:
        held = sum(len(living.held) for living in self._living.values())
        return len(self._outbox) + len(self._flight) + held

    @property
    def bytes(self) -> int:
        """The size of what waits, about, as JSON."""
        return self._outbox.queues.bytes

    def facts(self) -> list[Report]:
        """The facts that no server has acknowledged, in order."""
        held = [entry for living in self._living.values() for entry in living.held]
        entries = sorted([*self._flight, *self._outbox, *held], key=lambda entry: entry.at)
        return [entry.report for entry in entries if entry.rank >= Rank.FACT]

    def mark(self) -> int:
        """A place behind everything that was reported so far."""
        return self._outbox.queues.last_place()

    def has_passed(self, mark: int) -> bool:
        """Whether everything before a mark was dealt with."""
        first = self._outbox.queues.first_place()
        if (first is not None and first <= mark) or any(entry.at <= mark for entry in self._flight):
            return False
        return not any(entry.at <= mark for living in self._living.values() for entry in living.held)

    def report(self, report: Report, now: float) -> None:
        """Take in what a job says.

        Args:
            now: seconds.
        """
        self.counts.reported += len(report.lines) if isinstance(report, Log) else 1
        if isinstance(report, Notify):
            self._outbox.append(Rank.FACT, report, None)
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
            self._outbox.join(Rank.TICK, report, living)
        elif isinstance(report, Log):
            source = None if self.source is None else f"{self.source}-{living.number}"
            self._outbox.log(report, living, source)
        elif isinstance(report, Result):
            self._outbox.join(Rank.FACT, report, living)
        else:
            living.learn(report, now)
            if isinstance(report, _BARRIERS):
                self._outbox.seal(living)
            self._outbox.append(Rank.LASTING if isinstance(report, _LASTING) else Rank.FACT, report, living)

    def recover(self, reports: Iterable[Report]) -> None:
        """Take in facts that another process left behind; they are sent once and no task is kept alive by them."""
        for report in reports:
            rank = Rank.LASTING if isinstance(report, _LASTING) else Rank.FACT
            self._outbox.append(rank, report, None)

    def beats(self, now: float) -> None:
        """Add a sign of life for each running task that has said nothing for a while."""
        back: list[Entry] = []
        for living in list(self._living.values()):
            if now < self._due(living):
                continue
            living.said_at = now
            held, living.held = living.held, []
            back.extend(held)
            if living.stale:
                self._state_again(living)
            elif living.runs and not held and not self._outbox.has_tick(living.task):
                self._outbox.join(Rank.PASSING, living.stamp(Beat(living.task)), living)
        self._outbox.put_back(back, self._living_of)

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
        while not entries:
            taken = self._outbox.take(min(max_reports, self._most), self.limits.batch_bytes)
            if not taken:
                return None
            entries = [entry for entry in taken if not self._must_wait(entry)]
        self._flight = entries
        for entry in entries:
            spoken_of = self._living_of(entry)
            if spoken_of is not None:
                spoken_of.said_at = now
        return Flight(Batch([entry.report for entry in entries]), entries)

    def acknowledged(self, flight: Flight, answer: BatchAnswer, now: float) -> Outcome:
        """The server has answered: what it took is done with.

        Args:
            now: seconds.
        """
        self._flight = []
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
                refused_task = self._living_of(entry)
                if isinstance(entry.report, Create) and refused_task is not None:
                    refused_task.refused = True
        back = list(later)
        for task, entries in unknown.items():
            back += self._introduce(self._living[task], entries, now)
        self.counts.retried += len(back)
        self._outbox.put_back(back, self._living_of)
        states = {}
        for task, (state, attempt) in answer.tasks.items():
            living = self._living.get(task)
            if living is not None and (told := living.told(state, attempt)) is not None:
                states[task] = told
        return Outcome(states, refused, bool(later))

    def failed(self, flight: Flight) -> None:
        """Nobody answered: what was on its way goes back, newer state wins."""
        self._flight = []
        self._restate = True
        entries = [entry for entry in flight.entries if not isinstance(entry.report, Beat)]
        self.counts.retried += len(entries)
        self._outbox.put_back(entries, self._living_of)

    def refused(self, flight: Flight, refusal: Rejected) -> list[tuple[Report, Rejected]]:
        """The server would not take the batch as a whole: smaller ones follow until the culprit stands alone."""
        if len(flight.entries) > 1:
            self.failed(flight)
            self._most = len(flight.entries) // 2
            return []
        self._flight = []
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
            self._outbox.seal(oldest)
            self.counts.dropped += len(oldest.held)
            del self._living[oldest.task]
        self._known += 1
        living = self._living[task] = Living(task, now, self._known)
        return living

    def _settle(self, entry: Entry) -> None:
        living = self._living.get(entry.task or "")
        if living is not None and living.is_done_by(entry.report):
            del self._living[living.task]

    def _living_of(self, entry: Entry) -> Living | None:
        return None if entry.task is None else self._living.get(entry.task)

    def _must_wait(self, entry: Entry) -> bool:
        """Whether it stays behind others of its task, for which the server does not know the task yet."""
        living = self._living_of(entry)
        if living is None or not living.held:
            return False
        self.counts.dropped += living.hold([entry])
        return True

    def _may_wait(self, entry: Entry) -> bool:
        living = self._living_of(entry)
        entry.tries += 1
        return living is not None and not living.refused and entry.tries <= self.limits.tries

    def _introduce(self, living: Living, entries: list[Entry], now: float) -> list[Entry]:
        """The server does not know a task: tell it again, or wait until whoever creates the task has done so.

        Returns:
            what is to be sent again right now.
        """
        living.said_at = now
        creates = [entry for entry in entries if isinstance(entry.report, Create)]
        for entry in creates:
            if entry.tries > _PATIENCE:
                # Its parent is what is unknown; better an orphan than no task.
                entry.report = replace(entry.report, parent=None)
        if living.create is None or living.recreated or creates:
            self.counts.dropped += living.hold(entries)
            return []
        living.recreated = True
        self._state_again(living)
        self._outbox.prepend(Rank.LASTING, living.create, living)
        return [entry for entry in entries if living.needs(entry)]

    def _state_again(self, living: Living) -> None:
        """Say the newest full state, so that a server that lost ticks is right again."""
        living.stale = False
        if not living.over:
            self._outbox.replace_tick(living.full(), living)
