"""An example that ends leaves nothing behind, even when it is killed and can tell nobody, and what was in the works is not lost."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from tests.examples.running import ROOT, Running, running, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def queue(app: Running) -> list[psutil.Process]:
    """The worker of an RQ queue, its Valkey, and who watches over both."""
    until(lambda: app.workers("examples.voice.worker"))
    return list(psutil.Process(app.process.pid).children(recursive=True))


def job(app: Running) -> list[psutil.Process]:
    """A process for the job in the works, and who watches over it."""
    app.ask("POST", "/api/dedup/tasks", json={})
    app.ask("POST", "/api/dedup/tasks/1/start")
    until(lambda: app.workers("examples.dedup.worker"))
    return list(psutil.Process(app.process.pid).children(recursive=True))


@pytest.mark.parametrize(("name", "started"), [("voice", queue), ("dedup", job)])
def test_a_killed_example_leaves_no_process_behind(
    name: str, started: Callable[[Running], list[psutil.Process]], tmp_path: Path
) -> None:
    with running(name, tmp_path, -signal.SIGKILL) as app:
        children = started(app)
        assert len(children) > 1
        app.process.kill()
        app.process.wait()
        _, alive = psutil.wait_procs(children, timeout=30)
        # Where nobody reaps orphans, what has ended stays as a name.
        assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []


def test_what_was_in_the_works_is_an_error_and_can_be_started_again(tmp_path: Path) -> None:
    with running("dedup", tmp_path) as app:
        job(app)
    with running("dedup", tmp_path) as app:
        stopped = until(lambda: (found := status(app))["status"] == "error" and found)
        assert stopped["error_message"] == "The application was restarted"
        assert app.ask("POST", "/api/dedup/tasks/1/start").status == 200
        until(lambda: status(app)["status"] == "completed")


def test_what_a_queue_had_given_to_its_worker_is_given_to_the_next(tmp_path: Path) -> None:
    plan = {"file": ("plan.svg", (ROOT / "examples/drawings/sample.svg").read_bytes())}
    with running("drawings", tmp_path, -signal.SIGKILL) as app:
        task = app.ask("POST", "/api/v1/drawings", fields=plan).body["data"]["task_id"]
        until(lambda: app.task(task)["state"] == "running")
        app.process.kill()
        app.process.wait()
    with running("drawings", tmp_path) as app:
        assert app.over(task)["state"] == "succeeded"


def status(app: Running) -> dict[str, Any]:
    found: dict[str, Any] = app.ask("GET", "/api/dedup/tasks/1").body["data"]
    return found
