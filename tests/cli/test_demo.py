"""`headway demo`: a server and a worker as processes of their own, on files whose likeness is known."""

from __future__ import annotations

import json
import os
import signal
import time

import psutil  # type: ignore[import-untyped]
import pytest

from tests.cli.programs import Api, Programs, Running
from tests.cli.texts import plant

pytestmark = pytest.mark.slow

FOUND = "1 group of exact duplicates (3 files, 7 KB to spare), 1 pair of near duplicates"


def server_of(demo: Running) -> int:
    return int(demo.until("kill -9 ").rpartition(" ")[2])


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_finds_what_was_planted_and_ends(programs: Programs) -> None:
    texts = plant(programs.folder / "texts")
    demo = programs.start("demo", texts, "--once", "--port", "0", "--data", programs.data)
    url = demo.url
    assert len(demo.lines) == 1
    demo.until(f"Open {url}/login#")
    demo.until("headway watch")
    server = server_of(demo)
    assert demo.end() == 0
    assert any(FOUND in line for line in demo.lines)
    (report,) = (programs.data / "reports").glob("*.json")
    assert json.loads(report.read_text())["pairs"][0]["other"] == "texts/two/near.txt"
    assert demo.errors.read_text() == ""
    assert gone(server)
    assert not (programs.runtime / "server.json").exists()


# It starts five programs, one after the other.
@pytest.mark.timeout(120)
def test_a_killed_server_comes_back_and_the_job_goes_on(programs: Programs) -> None:
    texts = plant(programs.folder / "texts", others=400, length=3000)
    demo = programs.start("demo", texts, "--once", "--port", "0", "--data", programs.data)
    url = demo.url
    server = server_of(demo)
    watch = programs.start("watch", "--wait")
    watch.until("Fingerprint")
    api = Api(programs.runtime)
    (task,) = api("GET", "/api/tasks")["tasks"]
    # Paused, so that it is in the middle however fast this machine is.
    paused = api("POST", f"/api/tasks/{task['id']}/pause")
    # The job hears of that with the answer to what it says next; one that has not heard goes on without the server.
    while api("GET", f"/api/tasks/{task['id']}")["rev"] == paused["rev"]:
        time.sleep(0.01)
    watch.until("paused")
    # The job has heard of it with the answer to its next report, so by the one after that.
    signs: set[int] = set()
    while len(signs) < 3:
        signs.add(api("GET", f"/api/tasks/{task['id']}")["seen_at"])

    os.kill(server, signal.SIGKILL)
    demo.until("The server was killed (SIGKILL); it is started again, 1 of 5 times")
    assert demo.url == url
    demo.until("It is process ")

    api = Api(programs.runtime)
    assert api("GET", f"/api/tasks/{task['id']}")["state"] == "paused"
    # The server ends with its job, however short the rest of that is, so who watches has to be back by now.
    while "connected again" not in watch.errors.read_text():
        assert api("GET", f"/api/tasks/{task['id']}")["state"] == "paused"
    api("POST", f"/api/tasks/{task['id']}/resume")
    assert watch.end() == 0
    assert watch.lines[-1].startswith("Finding duplicate files: succeeded after ")
    assert demo.end() == 0
    assert any(FOUND in line for line in demo.lines)


def test_cancelling_ends_the_job_and_says_so(programs: Programs) -> None:
    texts = plant(programs.folder / "texts", others=400, length=3000)
    demo = programs.start("demo", texts, "--once", "--port", "0", "--data", programs.data)
    assert demo.url
    watch = programs.start("watch", "--wait")
    watch.until("Hash")
    api = Api(programs.runtime)
    (task,) = api("GET", "/api/tasks")["tasks"]
    api("POST", f"/api/tasks/{task['id']}/cancel")
    assert watch.end() == 3
    assert demo.end() == 3
    assert "The job was cancelled" in demo.lines


def test_the_server_stays_until_ctrl_c(programs: Programs) -> None:
    demo = programs.start("demo", plant(programs.folder / "texts"), "--port", "0", "--data", programs.data)
    assert demo.url
    server = server_of(demo)
    demo.until("The job has ended and the server stays until Ctrl-C")
    api = Api(programs.runtime)
    (task,) = api("GET", "/api/tasks")["tasks"]
    assert task["state"] == "succeeded"
    assert (task["result"]["exact_groups"], task["result"]["near_pairs"]) == (1, 1)
    assert demo.end(signal.SIGINT) == 0
    assert gone(server)


def test_ctrl_c_in_the_middle_cancels_the_job(programs: Programs) -> None:
    texts = plant(programs.folder / "texts", others=400, length=3000)
    demo = programs.start("demo", texts, "--port", "0", "--data", programs.data)
    assert demo.url
    watch = programs.start("watch", "--wait")
    watch.until("Fingerprint")
    demo.process.send_signal(signal.SIGINT)
    assert watch.end() == 3
    assert demo.end() == 130
    assert "Traceback" not in demo.errors.read_text()


def test_a_server_that_cannot_start_is_one_sentence(programs: Programs) -> None:
    url = programs.serve().url
    ended = programs.run("demo", "--once", "--port", "0", "--data", programs.data)
    assert ended.returncode == 1
    assert "already uses the folder" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert url


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nowhere"], "nowhere is not a folder"), (["--files", "0"], "--files is a number from 1")],
)
def test_wrong_arguments(programs: Programs, arguments: list[str], said: str) -> None:
    ended = programs.run("demo", *arguments)
    assert ended.returncode == 2
    assert ended.stderr == f"headway: {said}\n"


def test_a_killed_demo_leaves_no_process_behind(programs: Programs) -> None:
    texts = plant(programs.folder / "texts", others=400, length=3000)
    demo = programs.start("demo", texts, "--port", "0", "--data", programs.data)
    server = server_of(demo)
    children = psutil.Process(demo.process.pid).children(recursive=True)
    assert server in {child.pid for child in children}
    demo.process.kill()
    _, alive = psutil.wait_procs(children, timeout=30)
    # Where nobody reaps orphans, what has ended stays as a name.
    assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []
    assert not (programs.runtime / "server.json").exists()
