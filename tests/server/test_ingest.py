"""Batches of reports: all of them count that can, whatever is beside them, and sent twice they count once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.server.test_rest import error_of
from tests.servers import Server

pytestmark = pytest.mark.slow


def ingest(server: Server, token: str, *reports: Any) -> Any:
    return server.ask("POST", "/api/ingest", token, {"reports": reports})


def test_good_and_bad_reports_in_one_batch(server: Server, user: str, token: str) -> None:
    foreign = f"{user}-foreign"
    server.report(server.token(f"{user}-2"), {"type": "create", "task": foreign, "title": "not yours"})
    task = f"{user}-1"
    answer = ingest(
        server,
        token,
        {"type": "create", "task": task, "title": "x", "total": 10, "start": True},
        {"type": "dance"},
        {"type": "progress", "task": task, "done": 5},
        {"type": "progress", "task": task, "done": 4},
        {"type": "progress", "task": task, "done": "many"},
        {"type": "progress", "task": f"{user}-nowhere", "done": 1},
        {"type": "cancel", "task": foreign},
        {"type": "create", "task": f"{user}-2", "title": ""},
        {"type": "resume", "task": task},
        {"type": "pause", "task": task},
        "nonsense",
        {"task": task},
        {"type": "log", "task": task, "lines": [{"text": "hello"}]},
        {"type": "notify", "id": f"{user}-n", "title": "x", "user": "somebody-else"},
        {"type": "retry", "task": task, "attempt": 9},
        {"type": "succeed", "task": task},
    )
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [
        (1, 101),
        (3, 109),
        (4, 102),
        (5, 104),
        (6, 104),
        (7, 102),
        (10, 102),
        (11, 102),
        (13, 105),
    ]
    assert all(one["message"] and one["retryable"] is False for one in answer["rejected"])
    assert answer["accepted"] == 7
    # Nothing is said about tasks that are not the token's.
    assert answer["tasks"] == {task: ["succeeded", 1]}
    assert server.ask("GET", f"/api/tasks/{task}", token)["progress"]["done"] == 10
    assert server.ask("GET", f"/api/tasks/{foreign}", server.token(f"{user}-2"))["state"] == "queued"


def test_a_batch_may_be_sent_again(server: Server, user: str, token: str) -> None:
    task = f"{user}-1"
    batch: list[dict[str, Any]] = [
        {"type": "create", "task": task, "title": "x", "total": 10, "start": True},
        {"type": "progress", "task": task, "done": 3},
        {"type": "log", "task": task, "source": "w", "seq": 0, "lines": [{"text": "a"}, {"text": "b"}]},
        {"type": "notify", "id": f"{user}-n", "title": "hello"},
        {"type": "fail", "task": task, "error": "no"},
        {"type": "retry", "task": task, "attempt": 1},
        {"type": "progress", "task": task, "attempt": 2, "done": 1},
        {"type": "succeed", "task": task, "attempt": 2, "result": 5},
    ]
    assert ingest(server, token, *batch)["rejected"] == []
    before = server.ask("GET", f"/api/tasks/{task}", token)
    assert (before["state"], before["attempt"], before["result"]) == ("succeeded", 2, 5)
    again = ingest(server, token, *batch)
    after = server.ask("GET", f"/api/tasks/{task}", token)
    assert after == before
    assert again["tasks"] == {task: ["succeeded", 2]}
    log = server.ask("GET", f"/api/tasks/{task}/log", token)
    assert [entry["text"] for entry in log["entries"]] == ["a", "b"]


def test_a_worker_learns_what_it_is_to_do(server: Server, user: str, token: str) -> None:
    task = f"{user}-1"
    ingest(server, token, {"type": "create", "task": task, "title": "x", "start": True})
    server.ask("POST", f"/api/tasks/{task}/pause", token)
    assert ingest(server, token, {"type": "progress", "task": task, "done": 1})["tasks"] == {
        task: ["paused", 1]
    }
    server.ask("POST", f"/api/tasks/{task}/cancel", token)
    late = ingest(
        server, token, {"type": "progress", "task": task, "done": 2}, {"type": "heartbeat", "task": task}
    )
    assert (late["accepted"], late["rejected"], late["tasks"]) == (2, [], {task: ["cancelled", 1]})
    record = server.ask("GET", f"/api/tasks/{task}", token)
    assert (record["progress"]["done"], record["stopping"]) == (1, True)
    ingest(server, token, {"type": "stopped", "task": task})
    assert "stopping" not in server.ask("GET", f"/api/tasks/{task}", token)


def test_as_many_reports_as_may_be_and_one_more(server: Server, token: str) -> None:
    create = [{"type": "create", "task": f"t{number}", "title": "x"} for number in range(2000)]
    assert ingest(server, token, *create)["accepted"] == 2000
    too_many = [{"type": "heartbeat", "task": "t1"}] * 2001
    refused = error_of(server.request("POST", "/api/ingest", token, {"reports": too_many}), 400, 102)
    assert refused["field"] == "reports"
    assert server.ask("GET", "/api/tasks/t1", token)["state"] == "queued"
    # A deep line of parents takes nobody down.
    deep: list[dict[str, Any]] = [{"type": "create", "task": "p0", "title": "x"}]
    deep += [
        {"type": "create", "task": f"p{n}", "title": "x", "parent": f"p{n - 1}", "start": True}
        for n in range(1, 1500)
    ]
    response = server.request("POST", "/api/ingest", token, {"reports": deep})
    assert response.status == 200, response.data
    tick = server.request("PATCH", "/api/tasks/p1", token, {"percent": 10})
    assert tick.status == 200, tick.data
    assert server.request("GET", "/healthz").status == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 100),
        (b"\xff", 100),
        (b"{", 100),
        (b'{"reports":[' + b"[" * 5000 + b"]" * 5000 + b"]}", 100),
        (b'{"reports":[{"type":"fail","task":"t","error":"\\ud800"}]}', 100),
        (b"[]", 102),
        (b"{}", 102),
        (b'{"reports":{}}', 102),
        (b'{"reports":null}', 102),
    ],
)
def test_a_batch_that_is_none(server: Server, token: str, body: bytes, code: int) -> None:
    error_of(server.request("POST", "/api/ingest", token, raw=body), 400, code)


@pytest.mark.parametrize(
    "report",
    [
        {"type": "progress", "task": "T", "done": 10**400},
        {"type": "progress", "task": "T", "done": -1},
        {"type": "progress", "task": "T", "percent": 1e300},
        {"type": "progress", "task": "T", "detail": {"a": "x" * 5000}},
        {"type": "log", "task": "T", "lines": [{"text": "x"}] * 501},
        {"type": "log", "task": "T", "lines": [{"text": "x", "at": 10**30}]},
        {"type": "log", "task": "T", "source": "a\0", "seq": 0, "lines": [{"text": "x"}]},
        {"type": "log", "task": "T", "source": "a", "seq": 2**60, "lines": [{"text": "x"}]},
        {"type": "result", "task": "T", "result": "x" * 17_000},
        {"type": "result", "task": "T"},
        {"type": "create", "task": "x/y", "title": "x"},
        {"type": "create", "task": "T" * 65, "title": "x"},
        {"type": "create", "task": "n", "title": "x", "channel": 5},
        {"type": "notify", "id": "a b", "title": "x"},
    ],
)
def test_a_report_out_of_bounds_is_refused_alone(
    server: Server, user: str, token: str, report: dict[str, Any]
) -> None:
    task = f"{user}-1"
    ingest(server, token, {"type": "create", "task": task, "title": "x", "start": True})
    bad = {name: task if value == "T" else value for name, value in report.items()}
    good = {"type": "progress", "task": task, "done": 1}
    body = json.dumps({"reports": [bad, good]}).encode()
    answer = server.request("POST", "/api/ingest", token, raw=body).json()
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [(0, 102)]
    assert answer["accepted"] == 1
    assert server.ask("GET", f"/api/tasks/{task}", token)["progress"]["done"] == 1
