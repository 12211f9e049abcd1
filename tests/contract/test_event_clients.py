"""Clients of Server-Sent Events as people have them: `eventsource` in Node and `curl -N`, on a network that breaks."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.clients import View
from tests.conformance.stock import installed, node
from tests.contract.test_streams import make_task
from tests.network import Fault, Kind, Network
from tests.servers import PATIENCE, Server

pytestmark = pytest.mark.slow


@contextmanager
def program(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A program whose lines are read."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def event_source(url: str) -> Any:
    return program(node(), str(installed() / "events.mjs"), url)


def lines(process: subprocess.Popen[str]) -> Iterator[Any]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def streams(door: Server, user: str, network: Network | None = None) -> str:
    url = door.url if network is None else f"{network.url}{door.url.removeprefix(door.origin)}"
    return f"{url}/events?token={door.token(user)}"


def test_an_event_source_resumes_through_cuts_and_stops_after_the_end(
    door: Server, user: str, seed: int
) -> None:
    chance = random.Random(seed)
    token = door.token(user)
    task = make_task(door, token, total=1000)
    cuts: list[Kind] = ["cut", "reset", "half"] * 2

    def fate() -> list[Fault]:
        return [Fault(cuts.pop(), chance.randint(0, 1500))] if cuts else []

    view = View()
    done = 0
    ended = False
    with (
        Network(door.address[1], fate) as network,
        event_source(f"{streams(door, user, network)}&task={task}&until=done") as process,
    ):
        for heard in lines(process):
            if "message" in heard and heard["message"]["type"] in {"snapshot", "change"}:
                view.take(heard["message"])
                assert heard["id"] == view.cursor
            if heard.get("closed"):
                break
            # One thing after the other: what is said while it is away it hears when it is back.
            if ended:
                continue
            if "error" in heard or done < 20 or cuts:
                done = min(1000, done + 1)
                door.ask("PATCH", f"/api/tasks/{task}", token, {"done": done})
            else:
                door.ask("POST", f"/api/tasks/{task}/succeed", token, {})
                ended = True
        assert process.wait(PATIENCE) == 0
    assert not cuts
    assert sum(network.struck.values()) == 6
    # 204 is what closed it.
    assert heard["error"] == 204
    assert view.records[task]["state"] == "succeeded"
    assert view.resets == 1


def test_last_event_id_counts_for_more_than_the_cursor_of_the_url(door: Server, user: str) -> None:
    token = door.token(user)
    task = make_task(door, token)
    (first,) = door.ask("GET", f"/poll?task={task}", token)["messages"]
    door.ask("PATCH", f"/api/tasks/{task}", token, {"done": 1})
    (second,) = door.ask("GET", f"/poll?task={task}&cursor={first['cursor']}", token)["messages"]
    headers = {"Authorization": f"Bearer {token}", "Last-Event-ID": second["cursor"]}
    answer = door.request("GET", f"/poll?task={task}&cursor={first['cursor']}&wait=0", headers=headers).json()
    assert answer == {"messages": []}


def test_who_comes_again_before_the_end_is_told_of_it(door: Server, user: str) -> None:
    token = door.token(user)
    task = make_task(door, token)
    (first,) = door.ask("GET", f"/poll?task={task}", token)["messages"]
    door.ask("POST", f"/api/tasks/{task}/succeed", token, {})
    headers = {"Authorization": f"Bearer {token}", "Last-Event-ID": first["cursor"]}
    path = f"/events?task={task}&until=done"
    answer = door.request("GET", path, headers=headers)
    assert answer.status == 200
    assert b'"state":"succeeded"' in answer.data
    (last,) = door.ask("GET", f"/poll?task={task}", token)["messages"]
    headers["Last-Event-ID"] = last["cursor"]
    assert door.request("GET", path, headers=headers).status == 204
    # Without `until` there may always be more, and a stranger learns nothing by asking.
    stranger = {**headers, "Authorization": f"Bearer {door.token('stranger')}"}
    assert door.request("GET", path, headers=stranger).status == 404


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_shows_events_as_they_come_heartbeats_and_the_end(impatient: Server, user: str) -> None:
    token = impatient.token(user)
    task = make_task(impatient, token)
    with program("curl", "-sN", f"{streams(impatient, user)}&task={task}&until=done") as process:
        assert process.stdout is not None
        seen: list[str] = []

        def until(text: str) -> None:
            for line in process.stdout or ():
                seen.append(line.rstrip("\n"))
                if text in line:
                    return
            raise AssertionError(seen)

        until('"reset":true')
        assert seen[0] == "retry: 2000"
        impatient.ask("PATCH", f"/api/tasks/{task}", token, {"done": 3})
        until('"done":3')
        until(": heartbeat")
        impatient.ask("POST", f"/api/tasks/{task}/succeed", token, {})
        seen += process.stdout.read().splitlines()
        assert process.wait(PATIENCE) == 0
    assert '"state":"succeeded"' in "".join(seen)
