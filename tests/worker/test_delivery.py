"""From a job to the server: batches, outages, servers that come and go, and what is said about it."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path

import pytest

import headway
from headway.errors import ConfigurationError, StoreUnavailable
from headway.model.report import (
    Batch,
    BatchAnswer,
    Beat,
    Create,
    Log,
    Notify,
    Result,
    Start,
    Succeed,
    TickReport,
)
from headway.worker import delivery
from headway.worker.discovery import write_runtime
from headway.worker.limits import Limits
from tests.worker.far_end import FarEnd


def test_a_lone_change_leaves_at_once_and_the_token_goes_along(far: FarEnd) -> None:
    with headway.task("Import", total=10) as task:
        task.advance(3)
        # Nothing else is said that it could go along with.
        far.until(lambda: [tick.done for tick in far.of(TickReport)] == [3])

    assert headway.flush(10)
    assert far.of(Create) == [Create(task.id, "Import", total=10, start=True)]
    assert far.of(Succeed) == [Succeed(task.id, attempt=1)]
    assert set(far.tokens) == {"Bearer secret"}
    assert headway.stats().server == far.url


def test_a_flood_is_at_most_twenty_batches_a_second(far: FarEnd) -> None:
    begun = time.monotonic()
    with headway.task("Flood") as task:
        while time.monotonic() - begun < 0.5:
            task.advance()
    headway.flush(10)
    seconds = time.monotonic() - begun

    assert len(far.batches) <= seconds * 20 + 2
    assert far.of(TickReport)[-1].done == task.live.done


def test_state_waits_while_the_server_is_away_and_arrives_when_it_is_back() -> None:
    far = FarEnd().start()
    far.stop()
    headway.configure(url=far.url)
    with headway.task("Patient") as task:
        for _ in range(1000):
            task.advance()
        task.log("written while nobody listened")
        assert not headway.flush(0.3)
    far.start()

    assert headway.flush(20)

    assert far.of(TickReport)[-1].done == 1000
    assert len(far.of(Log)) == 1
    assert far.of(Succeed)
    assert headway.stats().waiting == 0
    far.stop()


def test_a_server_that_was_killed_hears_the_full_state_again(far: FarEnd) -> None:
    with headway.task("Survivor") as task:
        task.progress(5, 10, "half")
        far.until(lambda: far.of(TickReport))
        far.stop()
        task.message("alone")
        assert not headway.flush(0.3)
        far.batches.clear()
        far.start()
        far.until(lambda: far.of(TickReport))
        tick = far.of(TickReport)[0]
        assert (tick.done, tick.total, tick.message) == (5, 10, "alone")


def test_a_server_that_forgot_a_task_is_told_of_it_again(far: FarEnd) -> None:
    with headway.task("Forgotten") as task:
        task.advance()
        far.until(lambda: far.of(TickReport))
        far.batches.clear()
        far.refuse = {"TickReport": 104}
        task.advance()
        far.until(lambda: far.batches)
        far.refuse = {}
        far.until(lambda: far.of(Create) and far.of(TickReport)[-1].done == 2)


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_not_good_is_said_once_and_never_raised(
    far: FarEnd, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    far.status = status
    with headway.task("Refused") as task:
        far.until(lambda: far.requests)
        for _ in range(3):
            task.advance()
            headway.flush(0.05)
    far.until(lambda: far.requests >= 2)
    headway.flush(0.1)

    said = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1
    assert "HEADWAY_TOKEN" in said[0]
    assert "secret" not in said[0]
    far.status = 200
    headway.configure(token="better")
    assert headway.flush(10)
    assert far.of(Succeed)


def test_an_overloaded_server_gets_everything_later(far: FarEnd) -> None:
    far.status = 503
    headway.notify("ada", "Ready")
    far.until(lambda: far.requests)
    far.status = 200

    assert headway.flush(20)
    assert len(far.of(Notify)) == 1
    assert headway.stats().counts.retried >= 1


def test_what_the_server_refuses_for_good_is_said_once(far: FarEnd, caplog: pytest.LogCaptureFixture) -> None:
    far.refuse = {"Notify": 102}
    for _ in range(3):
        headway.notify("ada", "Ready", kind="odd")
    assert headway.flush(10)

    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "Headway refused Notify of 'Ready': no (code 102)"
    ]
    assert headway.stats().counts.rejected == 3


def test_heartbeats_go_out_while_a_job_computes(far: FarEnd) -> None:
    delivery.courier().reporter.limits = Limits(beat=0.1)
    with headway.task("Silent"):
        far.until(lambda: len(far.of(Beat)) >= 3)


def test_without_a_server_nothing_is_said_and_one_that_appears_is_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with headway.task("Early") as task:
        for _ in headway.track(range(1000), "Loop"):
            pass
        assert not headway.flush(0.2)
        far = FarEnd().start()
        write_runtime(far.url, "local", os.getpid(), str(tmp_path))
        far.until(lambda: far.of(Create))
        assert [create.title for create in far.of(Create)] == ["Early", "Loop"]
        task.result({"rows": 3})
    assert headway.flush(10)
    assert far.of(Result)[0].result == {"rows": 3}
    assert set(far.tokens) == {"Bearer local"}
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []
    far.stop()


def test_a_server_in_this_process_gets_batches_without_http() -> None:
    got: list[Batch] = []
    failing = threading.Event()

    def sink(batch: Batch) -> BatchAnswer:
        if not failing.is_set():
            failing.set()
            raise StoreUnavailable
        got.append(batch)
        return BatchAnswer(len(batch.reports), [], {})

    delivery.deliver_to(sink)
    with headway.task("Embedded"):
        pass

    assert headway.flush(10)
    assert [type(report) for batch in got for report in batch.reports] == [Create, Succeed]
    delivery.deliver_to(None)


def test_disabled_means_silent(far: FarEnd) -> None:
    headway.configure(enabled=False)
    with headway.task("Nothing") as task:
        task.advance()
        task.log("x")
        for _ in headway.track([1, 2]):
            headway.progress(1)
    headway.notify("ada", "Nothing")

    assert headway.flush(0.1)
    assert headway.stats().counts.reported == 0


@pytest.mark.parametrize("url", ["ftp://x", "localhost:8400", "http://", 7])
def test_a_url_that_is_none_is_refused_where_it_is_set(url: str) -> None:
    with pytest.raises(ConfigurationError):
        headway.configure(url=url)


def test_a_bad_url_in_the_environment_does_not_reach_the_job(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HEADWAY_URL", "nonsense")
    with headway.task("Goes on"):
        pass
    assert not headway.flush(1)
    assert "HEADWAY_URL is not used" in caplog.text


def test_a_sink_that_breaks_does_not_end_delivery() -> None:
    calls: list[int] = []

    def sink(batch: Batch) -> BatchAnswer:
        calls.append(len(batch.reports))
        if len(calls) == 1:
            raise ZeroDivisionError
        return BatchAnswer(len(batch.reports), [], {})

    delivery.deliver_to(sink)
    headway.notify("ada", "Hello")
    assert headway.flush(10)
    assert len(calls) == 2


# Forks


# The end of a process


# The spool


def test_attempts_are_begun_by_retries_that_may_be_repeated(far: FarEnd) -> None:
    far.states = {"job": ("running", 3)}
    with headway.attach("job", attempt=3) as task:
        task.advance()
    assert headway.flush(10)
    assert [type(report).__name__ for report in far.reports] == ["Retry", "Start", "TickReport", "Succeed"]
    assert [getattr(report, "attempt", None) for report in far.reports] == [2, 3, 3, 3]
    assert far.of(Start)[0].attempt == 3
