"""A task in the hands of a job."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

import headway
from headway.model.report import Cancel, Create, Fail, Log, Result, Retry, Start, Stopped, Succeed, TickReport
from headway.worker import delivery
from headway.worker.limits import Limits
from tests.worker.far_end import FarEnd


def endings(far: FarEnd) -> list[object]:
    assert headway.flush(10)
    return [type(report) for report in far.reports if isinstance(report, Succeed | Fail | Cancel | Stopped)]


def test_everything_a_job_can_say(far: FarEnd) -> None:
    with headway.task("Resize", steps=["Load", ("Resize", 3)], unit="images") as task:
        task.step("Load", total=2)
        task.progress(1, message="cat.png")
        task.detail({"width": 100})
        assert headway.flush(10)
        task.step("Resize", total=4)
        task.advance(2)
        task.log("one\ntwo", level="warning")
        task.result([1])
        task.result([1, 2])
    assert endings(far) == [Succeed]

    first, last = far.of(TickReport)[0], far.of(TickReport)[-1]
    assert (first.step, first.done, first.total, first.message) == ("Load", 1, 2, "cat.png")
    assert first.detail == {"width": 100}
    assert (last.step, last.done, last.total, last.message) == ("Resize", 2, 4, None)
    assert [line.text for log in far.of(Log) for line in log.lines] == ["one", "two"]
    assert far.of(Result)[-1].result == [1, 2]


def test_what_one_call_says_is_one_change(far: FarEnd) -> None:
    with headway.task("Compare", total=2) as task:
        assert headway.flush(10)
        task.progress(1, message="algebra", detail={"group": "algebra"})
        assert headway.flush(10)
        headway.progress(2, detail={"group": "geometry"})
        assert headway.flush(10)
    first, second = far.of(TickReport)
    assert (first.done, first.message, first.detail) == (1, "algebra", {"group": "algebra"})
    assert (second.done, second.message, second.detail) == (2, None, {"group": "geometry"})


def test_an_attempt_that_the_queue_repeats_is_no_failure(far: FarEnd) -> None:
    with headway.attach("job-1", attempt=2) as task:
        task.progress(1, total=2)
        task.retry(OSError("the disk is full"))
        task.progress(2)
    assert headway.flush(10)

    assert [type(report) for report in far.reports if isinstance(report, Succeed | Fail)] == []
    assert [report.attempt for report in far.of(Retry)] == [1, 2]
    assert [line.text for log in far.of(Log) for line in log.lines] == ["OSError: the disk is full"]


@pytest.mark.parametrize(
    ("error", "expected", "text"),
    [
        (ValueError("bad row"), [Fail], "ValueError: bad row"),
        (KeyError(), [Fail], "KeyError"),
        (KeyboardInterrupt(), [Cancel, Stopped], None),
        (headway.Cancelled("x"), [Cancel, Stopped], None),
        (SystemExit(0), [Succeed], None),
        (SystemExit(3), [Fail], "SystemExit: 3"),
        (GeneratorExit(), [Succeed], None),
    ],
)
def test_how_a_block_is_left_is_how_the_task_ends(
    far: FarEnd, error: BaseException, expected: list[object], text: str | None
) -> None:
    with pytest.raises(type(error)), headway.task("Job"):
        raise error

    assert endings(far) == expected
    assert [fail.error for fail in far.of(Fail)] == ([text] if text else [])


def test_ending_early_by_hand_is_final(far: FarEnd) -> None:
    with headway.task("One") as task:
        task.succeed({"rows": 2})
        task.log("late")
        task.fail("too late")
    with headway.task("Two") as task:
        task.fail("no rows")
    assert endings(far) == [Succeed, Fail]
    assert far.of(Succeed)[0].result == {"rows": 2}
    assert far.of(Log) == []


def test_cancelling_raises_at_the_next_report_and_passes_an_except_exception(far: FarEnd) -> None:
    def job() -> None:
        with headway.task("Job", id="job") as task:
            while True:
                try:
                    task.log("working")
                except Exception:  # noqa: BLE001 - what a job may well do
                    raise AssertionError from None

    far.states = {"job": ("cancelled", 1)}
    with pytest.raises(headway.Cancelled):
        job()
    assert endings(far) == [Stopped]


def test_a_job_that_ignores_its_cancellation_still_confirms_that_it_stopped(far: FarEnd) -> None:
    far.states = {"job": ("cancelled", 1)}
    with headway.task("Job", id="job") as task:
        far.until(lambda: far.batches)
        headway.flush(10)
        assert task.cancelled
    assert endings(far) == [Stopped]


def test_pausing_waits_at_the_next_report_and_is_soon_over(far: FarEnd) -> None:
    delivery.courier().reporter.limits = Limits(paused_beat=0.05)
    far.states = {"job": ("paused", 1)}
    waited = threading.Event()
    with headway.task("Job", id="job") as task:
        far.until(lambda: far.batches)
        headway.flush(10)
        seen = [task.paused]

        def resume() -> None:
            waited.set()
            far.states = {}

        threading.Timer(0.1, resume).start()
        task.advance()
        assert waited.is_set()
        assert [*seen, task.paused] == [True, False]
    assert endings(far) == [Succeed]


async def test_a_report_in_an_event_loop_does_not_put_it_to_sleep(far: FarEnd) -> None:
    far.states = {"job": ("paused", 1)}
    async with headway.task("Job", id="job") as task:
        far.until(lambda: far.batches)
        headway.flush(10)
        task.advance()
        seen = [task.paused]
        far.states = {}
        await task.acheck()
        assert [*seen, task.paused] == [True, False]


@pytest.mark.parametrize("value", [None, "many", -1, float("nan"), [], object(), 10**30])
def test_wrong_values_are_left_out_said_once_and_never_raised(
    far: FarEnd, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    with headway.task(
        value, total=value, unit=value, kind=value, meta=value, tags=value, steps=value
    ) as task:
        for _ in range(2):
            task.advance(value)
            task.progress(value, value, value, value)
            task.percent(value)
            task.message(value)
            task.step(value, weight=value, total=value, unit=value)
            task.detail(value)
            task.log(value, level=value)
            task.result(value)
    headway.notify(value, value, value, link=value, severity=value, data=value, task=value)
    with headway.attach(value) as other:
        other.advance()

    assert Succeed in endings(far)
    said = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == len(set(said))


def test_an_attached_worker_starts_a_task_and_ends_it(far: FarEnd) -> None:
    known = headway.create("Made by the web process", kind="import", total=3)
    with headway.attach(known) as task:
        task.advance(3)
    assert endings(far) == [Succeed]
    assert far.of(Create) == [Create(known, "Made by the web process", kind="import", total=3)]
    assert far.of(Start)[0].task == known


def test_a_step_that_was_not_announced_carries_its_weight(far: FarEnd) -> None:
    with headway.task("Job") as task:
        task.step("Extra", weight=3)
    endings(far)
    assert (far.of(TickReport)[-1].step, far.of(TickReport)[-1].weight) == ("Extra", 3)
