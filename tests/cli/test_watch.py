"""`headway watch`: real servers, real breaks, and exit codes."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys

import pytest

from tests.cli.programs import Api, Programs

pytestmark = pytest.mark.slow


def test_follows_through_a_killed_server(programs: Programs) -> None:
    server = programs.serve()
    port = server.url.rpartition(":")[2]
    api = Api(programs.runtime)
    task = api.task(steps=[{"name": "Load"}, {"name": "Store"}])
    watch = programs.start("watch", task)
    watch.until("Job: running")
    api("PATCH", f"/api/tasks/{task}", {"step": "Load", "total": 100, "done": 60})
    watch.until("step 1 of 2, Load")
    watch.until("25 %")

    assert server.end(signal.SIGKILL) == -signal.SIGKILL
    again = programs.start("serve", "--data", programs.data, "--port", port)
    assert again.url

    api = Api(programs.runtime)
    api("PATCH", f"/api/tasks/{task}", {"step": "Store", "total": 4, "done": 1})
    watch.until("step 2 of 2, Store")
    watch.until("50 %")
    api("POST", f"/api/tasks/{task}/succeed", {})
    assert watch.end() == 0
    assert watch.lines[-1].startswith("Job: succeeded after ")
    errors = watch.errors.read_text()
    assert re.search(r"headway: reconnecting, as of \d\d:\d\d:\d\d ", errors)
    assert "headway: connected again" in errors
    assert "\x1b" not in "".join(watch.lines)


@pytest.mark.parametrize(
    ("command", "body", "code", "said"),
    [("fail", {"error": "no room"}, 1, "Job: failed at 0 %"), ("cancel", None, 3, "Job: cancelled at 0 %")],
)
def test_exits_as_the_task_ends(programs: Programs, command: str, body: object, code: int, said: str) -> None:
    assert programs.serve().url
    api = Api(programs.runtime)
    task = api.task()
    watch = programs.start("watch", task)
    watch.until("running")
    api("POST", f"/api/tasks/{task}/{command}", body)
    assert watch.end() == code
    assert watch.lines[-1].startswith(said)


def test_ctrl_c_leaves_the_task_alone(programs: Programs) -> None:
    assert programs.serve().url
    api = Api(programs.runtime)
    task = api.task()
    watch = programs.start("watch", task)
    watch.until("running")
    assert watch.end(signal.SIGINT) == 130
    assert watch.errors.read_text() == ""
    assert api("GET", f"/api/tasks/{task}")["state"] == "running"


def test_shows_the_whole_log(programs: Programs) -> None:
    assert programs.serve().url
    api = Api(programs.runtime)
    task = api.task()
    api("POST", f"/api/tasks/{task}/log", {"text": "early"})
    watch = programs.start("watch", task, "--log")
    watch.until(" early")
    api("POST", f"/api/tasks/{task}/log", {"text": "late \x1b[2J"})
    api("POST", f"/api/tasks/{task}/succeed", {})
    assert watch.end() == 0
    assert sum("late  [2J" in line for line in watch.lines) == 1
    assert sum("early" in line for line in watch.lines) == 1


def test_without_a_name_it_takes_the_newest_that_is_unfinished(programs: Programs) -> None:
    assert programs.serve().url
    none = programs.run("watch")
    assert none.returncode == 1
    assert none.stderr == ("headway: No task is unfinished; headway watch --wait waits for the next one\n")
    api = Api(programs.runtime)
    api.task(title="Old")
    task = api.task(title="New")
    api("POST", f"/api/tasks/{api.task(title='Done')}/succeed", {})
    watch = programs.start("watch")
    watch.until("New: running")
    api("POST", f"/api/tasks/{task}/succeed", {})
    assert watch.end() == 0


def test_waits_for_the_next_one(programs: Programs) -> None:
    assert programs.serve("--log-level", "debug").url
    api = Api(programs.runtime)
    watch = programs.start("watch", "--wait")
    task = api.task()
    watch.until("Job: running")
    api("POST", f"/api/tasks/{task}/succeed", {})
    assert watch.end() == 0


def test_a_task_that_is_not_there(programs: Programs) -> None:
    assert programs.serve().url
    ended = programs.run("watch", "nothing")
    assert ended.returncode == 2
    assert ended.stderr == "headway: There is no task 'nothing', or this token may not see it\n"


def test_a_token_that_is_refused(programs: Programs) -> None:
    url = programs.serve().url
    for arguments in (["t", "--token", "nonsense"], ["--token", "nonsense"]):
        ended = programs.run("watch", *arguments, "--url", url)
        assert ended.returncode == 2
        assert "does not take this token" in ended.stderr
        assert "headway token --user NAME" in ended.stderr
        assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "No Headway server was found"),
        ({"HEADWAY_URL": "http://127.0.0.1:9"}, "A token is needed for http://127.0.0.1:9"),
        ({"HEADWAY_URL": "nonsense"}, "http"),
        (
            {"HEADWAY_URL": "http://127.0.0.1:9", "HEADWAY_TOKEN": "x"},
            "No Headway answers at http://127.0.0.1:9",
        ),
    ],
)
def test_no_server_is_one_sentence(programs: Programs, variables: dict[str, str], said: str) -> None:
    ended = programs.run("watch", **variables)
    assert ended.returncode in (1, 2)
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_draws_a_bar_in_a_terminal(programs: Programs) -> None:
    assert programs.serve().url
    api = Api(programs.runtime)
    task = api.task(title="Job \x1b[31m")
    api("PATCH", f"/api/tasks/{task}", {"done": 30, "message": "cat.png"})
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "headway", "watch", task],
        stdin=theirs, stdout=theirs, stderr=theirs, env={**programs.environment, "TERM": "xterm"}, cwd=programs.folder,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while b"cat.png" not in shown:
        shown += os.read(ours, 4096)
    api("POST", f"/api/tasks/{task}/succeed", {})
    assert process.wait() == 0
    while True:
        try:
            more = os.read(ours, 4096)
        except OSError:  # Linux says so when the other end is gone
            break
        if not more:
            break
        shown += more
    os.close(ours)
    assert b"30.0 %" in shown
    assert b"100.0 %" in shown
    assert b"succeeded after" in shown
    assert b"Job  [31m" in shown
