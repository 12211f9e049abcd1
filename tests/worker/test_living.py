"""What the reporter remembers of a task: said again to a server that forgot it, and not said when it is over."""

from __future__ import annotations

from headway.model.report import (
    Beat,
    Create,
    Fail,
    Start,
    Stopped,
    Succeed,
)
from headway.worker.limits import Limits
from tests.worker.sending import accepts, fed, lines, refuses, taken, tick


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
