"""The one-way doors, Server-Sent Events and long-poll, behind our server and behind plain ASGI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from tests.servers import FORMS, PATIENCE, Form, Server

pytestmark = pytest.mark.slow

DOORS: tuple[Form, ...] = (*FORMS, "mounted")


class Events:
    """A stream of events as a browser reads it."""

    def __init__(self, server: Server, path: str, token: str | None = None, **headers: str) -> None:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self.response = urllib3.PoolManager().request(
            "GET", server.url + path, headers=headers, preload_content=False, timeout=PATIENCE, retries=False
        )
        self.status = self.response.status
        self.last_id = ""
        self.comments = 0
        self.retry = 0
        self._events = self._read()

    def _read(self) -> Iterator[Any]:
        held = ""
        for chunk in self.response.stream(1):
            held += chunk.decode()
            while "\n\n" in held:
                block, held = held.split("\n\n", 1)
                fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
                self.retry = int(fields.get("retry", self.retry))
                self.comments += block.startswith(":")
                self.last_id = fields.get("id", self.last_id)
                if "data" in fields:
                    yield json.loads(fields["data"])

    def next(self) -> Any:
        return next(self._events)

    def rest(self) -> list[Any]:
        """Everything until the stream ends by itself."""
        return list(self._events)

    def close(self) -> None:
        self.response.close()


def make_task(server: Server, token: str, **fields: Any) -> str:
    task: str = server.ask(
        "POST", "/api/tasks", token, {"title": "A job", "total": 10, "start": True, **fields}
    )["id"]
    return task


@pytest.mark.everywhere
def test_a_stream_follows_a_channel(door: Server, user: str) -> None:
    token = door.token(user)
    task = make_task(door, token)
    events = Events(door, f"/events?channel=user:{user}", token)
    assert events.status == 200
    assert events.response.headers["content-type"].startswith("text/event-stream")
    assert events.response.headers["x-accel-buffering"] == "no"
    first = events.next()
    assert (first["type"], first["reset"], [known["id"] for known in first["tasks"]]) == (
        "snapshot",
        True,
        [task],
    )
    assert events.last_id == first["cursor"]
    door.ask("PATCH", f"/api/tasks/{task}", token, {"done": 3})
    change = events.next()
    assert (change["type"], change["task"]["progress"]["done"]) == ("change", 3)
    assert events.last_id == change["cursor"]
    events.close()


@pytest.mark.everywhere
def test_last_event_id_resumes_with_what_changed(door: Server, user: str) -> None:
    token = door.token(user)
    still, moving = make_task(door, token), make_task(door, token)
    events = Events(door, f"/events?channel=user:{user}", token)
    events.next()
    events.close()
    for done in range(1, 6):
        door.ask("PATCH", f"/api/tasks/{moving}", token, {"done": done})
    again = Events(door, f"/events?channel=user:{user}", token, **{"Last-Event-ID": events.last_id})
    answer = again.next()
    assert (answer["reset"], [task["id"] for task in answer["tasks"]]) == (False, [moving])
    assert answer["tasks"][0]["progress"]["done"] == 5
    assert still not in {task["id"] for task in answer["tasks"]}
    again.close()


@pytest.mark.parametrize("cursor", ["nonsense", "otherepoch.3", "9", "%00", "a.b.c"])
def test_a_cursor_that_is_none_gives_a_snapshot(door: Server, user: str, cursor: str) -> None:
    token = door.token(user)
    make_task(door, token)
    events = Events(door, f"/events?channel=user:{user}&cursor={cursor}", token)
    assert events.next()["reset"] is True
    events.close()


@pytest.mark.everywhere
def test_a_stream_ends_after_the_last_state_when_asked(door: Server, user: str) -> None:
    token = door.token(user)
    task = make_task(door, token)
    events = Events(door, f"/events?task={task}&until=done", token)
    events.next()
    for done in range(1, 11):
        door.ask("PATCH", f"/api/tasks/{task}", token, {"done": done})
    door.ask("POST", f"/api/tasks/{task}/succeed", token)
    last = events.rest()[-1]
    assert last["task"]["state"] == "succeeded"
    # Who comes later gets the last state and the end.
    late = Events(door, f"/events?task={task}&until=done", token).rest()
    assert [message["tasks"][0]["state"] for message in late] == ["succeeded"]


def test_a_stream_carries_the_log(door: Server, user: str) -> None:
    token = door.token(user)
    task = make_task(door, token)
    door.ask("POST", f"/api/tasks/{task}/log", token, {"text": "first"})
    events = Events(door, f"/events?task={task}&log=0", token)
    messages = [events.next(), events.next()]
    assert [message["type"] for message in messages] == ["snapshot", "log"]
    door.ask("POST", f"/api/tasks/{task}/log", token, {"text": "second"})
    assert events.next()["entries"][0]["text"] == "second"
    events.close()


def test_the_token_may_stand_in_the_query_and_is_not_logged(door: Server, user: str) -> None:
    token = door.token(user)
    events = Events(door, f"/events?channel=user:{user}&token={token}")
    assert events.next()["type"] == "snapshot"
    events.close()
    assert token not in door.output


@pytest.mark.everywhere
def test_a_post_asks_for_several_with_their_cursors(door: Server, user: str) -> None:
    token = door.token(user)
    task = make_task(door, token)
    wanted = {"subscriptions": [{"id": "mine", "channel": f"user:{user}"}, {"id": 2, "task": task}]}
    messages = door.ask("POST", "/poll", token, wanted)["messages"]
    assert [(message["id"], message["reset"]) for message in messages] == [("mine", True), (2, True)]


@pytest.mark.everywhere
def test_a_poll_answers_at_once_and_then_when_something_changes(door: Server, user: str) -> None:
    token = door.token(user)
    task = make_task(door, token)
    (snapshot,) = door.ask("GET", f"/poll?channel=user:{user}", token)["messages"]
    door.ask("PATCH", f"/api/tasks/{task}", token, {"done": 1})
    (changes,) = door.ask("GET", f"/poll?channel=user:{user}&cursor={snapshot['cursor']}", token)["messages"]
    assert (changes["reset"], changes["tasks"][0]["progress"]["done"]) == (False, 1)
    nothing = door.ask("GET", f"/poll?channel=user:{user}&cursor={changes['cursor']}&wait=0.2", token)
    assert nothing == {"messages": []}


def test_polls_miss_nothing_of_a_job(door: Server, user: str) -> None:
    token = door.token(user)
    task = make_task(door, token)
    (message,) = door.ask("GET", f"/poll?task={task}", token)["messages"]
    done = []
    for reported in range(1, 11):
        door.ask("PATCH", f"/api/tasks/{task}", token, {"done": reported})
        answer = door.ask("GET", f"/poll?task={task}&cursor={message['cursor']}", token)
        message = answer["messages"][-1]
        known = message["task"] if "task" in message else message["tasks"][-1]
        done.append(known["progress"]["done"])
    assert done == sorted(done)
    assert done[-1] == 10


@pytest.mark.parametrize("path", ["/events", "/poll"])
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, 102),
        ("?channel=user:somebody-else", 403, 105),
        ("?task=nowhere", 404, 104),
        ("?channel=../etc", 400, 102),
        ("?channel=public&max_hz=1e9", 400, 102),
        ("?channel=public&wait=-1", 400, 102),
        ("?task=x&log=abc", 400, 102),
    ],
)
def test_what_cannot_be_is_refused_readably(
    door: Server, user: str, path: str, query: str, status: int, code: int
) -> None:
    answer = door.request("GET", path + query, door.token(user))
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert set(answer.json()) >= {"code", "message", "retryable"}


@pytest.mark.everywhere
@pytest.mark.parametrize("path", ["/events?channel=public", "/poll?channel=public"])
def test_nobody_comes_in_without_a_token(door: Server, path: str) -> None:
    assert door.request("GET", path).json()["code"] == 401
    assert door.request("GET", path, "eyJub3QiOiJvdXJzIn0.e30.x").json()["code"] == 401
    # The cookie comes by itself, so a page of another site cannot use it.
    cookie = {"Cookie": f"headway={door.token()}", "Origin": "https://evil.example"}
    assert door.request("GET", path, headers=cookie).json()["code"] == 403


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"subscriptions": []}', b'{"subscriptions": [3]}', b"x" * 70_000]
)
def test_a_body_that_asks_for_nothing_is_refused(door: Server, user: str, body: bytes) -> None:
    answer = door.request("POST", "/poll", door.token(user), raw=body)
    assert answer.status in {400, 413}
    assert answer.json()["code"] in {100, 102, 103}


def test_another_users_task_reaches_no_stream(door: Server, user: str) -> None:
    mine, theirs = door.token(user), door.token(f"{user}2")
    events = Events(door, f"/events?channel=user:{user}&channel=public", mine)
    events.next(), events.next()
    task = make_task(door, theirs, title="Secret")
    assert door.request("GET", f"/events?task={task}", mine).json()["code"] == 104
    seen = make_task(door, mine)
    assert events.next()["task"]["id"] == seen
    events.close()
