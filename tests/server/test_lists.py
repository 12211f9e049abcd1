"""Listing tasks over REST: pages and filters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.test_rest import error_of
from tests.servers import Server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def listed(server: Server) -> str:
    """A user with forty tasks of all sorts; its token."""
    token = server.token("lister")
    parent = {"type": "create", "task": "list-parent", "title": "The Parent"}
    server.report(token, parent)
    for number in range(40):
        create: dict[str, Any] = {
            "type": "create",
            "task": f"list-{number:02}",
            "title": f"Job {number} of 100%_x",
        }
        create["kind"] = "audio" if number % 4 == 0 else "video"
        create["tags"] = ["even" if number % 2 == 0 else "odd", "all"]
        create["parent"] = "list-parent" if number < 3 else None
        end = ["start", "fail", "cancel", "succeed"][number % 4]
        server.report(token, create, {"type": end, "task": f"list-{number:02}"})
    return token


def ids(server: Server, token: str, query: str) -> list[str]:
    return [task["id"] for task in server.ask("GET", f"/api/tasks?limit=200&{query}", token)["tasks"]]


def numbers(*chosen: int) -> list[str]:
    """The ids of these, newest first."""
    return [f"list-{number:02}" for number in sorted(chosen, reverse=True)]


def test_pages_are_stable_and_repeat_nothing(server: Server, listed: str) -> None:
    seen: list[str] = []
    after = ""
    while True:
        page = server.ask("GET", f"/api/tasks?limit=7{after}", listed)
        assert len(page["tasks"]) <= 7
        seen += [task["id"] for task in page["tasks"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
        # Newer ones, and changes of older ones, move nothing on the pages that follow.
        server.ask("POST", "/api/tasks", listed, {"title": "newer", "kind": "newer"})
        server.ask("POST", "/api/tasks/list-00/heartbeat", listed)
    assert seen[-41:] == [*numbers(*range(40)), "list-parent"]
    assert len(seen) == len(set(seen))
    assert ids(server, listed, "kind=audio&state=running") == numbers(*range(0, 40, 4))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=failed", numbers(*range(1, 40, 4))),
        ("state=failed,%20cancelled", numbers(*range(1, 40, 4), *range(2, 40, 4))),
        ("kind=audio", numbers(*range(0, 40, 4))),
        ("kind=Audio", []),
        ("tag=odd&state=succeeded", numbers(*range(3, 40, 4))),
        ("tag=none", []),
        ("parent=list-parent", numbers(0, 1, 2)),
        ("q=the%20PARENT", ["list-parent"]),
        ("q=job%201%20of", numbers(1)),
        # What a database would take for a wildcard is a sign like any other.
        ("q=9%20of%20100%25_x&state=failed", numbers(9, 29)),
        ("q=100_%25", []),
        ("q=%25%25", []),
        ("q='%20OR%201=1", []),
        ("channel=user:lister&kind=video&state=failed&tag=all&q=job%205", numbers(5)),
        ("channel=public", []),
        ("channel=user:*", []),
        ("kind=%ED%A0%80", []),
    ],
)
def test_each_filter(server: Server, listed: str, query: str, expected: list[str]) -> None:
    assert ids(server, listed, query) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=bad", "state"),
        ("state=running,,failed", "state"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=" + "9" * 400, "limit"),
        ("after=nonsense", "after"),
        ("after=%00", "after"),
        ("kind=%00", "kind"),
        ("q=a%00b", "q"),
        ("q=" + "x" * 201, "q"),
        ("tag=" + "x" * 65, "tag"),
    ],
)
def test_a_bad_query_is_explained(server: Server, listed: str, query: str, field: str) -> None:
    body = error_of(server.request("GET", f"/api/tasks?{query}", listed), 400, 102)
    assert body["field"] == field


@pytest.mark.parametrize(
    "query", ["offset=-1", "offset=x", "offset=9007199254740992", "limit=0", "limit=1001"]
)
def test_a_bad_query_for_a_log_is_explained(server: Server, listed: str, query: str) -> None:
    error_of(server.request("GET", f"/api/tasks/list-00/log?{query}", listed), 400, 102)


def test_a_token_for_tasks_lists_them(server: Server, listed: str, user: str) -> None:
    assert ids(server, server.token(user, tasks=["list-03", "list-04", "nowhere"]), "") == numbers(3, 4)


def test_a_token_for_channels_lists_them(server: Server, user: str) -> None:
    producer = server.token(user, channels=["project:*"])
    for name in ("alpha", "beta"):
        body = {"title": "x", "id": f"{user}-{name}", "channel": f"project:{user}.{name}"}
        server.ask("POST", "/api/tasks", producer, body)
    reader = server.token(f"{user}-reader", channels=[f"project:{user}.beta"])
    assert ids(server, reader, "") == [f"{user}-beta"]
    assert ids(server, producer, f"channel=project:{user}.alpha") == [f"{user}-alpha"]
