"""What waits to be sent: conflated, in order, bounded, and back in its place when it could not be sent."""

from __future__ import annotations

from headway.model.report import (
    Create,
    Fail,
    Log,
    Notify,
    Result,
    Retry,
    Start,
    Succeed,
    TickReport,
)
from headway.worker.limits import Limits
from headway.worker.reporter import Reporter
from tests.worker.sending import accepts, fed, lines, taken, tick


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
