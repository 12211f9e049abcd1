"""Webhooks from outside: administrators keep them, and no end of a task is lost on the way, not even by a kill."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headway.model.grant import Ability
from headway.onward.signature import make_secret
from tests.onward.receiver import Receiver, receiving
from tests.server.test_rest import error_of
from tests.servers import Server, serving

pytestmark = pytest.mark.slow

SECRET = make_secret(b"s" * 32)


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose webhooks may reach this machine."""
    folder = tmp_path_factory.mktemp("hooked")
    with serving(folder, webhook_networks="127.0.0.1", webhook_give_up=60, log_format="json") as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def admin(hooked: Server) -> str:
    return hooked.token("root", Ability.ADMIN)


def finish(server: Server, task: str, user: str = "ada") -> None:
    server.report(
        server.token(user),
        {"type": "create", "task": task, "title": "Import", "start": True},
        {"type": "succeed", "task": task, "result": {"rows": 4}},
    )


def test_from_making_one_to_deleting_it(hooked: Server, admin: str, receiver: Receiver) -> None:
    made = hooked.ask("POST", "/api/webhooks", admin, {"url": receiver.url, "channels": ["user:w1"]}, 201)
    assert made["secret"].startswith("whsec_")
    path = f"/api/webhooks/{made['id']}"

    finish(hooked, "w1-task", "w1")
    finish(hooked, "w2-task", "w2")
    (got,) = receiver.until(1)
    assert got.signed_with(made["secret"])
    assert got.json["type"] == "task.succeeded"
    assert got.json["data"] == hooked.ask("GET", "/api/tasks/w1-task", hooked.token("w1"))

    tested = hooked.ask("POST", f"{path}/test", admin, status=200)
    assert (tested["state"], tested["status"]) == ("delivered", 204)
    hooked.ask("POST", f"{path}/redeliver", admin, {"message": got.id}, 202)
    assert [one.id for one in receiver.until(3) if one.id == got.id] == [got.id] * 2

    shown = hooked.ask("GET", path, admin)
    assert "secret" not in shown
    assert shown["id"] in [one["id"] for one in hooked.ask("GET", "/api/webhooks", admin)["webhooks"]]
    renewed = hooked.ask("POST", f"{path}/secret", admin, status=200)["secret"]
    changed = hooked.ask("PATCH", path, admin, {"events": ["task.failed"], "title": "Failures"})
    assert (changed["events"], changed["title"], changed["channels"]) == (
        ["task.failed"],
        "Failures",
        ["user:w1"],
    )
    hooked.ask("POST", f"{path}/test", admin, status=200)
    assert receiver.got[-1].signed_with(renewed)
    assert receiver.got[-1].signed_with(made["secret"])

    hooked.ask("DELETE", path, admin, status=204)
    error_of(hooked.request("GET", path, admin), 404, 104)
    assert made["secret"] not in hooked.output


