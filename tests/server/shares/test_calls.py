"""Share links from outside: who may make them, what they open on every door, and that taking one back ends it at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from headway.model.grant import Ability
from tests.clients import View, connected, logged_in
from tests.server.test_rest import error_of
from tests.servers import Server, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(
        tmp_path_factory.mktemp("shares"), shares_per_user=5, log_format="json", log_level="debug"
    ) as server:
        yield server


def begin(server: Server, user: str, task: str, **fields: Any) -> str:
    """A task of this user's that runs; the user's token."""
    token = server.token(user)
    create = {"type": "create", "task": task, "title": f"Job {task}", "start": True, "total": 10, **fields}
    server.report(token, create, {"type": "progress", "task": task, "done": 4, "message": "cat.png"})
    return token


def test_from_making_one_to_taking_it_back(server: Server) -> None:
    token = begin(server, "a1", "a1-task")
    made = server.ask("POST", "/api/shares", token, {"task": "a1-task", "ttl": 60, "title": "My job"}, 201)
    assert made["url"] == f"{server.url}/t/{made['token']}"
    assert made["embed"] == f"{made['url']}/embed"
    assert len(made["token"]) == 36
    about = made["about"]
    assert (about["task"], about["by"], about["title"]) == ("a1-task", "a1", "My job")
    assert made["expires_at"] == about["expires_at"] == about["created_at"] + 60_000

    assert server.ask("GET", "/api/shares", token)["shares"] == [about]
    assert server.ask("GET", "/api/shares", server.token("other"))["shares"] == []
    root = server.token("root", Ability.ADMIN)
    assert about in server.ask("GET", "/api/shares?all=true", root)["shares"]
    error_of(server.request("GET", "/api/shares?all=true", token), 403, 105)

    error_of(server.request("DELETE", f"/api/shares/{made['id']}", server.token("other")), 404, 104)
    server.ask("DELETE", f"/api/shares/{made['id']}", token, status=204)
    error_of(server.request("DELETE", f"/api/shares/{made['id']}", token), 404, 104)
    assert server.ask("GET", "/api/shares", token)["shares"] == []
    assert server.request("GET", f"/t/{made['token']}").status == 404
    # Nothing that opens it was written down.
    assert made["token"] not in server.output
    assert all(
        made["token"].encode() not in path.read_bytes() for path in server.data.iterdir() if path.is_file()
    )


def test_it_opens_the_task_and_nothing_else(server: Server) -> None:
    token = begin(server, "a2", "a2-task")
    begin(server, "a2", "a2-child", parent="a2-task")
    begin(server, "a2", "a2-other")
    server.report(token, {"type": "log", "task": "a2-task", "lines": [{"text": "private"}]})
    server.ask("POST", "/api/notifications", token, {"id": "a2-note", "title": "Private"}, 201)
    code = server.ask("POST", "/api/shares", token, {"task": "a2-task"}, 201)["token"]

    assert server.ask("GET", "/api/tasks/a2-task", code)["title"] == "Job a2-task"
    for path in ("/api/tasks/a2-child", "/api/tasks/a2-other", "/api/tasks/nothing"):
        error_of(server.request("GET", path, code), 404, 104)
    error_of(server.request("GET", "/api/tasks/a2-task/log", code), 403, 105)
    for path in ("/api/tasks", "/api/tasks?channel=user:a2", "/api/tasks?channel=public"):
        assert server.request("GET", path, code).status == 403
    for method, path, body in (
        ("POST", "/api/tasks/a2-task/cancel", None),
        ("PATCH", "/api/tasks/a2-task", {"done": 9}),
        ("DELETE", "/api/tasks/a2-task", None),
        ("POST", "/api/tasks", {"title": "Mine"}),
        ("POST", "/api/notifications", {"title": "Mine"}),
        ("POST", "/api/notifications", {"title": "Mine", "user": "a2"}),
        ("POST", "/api/shares", {"task": "a2-task"}),
        ("GET", "/api/webhooks", None),
        ("GET", "/api/notifications", None),
        ("GET", "/api/notifications?channel=user:a2", None),
        ("GET", "/api/notifications/a2-note", None),
        ("DELETE", "/api/notifications/a2-note", None),
        ("POST", "/api/tasks/a2-task/notify", None),
    ):
        assert server.request(method, path, code, body).status in {403, 404}, (method, path)
    me = server.ask("GET", "/api/me", code)
    assert (me["can"], me["channels"]) == (["read"], [])


async def test_on_a_socket_too_and_it_ends_when_it_is_taken_back(server: Server) -> None:
    token = begin(server, "a3", "a3-task")
    begin(server, "a3", "a3-other")
    made = server.ask("POST", "/api/shares", token, {"task": "a3-task"}, 201)
    async with logged_in(server, made["token"]) as client, logged_in(server, token) as owner:
        view = View()
        await client.follow(view, task="a3-task")
        assert view.records["a3-task"]["progress"]["message"] == "cat.png"
        for refused in (
            {"task": "a3-other"}, {"channel": "user:a3"}, {"channel": "public"}, {"task": "a3-task", "log": 0},
        ):  # fmt: skip
            answer = await client.answer("subscribe", id=2, **refused)
            assert answer["type"] == "error", refused
            assert answer["code"] in {104, 105}
        assert (await client.answer("cancel", task="a3-task", ref=1))["type"] == "error"
        server.report(token, {"type": "progress", "task": "a3-task", "done": 5})
        assert view.take(await client.hear("change"))["task"]["progress"]["done"] == 5

        server.ask("DELETE", f"/api/shares/{made['id']}", token, status=204)
        code, _, said = await client.ended()
        assert 4400 <= code < 4500
        assert [message["type"] for message in said] == ["error"]
        assert (await owner.answer("ping"))["type"] == "pong"
    async with connected(server) as client:
        await client.say("auth", token=made["token"])
        assert 4400 <= (await client.ended())[0] < 4500


async def test_it_ends_with_the_one_who_made_it(server: Server) -> None:
    token = begin(server, "a9", "a9-task")
    made = server.ask("POST", "/api/shares", token, {"task": "a9-task"}, 201)
    async with logged_in(server, made["token"]) as client:
        await client.follow(View(), task="a9-task")
        root = server.token("root", Ability.ADMIN)
        server.ask("POST", "/api/revocations", root, {"user": "a9"}, 204)
        code, _, said = await client.ended()
        assert (code, [message["type"] for message in said]) == (4404, ["error"])
    assert server.request("GET", f"/t/{made['token']}").status == 404
    # Whoever comes again with a new token finds no link of before.
    assert server.ask("GET", "/api/shares", server.token("a9"))["shares"] == []
    server.until(f'"user":"root","what":"share","which":"{made["id"]}"')


async def test_a_channel_opens_its_tasks_and_no_notification(server: Server) -> None:
    token = begin(server, "a4", "a4-task")
    begin(server, "a4", "a4-done")
    server.report(token, {"type": "succeed", "task": "a4-done"})
    server.ask("POST", "/api/notifications", token, {"id": "a4-note", "title": "Private"}, 201)
    made = server.ask("POST", "/api/shares", token, {"channel": "user:a4"}, 201)
    async with logged_in(server, made["token"]) as client:
        view = View()
        await client.follow(view, channel="user:a4")
        assert set(view.records) == {"a4-task", "a4-done"}
        server.ask("POST", "/api/notifications", token, {"id": "a4-more", "title": "Private"}, 201)
        server.ask("DELETE", "/api/notifications/a4-more", token, status=204)
        server.report(token, {"type": "progress", "task": "a4-task", "done": 5})
        change = await client.hear("change")
        assert change["task"]["id"] == "a4-task"
        assert "unread" not in change
    listed = server.ask("GET", "/api/tasks?channel=user:a4", made["token"])["tasks"]
    assert {task["id"] for task in listed} == {"a4-task", "a4-done"}
    for path in ("?channel=user:a4", "/unread_count?channel=user:a4", "/a4-note"):
        error_of(server.request("GET", f"/api/notifications{path}", made["token"]), 403, 105)
    error_of(server.request("GET", "/api/tasks/a4-task/log", made["token"]), 403, 105)
    page = server.request("GET", f"/t/{made['token']}").data.decode()
    assert "Job a4-task" in page
    assert "Private" not in page


def test_a_stream_of_events_ends_too(server: Server) -> None:
    token = begin(server, "a5", "a5-task")
    made = server.ask("POST", "/api/shares", token, {"task": "a5-task"}, 201)
    stream = server._http.request(
        "GET",
        f"{server.url}/events?task=a5-task",
        headers={"Authorization": f"Bearer {made['token']}"},
        preload_content=False,
        timeout=20,
    )
    heard = stream.read1(65536)
    assert heard
    while b"snapshot" not in heard:
        heard += stream.read1(65536)
    server.ask("DELETE", f"/api/shares/{made['id']}", token, status=204)
    while part := stream.read1(65536):
        heard += part
    assert b'"type":"error"' in heard


def test_an_end_comes_by_itself(server: Server) -> None:
    token = begin(server, "a6", "a6-task")
    made = server.ask("POST", "/api/shares", token, {"task": "a6-task", "ttl": 1}, 201)
    stream = server._http.request(
        "GET",
        f"{server.url}/events?task=a6-task",
        headers={"Authorization": f"Bearer {made['token']}"},
        preload_content=False,
        timeout=20,
    )
    heard = b""
    while part := stream.read1(65536):
        heard += part
    assert b'"code":402' in heard
    assert server.request("GET", f"/t/{made['token']}").status == 404
    error_of(server.request("GET", "/api/tasks/a6-task", made["token"]), 401, 402)


def test_who_may_share(server: Server) -> None:
    token = begin(server, "a7", "a7-task")
    body = {"task": "a7-task"}
    # Reading is not enough, nor is another's record.
    error_of(server.request("POST", "/api/shares", server.token("a7", Ability.READ), body), 403, 105)
    error_of(server.request("POST", "/api/shares", server.token("other"), body), 404, 104)
    error_of(server.request("POST", "/api/shares", server.token("other"), {"channel": "user:a7"}), 403, 105)
    error_of(server.request("POST", "/api/shares", token, {"channel": "public"}), 403, 105)
    error_of(server.request("POST", "/api/shares", None, body), 401, 401)
    for wrong, field in (
        ({}, "task"), ({"task": "a7-task", "channel": "user:a7"}, "task"), ({"channel": "nothing"}, "channel"),
        ({**body, "ttl": 0}, "ttl"), ({**body, "ttl": 10**9}, "ttl"), ({**body, "title": "x" * 201}, "title"),
    ):  # fmt: skip
        assert error_of(server.request("POST", "/api/shares", token, wrong), 400, 102)["field"] == field
    for _ in range(5):
        server.ask("POST", "/api/shares", token, body, 201)
    refused = error_of(server.request("POST", "/api/shares", token, body), 503, 202)
    assert "take one back" in refused["message"]


def test_a_share_survives_a_restart_and_so_does_its_end(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("again")
    with serving(folder) as server:
        token = begin(server, "ada", "job")
        kept, gone = (server.ask("POST", "/api/shares", token, {"task": "job"}, 201) for _ in range(2))
        server.ask("DELETE", f"/api/shares/{gone['id']}", token, status=204)
        server.kill()
    with serving(folder) as server:
        assert server.ask("GET", "/api/tasks/job", kept["token"])["id"] == "job"
        assert server.request("GET", "/api/tasks/job", gone["token"]).status == 401
        assert server.request("GET", f"/t/{gone['token']}").status == 404
        assert json.dumps(server.ask("GET", "/api/shares", token)["shares"]).count(kept["id"]) == 1
