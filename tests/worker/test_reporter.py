"""The reporter without a network: what is sent, kept, and sent again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from headway.model.report import (
    BatchAnswer,
    Beat,
    Create,
    Fail,
    Notify,
    Pause,
    Rejected,
    Report,
    Resume,
    Start,
    Succeed,
    TickReport,
)
from headway.worker.limits import Limits
from headway.worker.reporter import Flight, Reporter
from tests.worker.sending import accepts, fed, lines, refuses, taken, tick


def test_what_the_server_wants_later_is_sent_later() -> None:
    reporter = fed(Notify("n", "N", user="u"))
    flight = taken(reporter)

    outcome = reporter.acknowledged(flight, refuses(flight, 200, retryable=True), 0.0)

    assert outcome.again
    assert taken(reporter).batch.reports == [Notify("n", "N", user="u")]


def test_a_batch_that_is_refused_as_a_whole_is_halved_until_the_culprit_is_alone() -> None:
    reporter = fed(*(Notify(f"n{i}", "N", user="u") for i in range(4)))
    sizes = []
    refused: list[object] = []
    while (flight := reporter.take(100, 0.0)) is not None:
        sizes.append(len(flight.entries))
        if any(entry.report == Notify("n2", "N", user="u") for entry in flight.entries):
            refused += reporter.refused(flight, Rejected(0, 100, "bad"))
        else:
            reporter.acknowledged(flight, accepts(flight), 0.0)

    assert sizes[0] == 4
    assert len(refused) == 1
    assert reporter.counts.sent == 3


def test_one_batch_is_on_its_way_at_a_time() -> None:
    reporter = fed(Start("a"), Start("b"))
    taken(reporter, most=1)
    with pytest.raises(RuntimeError):
        reporter.take(1, 0.0)


class Conversation(RuleBasedStateMachine):
    """A job talks, deliveries fail and succeed as they like; the far side sees order, endings and no step back."""

    def __init__(self) -> None:
        super().__init__()
        self.reporter = Reporter(source="s")
        self.flight: Flight | None = None
        self.now = 0.0
        self.told: dict[str, list[Report]] = {}
        self.heard: dict[str, list[Report]] = {}
        self.done: dict[str, int] = {}

    tasks = st.sampled_from(["a", "b", "c"])

    def say(self, report: Report, task: str) -> None:
        self.reporter.report(report, self.now)
        if not isinstance(report, TickReport):
            self.told.setdefault(task, []).append(report)

    @rule(task=tasks)
    def begins(self, task: str) -> None:
        if not self.told.get(task):
            self.say(Create(task, "T", start=True), task)

    @rule(task=tasks, done=st.integers(0, 100))
    def goes_on(self, task: str, done: int) -> None:
        if self._runs(task):
            self.reporter.report(tick(task, done=done), self.now)

    @rule(task=tasks, kind=st.sampled_from([Start, Pause, Resume]))
    def notes(self, task: str, kind: type[Start | Pause | Resume]) -> None:
        if self._runs(task):
            self.say(kind(task), task)

    @rule(task=tasks)
    def ends(self, task: str) -> None:
        if self._runs(task):
            self.say(Succeed(task), task)

    def _runs(self, task: str) -> bool:
        told = self.told.get(task)
        return bool(told) and not isinstance(told[-1], Succeed)  # type: ignore[index]

    @precondition(lambda self: self.flight is None)
    @rule(most=st.integers(1, 5), seconds=st.floats(0, 10))
    def leaves(self, most: int, seconds: float) -> None:
        self.now += seconds
        self.reporter.beats(self.now)
        self.flight = self.reporter.take(most, self.now)

    @precondition(lambda self: self.flight is not None)
    @rule()
    def fails(self) -> None:
        assert self.flight is not None
        self.reporter.failed(self.flight)
        self.flight = None

    @precondition(lambda self: self.flight is not None)
    @rule()
    def arrives(self) -> None:
        assert self.flight is not None
        self._hear(self.flight)
        self.flight = None

    @precondition(lambda self: self.flight is not None)
    @rule(unwilling=st.sets(tasks), retryable=st.booleans())
    def arrives_in_part(self, unwilling: set[str], retryable: bool) -> None:
        assert self.flight is not None
        self._hear(self.flight, unwilling, retryable)
        self.flight = None

    def _hear(self, flight: Flight, unwilling: set[str] = frozenset(), retryable: bool = False) -> None:  # type: ignore[assignment]
        rejected = []
        for index, report in enumerate(flight.batch.reports):
            if not isinstance(report, Notify) and report.task in unwilling:
                rejected.append(Rejected(index, 200 if retryable else 104, "no", retryable))
                continue
            if isinstance(report, Beat | Notify):
                continue
            if isinstance(report, TickReport):
                if report.done is not None:
                    assert report.done >= self.done.get(report.task, 0)
                    self.done[report.task] = int(report.done)
                continue
            heard = self.heard.setdefault(report.task, [])
            if report not in heard or not isinstance(report, Create):
                heard.append(report)
        self.reporter.acknowledged(flight, BatchAnswer(0, rejected, {}), self.now)

    @invariant()
    def order_is_kept(self) -> None:
        for task, heard in self.heard.items():
            assert self.told[task][: len(heard)] == heard

    def teardown(self) -> None:
        if self.flight is not None:
            self.reporter.failed(self.flight)
        for _ in range(100):
            self.now += 1.0
            self.reporter.beats(self.now)
            while (flight := self.reporter.take(3, self.now)) is not None:
                self._hear(flight)
                if not len(self.reporter):
                    break
        assert self.heard == self.told
        assert len(self.reporter) == 0


Conversation.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestConversation = Conversation.TestCase


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["tick", "log", "create", "end", "note"])),
        max_size=200,
    )
)
def test_whatever_is_said_memory_is_bounded(said: list[tuple[str, str]]) -> None:
    limits = Limits(entries=20, lines=15, tasks=4, bytes=4_000)
    reporter = Reporter(limits, source="s")
    makers: dict[str, Callable[[str], Report]] = {
        "tick": lambda task: tick(task, done=1, message="m" * 100),
        "log": lambda task: lines("text", "text", task=task),
        "create": lambda task: Create(task, "T", start=True),
        "end": lambda task: Fail(task, error="e" * 500),
        "note": lambda task: Notify(task, "N", user="u"),
    }
    for task, kind in said:
        reporter.report(makers[kind](task), 0.0)
        assert len(reporter) <= limits.entries
        assert reporter.bytes <= limits.bytes
        assert len(reporter._living) <= limits.tasks
        assert reporter._outbox.lines <= limits.lines
    counts = reporter.counts
    assert reporter.bytes == sum(entry.size for entry in reporter._outbox)
    assert counts.reported >= counts.dropped + counts.merged
