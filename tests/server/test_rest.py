"""REST: what each call does, who may call it, and what it says when it will not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from headway.model.grant import Ability
from headway.model.task import TRANSITIONS, WANTED, Command, TaskState
from tests.clients import logged_in
from tests.servers import Server

pytestmark = pytest.mark.slow

OPEN = {"/healthz", "/readyz", "/api/login", "/api/logout", "/api/openapi.json"}
COMMANDS = (
    Command.START,
    Command.PAUSE,
    Command.RESUME,
    Command.CANCEL,
    Command.SUCCEED,
    Command.FAIL,
    Command.RETRY,
)
ROUTES = {
    ("POST", "/api/tasks"),
    ("GET", "/api/tasks"),
    ("GET", "/api/tasks/{id}"),
    ("PATCH", "/api/tasks/{id}"),
    ("DELETE", "/api/tasks/{id}"),
    *(("POST", f"/api/tasks/{{id}}/{command.value}") for command in COMMANDS),
    ("POST", "/api/tasks/{id}/heartbeat"),
    ("POST", "/api/tasks/{id}/log"),
    ("GET", "/api/tasks/{id}/log"),
    ("POST", "/api/ingest"),
    ("POST", "/api/notifications"),
    ("GET", "/api/notifications"),
    ("GET", "/api/notifications/unread_count"),
    ("GET", "/api/notifications/{id}"),
    ("DELETE", "/api/notifications/{id}"),
    ("POST", "/api/notifications/{id}/read"),
    ("POST", "/api/notifications/{id}/unread"),
    ("POST", "/api/notifications/{id}/archive"),
    ("POST", "/api/notifications/read_all"),
    ("POST", "/api/notifications/archive_all"),
    ("GET", "/api/tasks/{id}/notify"),
    ("POST", "/api/tasks/{id}/notify"),
    ("DELETE", "/api/tasks/{id}/notify"),
    ("GET", "/api/stats"),
    ("GET", "/api/me"),
    ("POST", "/api/tickets"),
    ("POST", "/api/renew"),
    ("GET", "/api/keys"),
    ("POST", "/api/keys"),
    ("DELETE", "/api/keys/{id}"),
    ("POST", "/api/revocations"),
    ("POST", "/api/shares"),
    ("GET", "/api/shares"),
    ("DELETE", "/api/shares/{id}"),
    ("GET", "/api/webhooks"),
    ("POST", "/api/webhooks"),
    ("GET", "/api/webhooks/{id}"),
    ("PATCH", "/api/webhooks/{id}"),
    ("DELETE", "/api/webhooks/{id}"),
    ("POST", "/api/webhooks/{id}/secret"),
    ("POST", "/api/webhooks/{id}/test"),
    ("GET", "/api/webhooks/{id}/attempts"),
    ("POST", "/api/webhooks/{id}/redeliver"),
    ("GET", "/api/fallbacks"),
    ("PUT", "/api/fallbacks/{id}"),
    ("DELETE", "/api/fallbacks/{id}"),
}
"""Every call that needs a token."""


def error_of(response: Any, status: int, code: int) -> dict[str, Any]:
    """The body of an answer that is this error."""
    assert response.status == status, response.data
    body: dict[str, Any] = response.json()
    assert body["code"] == code, body
    assert body["message"]
    assert isinstance(body["retryable"], bool)
    return body


def test_a_task_from_its_beginning_to_its_end(server: Server, user: str, token: str) -> None:
    created = server.ask(
        "POST",
        "/api/tasks",
        token,
        {
            "title": "Importing customers",
            "kind": "import",
            "total": 4,
            "unit": "rows",
            "tags": ["night", "night", "big"],
            "meta": {"file": "a.csv"},
            "steps": [{"name": "read"}, {"name": "write", "weight": 3}],
            "lost_after": 60,
        },
        status=201,
    )
    path = f"/api/tasks/{created['id']}"
    assert created["channel"] == f"user:{user}"
    assert (created["state"], created["attempt"], created["tags"]) == ("queued", 1, ["night", "big"])
    assert created == server.ask("GET", path, token)
    assert server.ask("POST", f"{path}/start", token)["state"] == "running"
    progress = server.ask("PATCH", path, token, {"done": 1, "step": "write", "total": 2, "detail": {"a": 1}})
    assert progress["progress"]["percent"] == 62.5
    assert progress["progress"]["step"]["index"] == 2
    beaten = server.ask("POST", f"{path}/heartbeat", token)
    assert beaten["rev"] > progress["rev"]
    assert server.ask("POST", f"{path}/pause", token)["state"] == "paused"
    assert server.ask("POST", f"{path}/resume", token)["state"] == "running"
    assert server.ask("POST", f"{path}/log", token, {"text": "half way", "level": "warning"}) == {"added": 1}
    done = server.ask("POST", f"{path}/succeed", token, {"result": {"rows": 4}})
    assert (done["state"], done["result"], done["progress"]["percent"]) == ("succeeded", {"rows": 4}, 100)
    assert server.request("DELETE", path, token).status == 204
    error_of(server.request("GET", path, token), 404, 104)
    error_of(server.request("DELETE", path, token), 404, 104)


def test_failing_and_trying_again(server: Server, token: str) -> None:
    task = server.ask("POST", "/api/tasks", token, {"title": "x", "total": 4, "start": True})["id"]
    path = f"/api/tasks/{task}"
    server.ask("PATCH", path, token, {"done": 1})
    failed = server.ask("POST", f"{path}/fail", token, {"error": "the disk is full"})
    assert (failed["state"], failed["error"], failed["progress"]["percent"]) == (
        "failed",
        "the disk is full",
        25,
    )
    retried = server.ask("POST", f"{path}/retry", token)
    assert (retried["state"], retried["attempt"], retried["progress"]["percent"]) == ("queued", 2, 0)
    assert [(past["attempt"], past["state"], past["percent"]) for past in retried["earlier"]] == [
        (1, "failed", 25)
    ]
    # What an earlier attempt still says is not believed.
    assert server.ask("PATCH", path, token, {"done": 3, "attempt": 1})["progress"]["done"] == 0
    assert server.ask("POST", f"{path}/cancel", token)["state"] == "cancelled"


def test_only_a_finished_task_is_removed(server: Server, token: str) -> None:
    task = server.ask("POST", "/api/tasks", token, {"title": "x"})["id"]
    body = error_of(server.request("DELETE", f"/api/tasks/{task}", token), 409, 106)
    assert (body["state"], body["wanted"]) == ("queued", "removed")


@pytest.fixture(scope="module")
def one_of_each(server: Server) -> dict[tuple[TaskState, Command], str]:
    """A task in each state for each command, by both."""
    token = server.token("states")
    ways: dict[TaskState, list[str]] = {
        TaskState.QUEUED: [],
        TaskState.RUNNING: ["start"],
        TaskState.PAUSED: ["start", "pause"],
        TaskState.SUCCEEDED: ["succeed"],
        TaskState.FAILED: ["fail"],
        TaskState.CANCELLED: ["cancel"],
        TaskState.LOST: ["start"],
    }
    made = {(state, command): f"{state}-{command}" for state in ways for command in COMMANDS}
    for (state, _), task in made.items():
        patience = {"lost_after": 1} if state is TaskState.LOST else {"lost_after": 600}
        server.report(
            token,
            {"type": "create", "task": task, "title": "x", **patience},
            *({"type": way, "task": task} for way in ways[state]),
        )
    asyncio.run(
        all_lost(server, token, {task for (state, _), task in made.items() if state is TaskState.LOST})
    )
    return made


async def all_lost(server: Server, token: str, tasks: set[str]) -> None:
    async with logged_in(server, token) as client:
        await client.say("subscribe", id=1, channel="user:states")
        while tasks:
            message = await client.hear("snapshot", "change")
            seen = message["tasks"] if message["type"] == "snapshot" else [message["task"]]
            tasks = tasks - {task["id"] for task in seen if task["state"] == "lost"}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", TaskState)
def test_each_command_in_each_state(
    server: Server, one_of_each: dict[tuple[TaskState, Command], str], state: TaskState, command: Command
) -> None:
    token = server.token("states")
    path = f"/api/tasks/{one_of_each[state, command]}"
    before = server.ask("GET", path, token)
    assert before["state"] == state
    response = server.request("POST", f"{path}/{command}", token)
    after = TRANSITIONS.get((state, command))
    if after is not None:
        assert (response.status, response.json()["state"]) == (200, after)
        assert response.json() == server.ask("GET", path, token)
    elif WANTED[command] is state:
        # It is there already: asking again is fine and changes nothing.
        assert (response.status, response.json()) == (200, before)
    else:
        body = error_of(response, 409, 106)
        assert (body["state"], body["wanted"]) == (state, WANTED[command])
        assert server.ask("GET", path, token) == before


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES))
def test_each_call_needs_a_token(server: Server, method: str, path: str) -> None:
    path = path.replace("{id}", "some-id")
    body = None if method == "GET" else {"title": "x", "text": "x", "reports": []}
    refused = server.request(method, path, body=body)
    assert not error_of(refused, 401, 401)["retryable"]
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    error_of(server.request(method, path, "not.a.token", body), 401, 401)
    error_of(server.request(method, path, server.tokens.make("ada", ttl=-1), body), 401, 402)
    for wrong in ("Basic YTpi", "Bearer", "Bearer ", "bearer\tx"):
        error_of(server.request(method, path, body=body, headers={"Authorization": wrong}), 401, 401)


def test_there_is_no_other_call(server: Server) -> None:
    paths = server.request("GET", "/api/openapi.json").json()["paths"]
    known = {
        (method.upper(), re.sub(r"\{\w+\}", "{id}", path))
        for path, methods in paths.items()
        for method in methods
    }
    assert {(method, path) for method, path in known if path not in OPEN} == ROUTES


def calls_on(task: str) -> Iterable[tuple[str, str, Any]]:
    yield "GET", f"/api/tasks/{task}", None
    yield "GET", f"/api/tasks/{task}/log", None
    yield "PATCH", f"/api/tasks/{task}", {"done": 1}
    yield "DELETE", f"/api/tasks/{task}", None
    yield "POST", f"/api/tasks/{task}/log", {"text": "x"}
    for command in ("start", "pause", "resume", "cancel", "succeed", "fail", "retry", "heartbeat"):
        yield "POST", f"/api/tasks/{task}/{command}", None


def test_nobody_touches_or_sees_what_is_another_s(server: Server, user: str, token: str) -> None:
    owner = server.token(f"{user}-owner")
    task = server.ask("POST", "/api/tasks", owner, {"title": "mine", "start": True})
    for method, path, body in calls_on(task["id"]):
        theirs = error_of(server.request(method, path, token, body), 404, 104)
        nobodys = error_of(server.request(method, path.replace(task["id"], "nowhere"), token, body), 404, 104)
        # Nothing tells a foreign task from one that does not exist.
        assert theirs == {**nobodys, "task": task["id"]}
    error_of(
        server.request("POST", "/api/tasks", token, {"title": "x", "channel": task["channel"]}), 403, 105
    )
    notice = {"title": "x", "user": f"{user}-owner"}
    error_of(server.request("POST", "/api/notifications", token, notice), 403, 105)
    child = {"title": "x", "parent": task["id"]}
    assert error_of(server.request("POST", "/api/tasks", token, child), 400, 102)["field"] == "parent"
    assert server.ask("GET", f"/api/tasks/{task['id']}", owner) == task
    assert task["id"] not in str(server.ask("GET", "/api/tasks?limit=200", token))
    assert server.ask("GET", f"/api/tasks?channel={task['channel']}", token) == {"tasks": [], "next": None}


def test_abilities(server: Server, user: str, token: str) -> None:
    task = server.ask("POST", "/api/tasks", token, {"title": "x", "start": True})["id"]
    reader, canceller = server.token(user, Ability.READ), server.token(user, Ability.READ, Ability.CANCEL)
    for method, path, body in calls_on(task):
        if method == "GET":
            assert server.request(method, path, reader).status == 200
        else:
            error_of(server.request(method, path, reader, body), 403, 105)
    error_of(server.request("PATCH", f"/api/tasks/{task}", canceller, {"done": 1}), 403, 105)
    error_of(server.request("POST", "/api/tasks", canceller, {"title": "x"}), 403, 105)
    error_of(server.request("POST", f"/api/tasks/{task}/succeed", canceller), 403, 105)
    assert server.ask("POST", f"/api/tasks/{task}/cancel", canceller)["state"] == "cancelled"
    writer = server.token(user, Ability.PUBLISH)
    error_of(server.request("GET", f"/api/tasks/{task}", writer), 403, 105)
    error_of(server.request("GET", "/api/tasks", writer), 403, 105)


def test_an_administrator_sees_everything(server: Server, user: str, token: str) -> None:
    task = server.ask("POST", "/api/tasks", token, {"title": "x"})["id"]
    admin = server.token("root", Ability.ADMIN)
    assert server.ask("GET", f"/api/tasks/{task}", admin)["id"] == task
    assert f"user:{user}" in server.ask("GET", "/api/me", admin)["channels"]
    counts = server.ask("GET", "/api/stats", admin)
    assert counts["store_ready"] is True
    assert counts["tasks"]["queued"] >= 1
    mine = server.ask("GET", "/api/stats", token)
    nothing = dict.fromkeys(("connections", "subscriptions", "messages", "refusals"), 0)
    assert mine == {"tasks": {**dict.fromkeys(mine["tasks"], 0), "queued": 1}, **nothing}


def test_an_idempotency_key_makes_one_task(server: Server, user: str, token: str) -> None:
    first = server.request("POST", "/api/tasks", token, {"title": "a", "idempotency_key": "k"})
    again = server.request("POST", "/api/tasks", token, {"title": "b", "idempotency_key": "k"})
    header = server.request("POST", "/api/tasks", token, {"title": "c"}, headers={"Idempotency-Key": "k"})
    assert [answer.status for answer in (first, again, header)] == [201, 200, 200]
    assert first.json() == again.json() == header.json()
    # The one in the body goes before the one in the header; and each channel has keys of its own.
    both = server.request(
        "POST", "/api/tasks", token, {"title": "d", "idempotency_key": "k2"}, headers={"Idempotency-Key": "k"}
    )
    assert both.status == 201
    other = server.token(user, channels=["project:keys"])
    elsewhere = {"title": "e", "channel": "project:keys", "idempotency_key": "k"}
    assert server.request("POST", "/api/tasks", other, elsewhere).status == 201


def test_an_idempotency_key_in_parallel(server: Server, token: str) -> None:
    def create(number: int) -> tuple[int, str]:
        body = {"title": f"number {number}", "idempotency_key": "the one"}
        answer = server.request("POST", "/api/tasks", token, body)
        return answer.status, answer.json()["id"]

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(create, range(64)))
    assert len({task for _, task in answers}) == 1
    assert sorted(status for status, _ in answers) == [200] * 63 + [201]


def test_an_id_is_one_task_s(server: Server, user: str, token: str) -> None:
    body = {"title": "x", "id": f"{user}-id"}
    assert server.request("POST", "/api/tasks", token, body).status == 201
    again = server.request("POST", "/api/tasks", token, {**body, "title": "another"})
    assert (again.status, again.json()["title"]) == (200, "x")
    stranger = server.token(f"{user}-2")
    error_of(server.request("POST", "/api/tasks", stranger, body), 409, 108)
    notice = {"title": "x", "id": f"{user}-notice"}
    assert server.request("POST", "/api/notifications", token, notice).status == 201
    assert server.request("POST", "/api/notifications", token, notice).status == 200
    error_of(server.request("POST", "/api/notifications", stranger, notice), 409, 108)


def test_notifications(server: Server, user: str, token: str) -> None:
    admin = server.token("root", Ability.ADMIN)
    for_user = {"title": "Report ready", "user": user, "link": "/reports/1", "severity": "success"}
    made = server.ask("POST", "/api/notifications", admin, for_user, status=201)
    assert (made["channel"], made["status"], made["severity"]) == (f"user:{user}", "unread", "success")
    server.ask("POST", "/api/notifications", token, {"title": "another"})
    assert server.ask("POST", f"/api/notifications/{made['id']}/read", token) == {"updated": 1}
    assert server.ask("POST", f"/api/notifications/{made['id']}/read", token) == {"updated": 0}
    assert server.ask("POST", "/api/notifications/read_all", token) == {"updated": 1}
    assert server.ask("POST", "/api/notifications/read_all", token) == {"updated": 0}
    # Reading is for those whom it concerns.
    theirs = server.ask("POST", "/api/notifications", token, {"title": "mine"})["id"]
    assert server.ask("POST", f"/api/notifications/{theirs}/read", server.token("stranger")) == {"updated": 0}
    assert server.ask("POST", "/api/notifications/read_all", token) == {"updated": 1}


def test_a_log_is_read_page_by_page(server: Server, token: str) -> None:
    task = server.ask("POST", "/api/tasks", token, {"title": "x"})["id"]
    path = f"/api/tasks/{task}/log"
    lines = [{"text": f"line {number}", "at": number} for number in range(7)]
    assert server.ask("POST", path, token, {"text": "first", "lines": lines}) == {"added": 8}
    page = server.ask("GET", f"{path}?limit=3", token)
    assert [entry["text"] for entry in page["entries"]] == ["first", "line 0", "line 1"]
    assert (page["offset"], page["next"], page["trimmed"]) == (0, 3, 0)
    rest = server.ask("GET", f"{path}?offset={page['next']}", token)
    assert [entry["at"] for entry in rest["entries"]] == [2, 3, 4, 5, 6]
    assert server.ask("GET", f"{path}?offset={rest['next']}", token)["entries"] == []


def test_health(server: Server) -> None:
    assert server.request("GET", "/healthz").json() == {"status": "ok"}
    assert server.request("GET", "/readyz").json() == {"status": "ready"}
