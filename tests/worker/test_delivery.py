"""The thread between a job and the server: batches, outages, forks, and the end of the process."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
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
    Fail,
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
from tests.worker.scripts import run


def test_a_lone_change_leaves_at_once_and_the_token_goes_along(far: FarEnd) -> None:
    with headway.task("Import", total=10) as task:
        task.advance(3)
        begun = time.monotonic()
        far.until(lambda: [tick.done for tick in far.of(TickReport)] == [3])
        assert time.monotonic() - begun < 1.0

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


def test_threads_count_together(far: FarEnd) -> None:
    with headway.task("Threads") as task:

        def work() -> None:
            for _ in range(2000):
                task.advance()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert headway.flush(10)
    assert far.of(TickReport)[-1].done == 8000


def test_a_signal_handler_may_report(far: FarEnd) -> None:
    with headway.task("Signals") as task:

        def interrupt(*_: object) -> None:
            task.advance()
            task.log("signal")

        previous = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        try:
            for _ in range(20_000):
                task.advance()
                task.message("busy")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
    assert headway.flush(10)
    assert far.of(Succeed)


# Forks


def in_child(task: headway.TaskHandle) -> None:
    current = headway.current()
    assert current is not None
    assert current.id == task.id
    headway.log("from the child")
    current.message("child")
    with headway.task("Part"):
        pass


def test_a_forked_child_reports_on_the_parents_task_and_on_its_own(far: FarEnd) -> None:
    with headway.task("Whole") as task:
        task.log("from the parent")
        assert headway.flush(10)
        child = multiprocessing.get_context("fork").Process(target=in_child, args=(task,))
        child.start()
        child.join(30)
        assert child.exitcode == 0
    assert headway.flush(10)

    part = next(create for create in far.of(Create) if create.title == "Part")
    assert part.parent == task.id
    assert [create.title for create in far.of(Create)].count("Whole") == 1
    sources = {log.lines[0].text: log.source for log in far.of(Log)}
    assert len(set(sources.values())) == 2
    assert "child" in {tick.message for tick in far.of(TickReport)}
    assert [ending.task for ending in far.of(Succeed)] == [part.task, task.id]


def test_a_child_that_leaves_the_parents_block_does_not_end_its_task(far: FarEnd) -> None:
    with headway.task("Whole") as task:
        pid = os.fork()
        if pid == 0:
            try:
                task.__exit__(None, None, None)
                headway.flush(5)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        assert headway.flush(10)
        assert far.of(Succeed) == []
    assert headway.flush(10)
    assert len(far.of(Succeed)) == 1


def test_a_busy_process_may_fork_at_any_moment(far: FarEnd) -> None:
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            headway.notify("ada", "busy")
            time.sleep(0)

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(20):
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    headway.notify("ada", "child")
                    status = 0 if headway.flush(20) else 2
                finally:
                    os._exit(status)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        stop.set()
        thread.join()
    assert len([note for note in far.of(Notify) if note.title == "child"]) == 20


# The end of a process


def test_a_short_script_delivers_before_it_exits(far: FarEnd, tmp_path: Path) -> None:
    done = run(
        """
        import headway
        with headway.task("Script", id="script") as task:
            task.result(42)
        """,
        tmp_path,
        HEADWAY_URL=far.url,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert far.of(Succeed) == [Succeed("script")]


def test_a_short_script_waits_for_a_server_that_is_busy(far: FarEnd, tmp_path: Path) -> None:
    far.takes = 0.8
    done = run(
        """
        import headway
        with headway.task("Script", id="script"):
            pass
        """,
        tmp_path,
        HEADWAY_URL=far.url,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert far.of(Succeed) == [Succeed("script")]


def test_a_task_that_is_open_when_the_process_ends_has_failed(far: FarEnd, tmp_path: Path) -> None:
    done = run(
        """
        import headway
        task = headway.task("Open", id="open").__enter__()
        task.advance(7)
        """,
        tmp_path,
        HEADWAY_URL=far.url,
    )

    assert done.returncode == 0
    assert far.of(Fail)[0].error == "The process ended before the task did"


def test_the_last_tick_of_a_task_that_is_open_at_the_end_is_sent(far: FarEnd, tmp_path: Path) -> None:
    run(
        """
        import headway
        task = headway.task("Open", id="open").__enter__()
        task.advance(7)
        """,
        tmp_path,
        HEADWAY_URL=far.url,
    )
    assert far.of(TickReport)[-1].done == 7


def test_an_exception_in_a_script_is_what_the_task_failed_with(far: FarEnd, tmp_path: Path) -> None:
    done = run(
        """
        import headway
        with headway.task("Script", id="script"):
            raise ValueError("bad row")
        """,
        tmp_path,
        HEADWAY_URL=far.url,
    )

    assert done.returncode == 1
    assert far.of(Fail)[0].error == "ValueError: bad row"


@pytest.mark.parametrize("reachable", [False, None])
def test_exit_is_not_held_up_by_a_server_that_is_away(tmp_path: Path, reachable: bool | None) -> None:
    far = FarEnd().start()
    far.stop()
    settings = {} if reachable is None else {"HEADWAY_URL": far.url}
    done = run(
        """
        import atexit, time
        begun = []
        atexit.register(lambda: print(time.monotonic() - begun[0]))
        import headway
        with headway.task("Script"):
            pass
        atexit.register(lambda: begun.append(time.monotonic()))
        """,
        tmp_path,
        **settings,
    )

    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.6


# The spool


CRASHES = """
    import os, signal
    import headway
    with headway.task("Crashing", id="crashing") as task:
        task.progress(3, 10)
        task.fail("out of luck")
        headway.notify("ada", "Crashed", id="note")
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_facts_survive_a_crash_and_the_next_process_delivers_them(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    far = FarEnd().start()
    far.stop()
    crashed = run(CRASHES, tmp_path, HEADWAY_URL=far.url, HEADWAY_SPOOL=str(spool))
    assert crashed.returncode == -signal.SIGKILL
    far.start()

    done = run(
        "import headway; headway.notify('ada', 'Next'); assert headway.flush(20)",
        tmp_path,
        HEADWAY_URL=far.url,
        HEADWAY_SPOOL=str(spool),
    )

    assert (done.returncode, done.stderr) == (0, "")
    mine = [report for report in far.reports if getattr(report, "task", None) == "crashing"]
    assert mine == [
        Create("crashing", "Crashing", start=True),
        TickReport(task="crashing", done=3, total=10),
        Fail("crashing", error="out of luck"),
    ]
    assert {note.title for note in far.of(Notify)} == {"Crashed", "Next"}
    assert list(spool.iterdir()) == []
    far.stop()


def test_configuring_a_spool_delivers_what_is_in_it(far: FarEnd, tmp_path: Path) -> None:
    away = FarEnd().start()
    away.stop()
    run(CRASHES, tmp_path, HEADWAY_URL=away.url, HEADWAY_SPOOL=str(tmp_path / "spool"))

    headway.configure(spool=tmp_path / "spool")

    far.until(lambda: far.of(Fail))


def test_a_process_that_lives_keeps_its_spool_to_itself(far: FarEnd, tmp_path: Path) -> None:
    away = FarEnd().start()
    away.stop()
    headway.configure(url=away.url, spool=tmp_path / "spool")
    with headway.task("Alive"):
        pass

    run(
        "import headway; headway.notify('ada', 'Other'); headway.flush(20)",
        tmp_path,
        HEADWAY_URL=far.url,
        HEADWAY_SPOOL=str(tmp_path / "spool"),
    )

    assert [type(report) for report in far.reports] == [Notify]
    headway.configure(url=far.url)
    assert headway.flush(10)
    assert far.of(Succeed)


def test_a_spool_that_cannot_be_written_costs_nothing_but_a_warning(
    far: FarEnd, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")
    headway.configure(spool=tmp_path / "file")
    with headway.task("Goes on"):
        pass
    assert headway.flush(10)
    assert far.of(Succeed)
    assert len([record for record in caplog.records if "spool" in record.message]) == 1


def test_attempts_are_begun_by_retries_that_may_be_repeated(far: FarEnd) -> None:
    far.states = {"job": ("running", 3)}
    with headway.attach("job", attempt=3) as task:
        task.advance()
    assert headway.flush(10)
    assert [type(report).__name__ for report in far.reports] == ["Retry", "Start", "TickReport", "Succeed"]
    assert [getattr(report, "attempt", None) for report in far.reports] == [2, 3, 3, 3]
    assert far.of(Start)[0].attempt == 3
