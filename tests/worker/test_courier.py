"""The thread between a job and the server: threads and signals that report at once, forks, and the end of the process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

import headway
from headway.model.report import (
    Create,
    Fail,
    Log,
    Notify,
    Succeed,
    TickReport,
)
from tests.worker.far_end import FarEnd
from tests.worker.scripts import run


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
