"""Bad days: a server that is killed, a disk that is full, a database that somebody else has locked."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import urllib3
from websockets.exceptions import ConnectionClosed

from headway.server.app import DATABASE
from tests.clients import View, connected, logged_in
from tests.server.test_rest import error_of
from tests.servers import PATIENCE, Server, running_server, serving

pytestmark = pytest.mark.slow

TASKS = 200
KILLS = 2
FINAL = {"succeeded", "failed", "cancelled"}


class Life:
    """What outlasts the server: who reports, who watches, and what they were told."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.done = dict.fromkeys((f"task-{number:03}" for number in range(TASKS)), 0)
        self.created: set[str] = set()
        self.ended: dict[str, str] = {}
        self.notified: set[str] = set()
        self.batches = 0

    def batch(self) -> list[dict[str, Any]]:
        """What the reporter says next; until it is acknowledged it is said again."""
        reports: list[dict[str, Any]] = []
        for task in self.chance.sample(sorted(self.done), 40):
            if task not in self.created:
                reports.append({"type": "create", "task": task, "title": task, "total": 1000, "start": True})
            elif task not in self.ended and self.chance.random() < 0.03:
                # Together with where it stands: ticks of the last moments before a kill may be lost.
                reports.append({"type": "progress", "task": task, "done": self.done[task]})
                reports.append({"type": self.chance.choice(["succeed", "fail", "cancel"]), "task": task})
            elif task not in self.ended:
                self.done[task] = min(1000, self.done[task] + self.chance.randint(1, 20))
                reports.append({"type": "progress", "task": task, "done": self.done[task]})
        if self.chance.random() < 0.2:
            reports.append({"type": "notify", "id": f"notice-{self.batches}", "title": "hello"})
        return reports

    def standing(self) -> list[dict[str, Any]]:
        """Where every unfinished task stands, as a worker tells it from time to time."""
        return [
            {"type": "progress", "task": task, "done": self.done[task]}
            for task in sorted(self.created - self.ended.keys())
        ]

    def acknowledged(self, reports: list[dict[str, Any]], answer: dict[str, Any]) -> None:
        assert answer["rejected"] == []
        self.batches += 1
        for report in reports:
            if report["type"] == "create":
                self.created.add(report["task"])
            elif report["type"] == "notify":
                self.notified.add(report["id"])
            elif report["type"] != "progress":
                self.ended[report["task"]] = answer["tasks"][report["task"]][0]

    async def report(self, server: Server, batches: int) -> None:
        """Report until the server is gone; at least so many batches."""
        token = server.token()
        last = self.batches + batches
        reports = self.batch()
        while self.batches < last:
            try:
                response = await asyncio.to_thread(
                    server.request, "POST", "/api/ingest", token, {"reports": reports}
                )
            except urllib3.exceptions.HTTPError:
                return
            assert response.status == 200, response.data
            self.acknowledged(reports, response.json())
            reports = self.batch()


class Watcher:
    """A browser's view over all lives of the server; no bar in it goes back and no end is taken back."""

    def __init__(self) -> None:
        self.view = View()
        self.known: dict[str, Any] = {}

    async def watch(self, server: Server, until: Callable[[], bool]) -> None:
        async with connected(server) as client:
            await client.say("auth", token=server.token())
            await client.say("subscribe", id=1, channel="user:ada", cursor=self.view.cursor)
            try:
                while not until():
                    message = await client.hear("snapshot", "change")
                    self.view.take(message)
                    self.compare()
            except ConnectionClosed:
                pass

    def compare(self) -> None:
        for task, record in self.view.records.items():
            before = self.known.get(task)
            if before is not None and before["rev"] != record["rev"] and "progress" in record:
                assert (record["progress"]["percent"] or 0) >= (before["progress"]["percent"] or 0)
                assert before["state"] not in FINAL or record["state"] == before["state"]
        self.known = dict(self.view.records)


async def test_a_killed_server_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    life, watchers = Life(seed), [Watcher(), Watcher()]
    for _ in range(KILLS):
        async with running_server(tmp_path) as server:
            until = life.batches + 60
            async with asyncio.TaskGroup() as group:
                reporting = group.create_task(life.report(server, 10_000))
                for watcher in watchers:
                    group.create_task(watcher.watch(server, lambda: False))
                while life.batches < until and not reporting.done():
                    await asyncio.to_thread(server.ask, "GET", "/api/stats", server.token())
                # In the middle of a batch, as likely as not.
                server.process.kill()
    async with running_server(tmp_path) as server:
        token = server.token()
        tasks = {task["id"]: task for task in everything(server, token)}
        assert life.created <= tasks.keys()
        assert {task: tasks[task]["state"] for task in life.ended} == life.ended
        # The reporter goes on, and the watchers see all of it.
        async with asyncio.TaskGroup() as group:
            await life.report(server, 15)
            server.report(token, *life.standing())
            truth = {task["id"]: task for task in everything(server, token)}

            def complete(watcher: Watcher) -> bool:
                seen = {name: record for name, record in watcher.view.records.items() if name in truth}
                return seen == truth and life.notified <= watcher.view.records.keys()

            for watcher in watchers:
                group.create_task(watcher.watch(server, lambda watcher=watcher: complete(watcher)))  # type: ignore[misc]
    for watcher in watchers:
        assert watcher.view.resets == 1
    assert len(life.ended) > 10