def test_the_log_of_attempts_goes_page_by_page_newest_first(
    hooked: Server, admin: str, receiver: Receiver
) -> None:
    receiver.answers = [(500, {}), (301, {"Location": "http://169.254.169.254/"})]
    made = hooked.ask("POST", "/api/webhooks", admin, {"url": receiver.url, "channels": ["user:w3"]}, 201)
    path = f"/api/webhooks/{made['id']}"
    for _ in range(3):
        hooked.ask("POST", f"{path}/test", admin, status=200)
    first = hooked.ask("GET", f"{path}/attempts?limit=2", admin)
    rest = hooked.ask("GET", f"{path}/attempts?limit=2&after={first['next']}", admin)
    log = first["attempts"] + rest["attempts"]
    assert [(line["state"], line["status"]) for line in log] == [
        ("delivered", 204), ("given_up", 301), ("given_up", 500),
    ]  # fmt: skip
    assert rest["next"] is None
    assert "redirects are not followed" in log[1]["error"]
    assert all(isinstance(line["duration"], int) and line["at"] and line["message"] for line in log)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("POST", ""), ("GET", "/x"), ("PATCH", "/x"), ("DELETE", "/x"), ("POST", "/x/test"),
        ("POST", "/x/secret"), ("GET", "/x/attempts"), ("POST", "/x/redeliver"),
    ],
)  # fmt: skip
def test_all_of_it_is_for_administrators(hooked: Server, admin: str, method: str, path: str) -> None:
    body = {"url": "https://example.com", "message": "x"} if method in {"POST", "PATCH"} else None
    all_but_admin = hooked.token("eve", Ability.READ, Ability.CANCEL, Ability.PUBLISH, channels=["*"])
    error_of(hooked.request(method, f"/api/webhooks{path}", all_but_admin, body), 403, 105)
    error_of(hooked.request(method, f"/api/webhooks{path}", None, body), 401, 401)
    if path:
        error_of(hooked.request(method, f"/api/webhooks{path}", admin, body), 404, 104)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://10.0.0.1/"}, "url"),
        ({"url": "http://169.254.169.254/latest/meta-data/"}, "url"),
        ({"url": "http://[::1]:8400/"}, "url"),
        ({"url": "http://2130706434/"}, "url"),
        ({"url": "ftp://example.com/"}, "url"),
        ({"url": "https://user:word@example.com/"}, "url"),
        ({}, "url"),
        ({"url": "https://example.com", "events": ["task.started"]}, "events"),
        ({"url": "https://example.com", "channels": ["nothing"]}, "channels"),
        ({"url": "https://example.com", "channels": []}, "channels"),
        ({"url": "https://example.com", "secret": "short"}, "secret"),
        ({"url": "https://example.com", "title": "x" * 201}, "title"),
    ],
)
def test_what_cannot_be_one_is_refused(hooked: Server, admin: str, body: dict[str, Any], field: str) -> None:
    refused = error_of(hooked.request("POST", "/api/webhooks", admin, body), 400, 102)
    assert refused["field"] == field


def test_a_kill_between_the_fact_and_its_delivery_loses_nothing(tmp_path: Path) -> None:
    # Given a receiver that is down, and one that takes requests and never answers
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with receiving() as stuck:
        stuck.gate.clear()
        webhooks = [
            {"name": "down", "url": f"http://127.0.0.1:{port}/", "secret": SECRET},
            {"name": "stuck", "url": stuck.url, "secret": SECRET, "events": ["notification.created"]},
        ]
        settings: dict[str, Any] = {"webhooks": webhooks, "webhook_networks": "127.0.0.1"}
        with serving(tmp_path, **settings) as server:
            for number in range(20):
                finish(server, f"task-{number}")
            server.ask("POST", "/api/notifications", server.token(), {"id": "note", "title": "Ready"}, 201)
            (before,) = stuck.until(1)

            # When the server is killed
            server.kill()
        stuck.gate.set()

        # Then the next one delivers everything, under the ids that it had
        with receiving("127.0.0.1", port) as receiver, serving(tmp_path, **settings) as server:
            again = stuck.until(2)[1]
            assert (again.id, again.body) == (before.id, before.body)
            got = receiver.until(21)
            assert {one.json["data"]["id"] for one in got} == {"note", *(f"task-{n}" for n in range(20))}
            assert all(one.signed_with(SECRET) for one in got)
            assert again.id in {one.id for one in got}
            listed = server.ask("GET", "/api/webhooks", server.token("root", Ability.ADMIN))["webhooks"]
            assert [(one["id"], one["settings"]) for one in listed] == [("down", True), ("stuck", True)]
            path = "/api/webhooks/down"
            for method, body in (("PATCH", {"title": "x"}), ("DELETE", None), ("POST", {})):
                where = f"{path}/secret" if method == "POST" else path
                error_of(server.request(method, where, server.token("root", Ability.ADMIN), body), 403, 105)
            assert SECRET not in server.output


def test_after_a_stop_too(tmp_path: Path) -> None:
    with receiving() as receiver:
        receiver.gate.clear()
        settings: dict[str, Any] = {
            "webhooks": [{"name": "slow", "url": receiver.url, "secret": SECRET}],
            "webhook_networks": "127.0.0.1",
            "drain_seconds": 0,
        }
        with serving(tmp_path, **settings) as server:
            finish(server, "t")
            receiver.until(1)
            assert server.stop() == 0
        receiver.gate.set()
        with serving(tmp_path, **settings):
            first, second = receiver.until(2)
            assert first.id == second.id
