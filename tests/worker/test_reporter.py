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
    Log,
    LogLine,
    Notify,
    Pause,
    Rejected,
    Report,
    Result,
    Resume,
    Retry,
    Start,
    Stopped,
    Succeed,
    TickReport,
)
from headway.worker.limits import Limits
from headway.worker.reporter import Flight, Reporter


def tick(task: str = "a", **fields: object) -> TickReport:
    return TickReport(task=task, **fields)  # type: ignore[arg-type]


def lines(*texts: str, task: str = "a") -> Log:
    return Log(task, lines=tuple(LogLine(text) for text in texts))


def fed(*reports: Report, limits: Limits | None = None) -> Reporter:
    reporter = Reporter(limits, source="s")
    for report in reports:
        reporter.report(report, 0.0)
    return reporter


def taken(reporter: Reporter, most: int = 100, now: float = 0.0) -> Flight:
    flight = reporter.take(most, now)
    assert flight is not None
    return flight


def accepts(flight: Flight, **tasks: tuple[str, int]) -> BatchAnswer:
    return BatchAnswer(len(flight.batch.reports), [], tasks)


def refuses(flight: Flight, code: int, *, retryable: bool = False) -> BatchAnswer:
    rejected = [Rejected(i, code, "no", retryable) for i in range(len(flight.batch.reports))]
    return BatchAnswer(0, rejected, {})


def test_ticks_of_a_task_become_one_and_facts_stay_in_order() -> None:
    reporter = fed(
        Create("a", "A", start=True),
        tick(done=1, message="m"),
        tick(done=2),
        Create("b", "B"),
        tick(done=3),
        Succeed("a"),
    )

    reports = taken(reporter).batch.reports

    assert reports == [
        Create("a", "A", start=True),
        tick(done=3, message="m"),
        Create("b", "B"),
        Succeed("a"),
    ]
    assert reporter.counts.merged == 2


def test_what_was_in_flight_goes_back_and_newer_state_wins() -> None:
    reporter = fed(Create("a", "A", start=True), tick(done=1, message="m"))
    flight = taken(reporter)
    reporter.report(tick(done=2), 0.0)

    reporter.failed(flight)
    reporter.report(Succeed("a"), 0.0)

    assert taken(reporter).batch.reports == [
        Create("a", "A", start=True),
        tick(done=2, message="m"),
        Succeed("a"),
    ]
    assert reporter.counts.retried == 2


def test_progress_does_not_cross_an_ending_or_a_retry() -> None:
    reporter = fed(
        Start("a", attempt=1),
        tick(done=5),
        Fail("a", error="x"),
        Retry("a", attempt=1),
        Start("a", attempt=2),
        tick(done=1),
    )

    kinds = [(type(report), getattr(report, "done", None)) for report in taken(reporter).batch.reports]

    assert kinds == [
        (Start, None), (TickReport, 5), (Fail, None), (Retry, None), (Start, None), (TickReport, 1),
    ]  # fmt: skip


def test_results_are_conflated_and_log_lines_collected_with_their_numbers() -> None:
    reporter = fed(Start("a"), Result("a", result=1), lines("x"), Result("a", result=2), lines("y", "z"))

    reports = taken(reporter).batch.reports

    assert Result("a", result=2) in reports
    log = next(report for report in reports if isinstance(report, Log))
    assert [line.text for line in log.lines] == ["x", "y", "z"]
    assert (log.seq, log.source) == (0, "s-1")


def test_line_numbers_go_on_after_a_batch() -> None:
    reporter = fed(Start("a"), lines("x", "y"))
    flight = taken(reporter)
    reporter.acknowledged(flight, accepts(flight), 0.0)

    reporter.report(lines("z"), 0.0)

    log = taken(reporter).batch.reports[0]
    assert isinstance(log, Log)
    assert log.seq == 2


def test_nothing_is_said_about_a_task_that_has_ended() -> None:
    reporter = fed(Start("a"), Succeed("a"), tick(done=9), lines("late"), Stopped("a"))

    assert taken(reporter).batch.reports == [Start("a"), Succeed("a"), Stopped("a")]
    assert reporter.counts.dropped == 2


def test_heartbeats_for_running_tasks_only_and_more_often_while_paused() -> None:
    reporter = fed(Create("a", "A", start=True), Create("q", "Q"))
    flight = taken(reporter)
    reporter.acknowledged(flight, accepts(flight, a=("running", 1)), 0.0)

    reporter.beats(4.9)
    assert reporter.take(10, 4.9) is None
    assert reporter.next_beat() == 5.0
    reporter.beats(5.0)
    flight = taken(reporter, now=5.0)
    assert flight.batch.reports == [Beat("a", attempt=1)]
    reporter.acknowledged(flight, accepts(flight, a=("paused", 1)), 5.0)
    assert reporter.next_beat() == 6.0


def test_after_an_outage_the_full_state_is_said_again() -> None:
    reporter = fed(Create("a", "A", start=True, total=9), tick(done=3, message="m", step="s"))
    flight = taken(reporter)
    reporter.acknowledged(flight, accepts(flight, a=("running", 1)), 0.0)
    reporter.report(tick(done=4), 1.0)
    reporter.failed(taken(reporter))

    flight = taken(reporter)

    assert flight.batch.reports == [tick(done=4, message="m", step="s", attempt=1)]