def everything(server: Server, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = server.ask("GET", f"/api/tasks?limit=200{after}", token)
        found += page["tasks"]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


def test_what_was_said_before_a_kill_is_known_when_it_is_said_again(tmp_path: Path) -> None:
    create = {"title": "x", "idempotency_key": "k"}
    notice = {"id": "n", "title": "hello"}
    with serving(tmp_path) as server:
        token = server.token()
        task = server.ask("POST", "/api/tasks", token, create, status=201)
        server.ask("POST", "/api/notifications", token, notice, status=201)
        server.ask("POST", "/api/notifications/n/read", token)
        # A second server on the same folder is refused, and does the first one no harm.
        with pytest.raises(AssertionError, match="already uses the folder"), serving(tmp_path):
            pass
        assert server.request("GET", "/readyz").status == 200
        server.kill()
    with serving(tmp_path) as server:
        # Asked by others first, so that nothing of the channel is at hand.
        error_of(server.request("POST", "/api/notifications", server.token("eve"), notice), 409, 108)
        error_of(
            server.request("POST", "/api/tasks", server.token("eve"), {"title": "x", "id": task["id"]}),
            409,
            108,
        )
        assert server.ask("POST", "/api/tasks", token, create, status=200) == task
        assert server.ask("POST", "/api/notifications", token, notice, status=200)["status"] == "read"


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Another program holds the database's lock."""
    with closing(sqlite3.connect(server.data / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(server: Server) -> Iterator[None]:
    """No file of the server's can grow, as on a disk that is full."""
    process = psutil.Process(server.process.pid)
    _, most = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (4096, most))
    yield
    process.rlimit(psutil.RLIMIT_FSIZE, (most, most))


needs_limits = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")


@pytest.mark.parametrize("trouble", [locked, pytest.param(full, marks=needs_limits)])
async def test_a_store_that_takes_no_writes(tmp_path: Path, trouble: Any) -> None:
    async with running_server(tmp_path) as server:
        token = server.token()
        running = {"type": "create", "title": "x", "total": 100, "start": True}
        server.report(token, {**running, "task": "a"}, {**running, "task": "b"}, {**running, "task": "c"})
        async with logged_in(server, token) as client:
            view = View()
            await client.follow(view, channel="user:ada")
            with trouble(server):
                refused = await asyncio.gather(
                    ask_all(server, token, ("POST", "/api/tasks", {"title": "y", "id": "new"})),
                    ask_all(server, token, ("POST", "/api/tasks/a/succeed", None)),
                    # Whoever says the same thing meanwhile must not be told that it is done.
                    ask_all(server, token, ("POST", "/api/tasks/a/succeed", None)),
                    ask_all(
                        server, token, ("POST", "/api/ingest", {"reports": [{"type": "fail", "task": "b"}]})
                    ),
                    ask_all(
                        server, token, ("POST", "/api/ingest", {"reports": [{"type": "fail", "task": "b"}]})
                    ),
                    ask_all(server, token, ("POST", "/api/notifications", {"title": "y", "id": "n"})),
                )
                for response in refused:
                    body = error_of(response, 503, 200)
                    assert body["retryable"]
                    assert "Retry-After" in response.headers
                assert server.request("GET", "/readyz").status == 503
                assert server.request("GET", "/healthz").status == 200
                # What is known is still told, and it is what was acknowledged.
                page = {task["id"]: task["state"] for task in server.ask("GET", "/api/tasks", token)["tasks"]}
                assert page == {"a": "running", "b": "running", "c": "running"}
                # Ticks are taken: the newest one is written when that is possible.
                server.report(token, {"type": "progress", "task": "c", "done": 40})
                assert view.take(await client.hear("change"))["task"]["progress"]["percent"] == 40
                assert (await client.answer("cancel", task="b", ref=1))["code"] == 200
            until_ready(server)
            # Once more with nothing that waits to be written, which would be tried again anyway.
            with trouble(server):
                error_of(server.request("POST", "/api/tasks", token, {"title": "z"}), 503, 200)
                assert server.request("GET", "/readyz").status == 503
            until_ready(server)
            # Nothing of what was refused has reached anybody.
            assert {record["state"] for record in view.records.values()} == {"running"}
            assert (await client.answer("ping"))["type"] == "pong"
            assert server.ask("POST", "/api/tasks/a/succeed", token)["state"] == "succeeded"
            assert view.take(await client.hear("change"))["task"]["state"] == "succeeded"
            server.ask("POST", "/api/tasks", token, {"title": "y", "id": "new"}, status=201)
            assert view.take(await client.hear("change"))["task"]["id"] == "new"
        server.kill()
    with serving(tmp_path) as server:
        stored = {task["id"]: task for task in server.ask("GET", "/api/tasks", token)["tasks"]}
        assert {name: task["state"] for name, task in stored.items()} == {
            "a": "succeeded",
            "b": "running",
            "c": "running",
            "new": "queued",
        }
        assert stored["c"]["progress"]["percent"] == 40


async def ask_all(server: Server, token: str, call: tuple[str, str, Any]) -> urllib3.BaseHTTPResponse:
    method, path, body = call
    return await asyncio.to_thread(server.request, method, path, token, body)


def until_ready(server: Server) -> None:
    """By itself, without anybody who tries to write: a balancer sends nobody before."""
    deadline = time.monotonic() + PATIENCE
    while server.request("GET", "/readyz").status != 200:
        assert time.monotonic() < deadline, "it never got ready again"
