"""What the reporter remembers of one task: what exists, what was said so far, and what the server made of it. Pure.

It must not know queues or batches.
"""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import replace

from headway.errors import HeadwayError
from headway.model.progress import START, StepPlan, merge
from headway.model.report import (
    Beat,
    Cancel,
    Create,
    Fail,
    Notify,
    Report,
    Resume,
    Retry,
    Start,
    Stopped,
    Succeed,
    TickReport,
)
from headway.worker.conflate import combine, fit
from headway.worker.queues import Entry

__all__ = ["SUPERSEDED", "Living"]

SUPERSEDED = "superseded"
"""A later attempt of the task runs elsewhere."""

_MOST_HELD = 100
_SENT_WHEN_OVER = (Stopped, Retry, Create, Start)

R = TypeVar("R", bound=Report)


class Living:
    """One task as this process knows it.

    Attributes:
        create: how it was created, when that was here.
        so_far: everything said about progress in this attempt, combined.
        plan: its steps.
        shown: what a server shows that was told everything.
        runs: it has begun here and has not ended, so it wants signs of life.
        over: it has ended here.
        refused: the server would not have it; nothing more is said about it.
        recreated: it was created again because the server did not know it.
        epoch: counts endings and attempts.
        said_at: when it was last spoken of, in seconds.
        held: reports that wait until the server knows the task.
        stale: the server does not have the newest tick.
        number: tells this memory from an earlier one of the same task, whose log lines had numbers of their own.
    """

    __slots__ = (
        "attempt",
        "create",
        "epoch",
        "held",
        "next_line",
        "number",
        "over",
        "plan",
        "recreated",
        "refused",
        "runs",
        "said_at",
        "shown",
        "so_far",
        "stale",
        "state",
        "task",
    )  # fmt: skip

    def __init__(self, task: str, now: float, number: int) -> None:
        self.task = task
        self.number = number
        self.create: Create | None = None
        self.so_far = TickReport(task=task)
        self.plan: tuple[StepPlan, ...] = ()
        self.shown = START
        self.attempt: int | None = None
        self.state = ""
        self.runs = self.over = self.refused = self.recreated = self.stale = False
        self.epoch = 0
        self.said_at = now
        self.next_line = 0
        self.held: list[Entry] = []

    def takes(self, report: Report) -> bool:
        """Whether there is any use in saying this about the task now."""
        if self.refused and not isinstance(report, Create):
            return False
        return not self.over or isinstance(report, _SENT_WHEN_OVER)

    def stamp(self, report: R) -> R:
        """The report with the attempt that this process works on, so that it cannot speak for a later one."""
        if self.attempt is None or isinstance(report, Create | Notify) or report.attempt is not None:
            return report
        return replace(report, attempt=self.attempt)

    def advance(self, tick: TickReport) -> tuple[TickReport, bool]:
        """Fit a tick to what was said before, and remember it."""
        order = tuple(step.name for step in self.plan)
        tick, adjusted = fit(self.so_far, tick, order, self.shown.percent)
        self.so_far = combine(self.so_far, tick)
        try:
            # What a server makes of it, so that a percent of the job's own never falls below one from its steps.
            self.shown, self.plan = merge(self.shown, tick, self.plan, 0, 0)
        except HeadwayError:
            adjusted = True
        return tick, adjusted

    def full(self) -> TickReport:
        """Everything said so far, as one tick that a server takes wherever it stands."""
        full = self.so_far
        if full.percent is not None and self.shown.percent is not None and full.percent < self.shown.percent:
            full = replace(full, percent=None)
        return self.stamp(full)

    def learn(self, report: Report, now: float) -> None:
        """Take note of a fact."""
        if isinstance(report, Create):
            self.create = report
            self.so_far = TickReport(task=self.task, total=report.total, unit=report.unit)
            self._begin(report)
            self.over = self.refused = self.recreated = False
            self.runs = report.start
            self.said_at = now
        elif isinstance(report, Start):
            self.attempt = self.attempt if report.attempt is None else report.attempt
            self.over, self.runs = False, True
            self.said_at = now
        elif isinstance(report, Retry):
            self.so_far = TickReport(task=self.task)
            self._begin(None)
            self.attempt = None if report.attempt is None else report.attempt + 1
            self.over = self.runs = False
            self.state = ""
        elif isinstance(report, Succeed | Fail | Cancel | Stopped):
            self.over, self.runs = True, False
        elif isinstance(report, Resume):
            self.state = ""

    def _begin(self, create: Create | None) -> None:
        known = create or self.create
        self.plan = () if known is None else known.steps
        self.shown = START if create is None else replace(START, total=create.total)

    def told(self, state: str, attempt: int) -> str | None:
        """Take note of what the server says; None when it speaks of an attempt that this process has left."""
        self.recreated = False
        if self.attempt is None:
            self.attempt = attempt
        elif attempt > self.attempt:
            return SUPERSEDED
        elif attempt < self.attempt:
            return None
        self.state = state
        return state

    def needs(self, entry: Entry) -> bool:
        """Whether this must be sent as it is; of a task that goes on, the full state stands for its ticks."""
        return not isinstance(entry.report, Beat) and (self.over or not isinstance(entry.report, TickReport))

    def hold(self, entries: list[Entry]) -> int:
        """Keep reports until the server knows the task; gives the number of those that were too many."""
        self.stale = True
        self.held += [entry for entry in entries if self.needs(entry)]
        surplus = max(0, len(self.held) - _MOST_HELD)
        for _ in range(surplus):
            self.held.remove(min(self.held, key=lambda entry: (entry.rank, entry.at)))
        return surplus

    def is_done_by(self, report: Report) -> bool:
        """Whether nothing needs to be remembered once this report was dealt with."""
        if isinstance(report, Succeed | Fail | Cancel | Stopped):
            return self.over and not self.held
        return isinstance(report, Create) and not self.runs and not self.over and self.so_far.done is None