def test_a_task_that_the_server_forgot_is_created_again_with_its_state() -> None:
    create = Create("a", "A", start=True)
    reporter = fed(create, tick(done=3))
    flight = taken(reporter)
    reporter.acknowledged(flight, accepts(flight, a=("running", 1)), 0.0)
    reporter.report(tick(done=4), 1.0)
    flight = taken(reporter)

    reporter.acknowledged(flight, refuses(flight, 104), 1.0)

    assert taken(reporter).batch.reports == [create, tick(done=4, attempt=1)]


def test_an_ending_that_meets_a_server_that_forgot_the_task_brings_it_along() -> None:
    create = Create("a", "A", start=True)
    reporter = fed(create)
    flight = taken(reporter)
    reporter.acknowledged(flight, accepts(flight, a=("running", 1)), 0.0)
    reporter.report(tick(done=4), 1.0)
    reporter.report(Fail("a", error="x"), 1.0)
    flight = taken(reporter)

    reporter.acknowledged(flight, refuses(flight, 104), 1.0)

    assert taken(reporter).batch.reports == [create, tick(done=4, attempt=1), Fail("a", attempt=1, error="x")]


def test_attaching_before_the_task_exists_waits_for_it_and_gives_up_in_the_end() -> None:
    reporter = fed(Start("a"), Succeed("a"), limits=Limits(tries=2))
    for now in (0.0, 1.0):
        flight = taken(reporter, now=now)
        reporter.acknowledged(flight, refuses(flight, 104), now)
        assert reporter.take(10, now) is None
        assert len(reporter) == 2
        reporter.beats(now + 1.0)
    flight = taken(reporter, now=2.0)
    assert flight.batch.reports == [Start("a"), Succeed("a")]

    outcome = reporter.acknowledged(flight, refuses(flight, 104), 2.0)

    assert [type(report) for report, _ in outcome.refused] == [Start, Succeed]
    assert len(reporter) == 0


def test_a_parent_that_nobody_knows_does_not_cost_the_task() -> None:
    reporter = fed(Create("a", "A", parent="p", start=True))
    for now in (0.0, 1.0, 2.0):
        flight = taken(reporter, now=now)
        reporter.acknowledged(flight, refuses(flight, 104), now)
        reporter.beats(now + 1.0)

    assert Create("a", "A", start=True) in taken(reporter).batch.reports


def test_after_its_creation_was_refused_a_task_is_not_mentioned_again() -> None:
    reporter = fed(Create("a", "A", start=True))
    flight = taken(reporter)
    outcome = reporter.acknowledged(flight, refuses(flight, 102), 0.0)
    reporter.report(tick(done=1), 0.0)

    assert len(outcome.refused) == 1
    assert reporter.take(10, 0.0) is None


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


def test_later_attempts_supersede_and_earlier_ones_are_not_believed() -> None:
    reporter = fed(Start("a", attempt=2))
    flight = taken(reporter)
    assert reporter.acknowledged(flight, accepts(flight, a=("cancelled", 1)), 0.0).states == {}
    reporter.report(tick(done=1), 0.0)
    flight = taken(reporter)
    assert reporter.acknowledged(flight, accepts(flight, a=("queued", 3)), 0.0).states == {"a": "superseded"}


def test_a_worker_without_an_attempt_takes_the_first_it_hears_of() -> None:
    reporter = fed(Start("a"))
    flight = taken(reporter)
    reporter.acknowledged(flight, accepts(flight, a=("running", 4)), 0.0)
    reporter.report(Succeed("a"), 0.0)

    assert taken(reporter).batch.reports == [Succeed("a", attempt=4)]


def test_beyond_the_limits_lines_go_first_then_ticks_then_facts_and_endings_last() -> None:
    reporter = fed(
        Start("a"),
        lines("x"),
        tick(done=1),
        Notify("n", "N", user="u"),
        Succeed("a"),
        limits=Limits(entries=5),
    )
    for index in range(4):
        reporter.report(Succeed(f"t{index}"), 0.0)

    assert len(reporter) == 5
    assert reporter.counts.dropped == 4
    assert reporter.counts.lost_facts == 2
    assert reporter.facts() == [Succeed("a"), *(Succeed(f"t{index}") for index in range(4))]


def test_log_lines_are_bounded_and_their_numbers_show_the_gap() -> None:
    reporter = fed(Start("a"), limits=Limits(lines=10))
    for index in range(100):
        reporter.report(lines(str(index)), 0.0)

    log = taken(reporter).batch.reports[-1]

    assert isinstance(log, Log)
    assert len(log.lines) <= 10
    assert log.seq == int(log.lines[0].text)
    assert reporter.counts.dropped == 100 - len(log.lines)


def test_large_results_are_bounded_in_bytes() -> None:
    reporter = Reporter(Limits(bytes=20_000))
    for index in range(100):
        reporter.report(Notify(f"n{index}", "N" * 300, user="u"), 0.0)

    assert reporter.bytes <= 20_000


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
