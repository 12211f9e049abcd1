"""The inbox over REST: lists and their filters, marks, keys, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from headway.model.grant import Ability
from headway.model.notification import keyed_id
from tests.server.test_rest import error_of
from tests.servers import Server

pytestmark = pytest.mark.slow

INBOX = "/api/notifications"


@pytest.fixture(scope="module")
def inbox(server: Server) -> str:
    """Somebody with thirty notifications of all sorts; the token."""
    token = server.token("reader")
    for n in range(30):
        server.ask("POST", INBOX, token, {"id": f"inbox-{n:02}", "title": f"N{n}", "kind": "ab"[n % 2]})
        if n % 3:
            server.ask("POST", f"{INBOX}/inbox-{n:02}/{'read' if n % 3 == 1 else 'archive'}", token)
    return token


def listed(server: Server, token: str, query: str = "") -> list[int]:
    page = server.ask("GET", f"{INBOX}?limit=200&{query}", token)
    assert page["total"] == len(page["notifications"])
    return [int(note["id"].removeprefix("inbox-")) for note in page["notifications"]]


def test_filters(server: Server, inbox: str) -> None:
    newest_first = list(reversed(range(30)))
    assert listed(server, inbox) == newest_first
    assert listed(server, inbox, "status=unread") == [n for n in newest_first if n % 3 == 0]
    assert listed(server, inbox, "status=read,archived&kind=a") == [
        n for n in newest_first if n % 3 and n % 2 == 0
    ]
    assert listed(server, inbox, "kind=c") == []
    assert server.ask("GET", f"{INBOX}/unread_count", inbox) == {"count": 10}


def test_pages(server: Server, inbox: str) -> None:
    seen: list[str] = []
    after = ""
    while True:
        page = server.ask("GET", f"{INBOX}?limit=7{after}", inbox)
        assert page["total"] == 30
        seen += [note["id"] for note in page["notifications"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == [f"inbox-{n:02}" for n in reversed(range(30))]


@pytest.mark.parametrize(
    "query", ["status=new", "limit=0", "limit=201", "limit=x", "after=x", "channel=user:", "kind=%00"]
)
def test_what_is_no_query_is_refused(server: Server, inbox: str, query: str) -> None:
    error_of(server.request("GET", f"{INBOX}?{query}", inbox), 400, 102)


def test_one_is_read_and_removed_by_its_owner_alone(server: Server, user: str, token: str) -> None:
    known = server.ask("POST", INBOX, token, {"title": "Mine"}, status=201)
    stranger = server.token("stranger")
    for method in ("GET", "DELETE"):
        error_of(server.request(method, f"{INBOX}/{known['id']}", stranger), 404, 104)
        error_of(server.request(method, f"{INBOX}/nothing", token), 404, 104)
    for kind in ("read", "unread", "archive"):
        assert server.ask("POST", f"{INBOX}/{known['id']}/{kind}", stranger) == {"updated": 0}
    assert server.ask("GET", f"{INBOX}/{known['id']}", token) == known
    assert server.request("DELETE", f"{INBOX}/{known['id']}", token).status == 204
    error_of(server.request("GET", f"{INBOX}/{known['id']}", token), 404, 104)


def test_other_channels(server: Server, user: str) -> None:
    project = f"project:{user}"
    member = server.token(user, channels=[project])
    reader = server.token(f"{user}-2", Ability.READ, channels=[project])
    known = server.ask("POST", INBOX, member, {"title": "P", "channel": project}, status=201)["id"]
    for token in (member, reader):
        assert server.ask("GET", f"{INBOX}?channel={project}", token)["total"] == 1
        assert server.ask("GET", f"{INBOX}/unread_count?channel={project}", token) == {"count": 1}
        error_of(server.request("GET", f"{INBOX}?channel=user:somebody", token), 403, 105)
    assert server.ask("POST", f"{INBOX}/{known}/read", reader) == {"updated": 0}
    error_of(server.request("POST", f"{INBOX}/read_all?channel={project}", reader), 403, 105)
    error_of(server.request("DELETE", f"{INBOX}/{known}", reader), 403, 105)
    assert server.ask("POST", f"{INBOX}/read_all?channel={project}", member) == {"updated": 1}
    assert server.ask("POST", f"{INBOX}/archive_all?channel={project}", member) == {"updated": 1}


def test_keys(server: Server, user: str, token: str) -> None:
    notice: dict[str, Any] = {"title": "T", "idempotency_key": "k"}
    first = server.ask("POST", INBOX, token, notice, status=201)
    assert first["id"] == keyed_id(f"user:{user}", "k")
    assert server.ask("POST", INBOX, token, notice | {"id": "another"}, status=200) == first
    by_header = server.request("POST", INBOX, token, {"title": "T"}, headers={"Idempotency-Key": "k"})
    assert (by_header.status, by_header.json()) == (200, first)
    assert server.ask("GET", INBOX, token)["total"] == 1
    for bad in ("", "x" * 201, "\0", 7):
        error_of(server.request("POST", INBOX, token, notice | {"idempotency_key": bad}), 400, 102)


def test_a_task_that_tells(server: Server, user: str, token: str) -> None:
    task = server.ask("POST", "/api/tasks", token, {"title": "T", "notify": True}, status=201)
    assert task["notify"] == "always"
    server.ask("POST", f"/api/tasks/{task['id']}/fail", token, {"error": "no"})
    (told,) = server.ask("GET", INBOX, token)["notifications"]
    assert (told["task"], told["severity"], told["content"]) == (task["id"], "error", "Failed: no")
    error_of(server.request("POST", "/api/tasks", token, {"title": "T", "notify": "often"}), 400, 102)
