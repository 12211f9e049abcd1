"""The application `dedup`: the contract's REST, a worker that can be paused and cancelled, and one event for each group."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.examples.running import Running, running, until
from tests.python_client import PythonClient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

API = "/api/dedup/tasks"
FIELDS = [
    "id",
    "task_name",
    "status",
    "total_groups",
    "processed_groups",
    "progress_percentage",
    "total_questions",
    "exact_duplicate_groups",
    "exact_duplicate_pairs",
    "similar_duplicate_pairs",
    "started_at",
    "completed_at",
    "error_message",
    "config",
    "analysis_type",
    "estimated_duration",
    "created_at",
    "updated_at",
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("dedup", tmp_path_factory.mktemp("dedup"), EXAMPLE_PACE="0.1") as found:
        yield found


def make(app: Running, token: str | None = None, **body: Any) -> dict[str, Any]:
    answer = app.ask("POST", API, token, json=body)
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.body["data"]
    return made


def wait_for(app: Running, number: int, *wanted: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = app.ask("GET", f"{API}/{number}").body["data"]
        return found if found["status"] in wanted else None

    return until(look)


async def test_a_run_is_told_group_by_group_in_the_order_of_the_contract(app: Running) -> None:
    number = (await asyncio.to_thread(make, app, config={"similarity_threshold": 0.9}))["id"]
    heard: list[tuple[str, Any]] = []
    over = asyncio.Event()
    client = PythonClient()

    async def hear(name: str, data: Any) -> None:
        heard.append((name, data))
        if name in ("task_completed", "task_error"):
            over.set()

    client.on("*", hear)
    await client.connect(app.url, auth={"token": app.tokens[0]}, transports=["websocket"])
    await client.emit("join_task", {"task_id": number})
    await asyncio.to_thread(app.ask, "POST", f"{API}/{number}/start")
    async with asyncio.timeout(60):
        await over.wait()
    await client.disconnect()

    names = [name for name, _ in heard]
    assert names[:2] == ["connected", "task_status"]
    assert names[-1] == "task_completed"
    assert set(names[2:-1]) == {"task_progress"}
    groups = [data["processed_groups"] for name, data in heard if name == "task_progress"]
    assert groups == list(range(1, 19))
    assert heard[-2][1]["progress_percentage"] == 100
    done = heard[-1][1]["data"]
    assert sorted(done) == sorted(FIELDS)
    assert done == app.ask("GET", f"{API}/{number}").body["data"]
    assert (done["total_questions"], done["exact_duplicate_groups"]) == (326, 53)

    parts = {
        part: app.ask("GET", f"{API}/{number}/{part}").body["data"]
        for part in ("exact-groups", "similar-pairs", "statistics")
    }
    assert len(parts["exact-groups"]) == done["exact_duplicate_groups"]
    assert (
        len(parts["similar-pairs"])
        == done["similar_duplicate_pairs"]
        == parts["statistics"]["similar_duplicate_pairs"]
    )
    assert all(pair["similarity"] >= 0.9 for pair in parts["similar-pairs"])


def test_pausing_holds_the_worker_and_cancelling_stops_it(app: Running) -> None:
    number = make(app)["id"]
    assert app.ask("POST", f"{API}/{number}/start").body["data"]["status"] == "running"
    until(lambda: app.ask("GET", f"{API}/{number}").body["data"]["processed_groups"])
    assert app.ask("POST", f"{API}/{number}/pause").body["data"]["status"] == "paused"
    # The group in the works is still told.
    held = app.ask("GET", f"{API}/{number}").body["data"]["processed_groups"]
    paused = app.ask("GET", "/headway/api/tasks?kind=dedup&state=paused").body["tasks"][0]
    assert app.ask("POST", f"{API}/{number}/resume").body["data"]["status"] == "running"
    until(lambda: app.ask("GET", f"{API}/{number}").body["data"]["processed_groups"] > held + 1)
    assert app.ask("POST", f"{API}/{number}/cancel").body["data"]["status"] == "cancelled"
    # The worker itself says that it has stopped.
    until(lambda: not app.task(paused["id"]).get("stopping"))
    stopped = app.ask("GET", f"{API}/{number}").body["data"]
    assert held < stopped["processed_groups"] < 18
    assert app.ask("GET", f"{API}/{number}/statistics").body["error_code"] == "INVALID_STATUS"
    # Once more, as another attempt.
    assert app.ask("POST", f"{API}/{number}/start").body["data"]["processed_groups"] == 0
    assert wait_for(app, number, "completed", "error")["processed_groups"] == 18


def test_what_is_refused_and_how(app: Running) -> None:
    number = make(app)["id"]
    for method, path, body, expected in (
        ("POST", f"{API}/{number}/pause", None, (400, "INVALID_STATUS")),
        ("POST", f"{API}/{number}/resume", None, (400, "INVALID_STATUS")),
        ("GET", f"{API}/{number}/exact-groups", None, (400, "INVALID_STATUS")),
        ("GET", f"{API}/999999", None, (404, "NOT_FOUND")),
        ("GET", f"{API}/{10**30}", None, (404, "NOT_FOUND")),
        ("GET", f"{API}/nothing", None, (404, "NOT_FOUND")),
        ("GET", f"{API}?status=sleeping", None, (400, "INVALID_PARAMETER")),
        ("POST", API, b"{", (400, "INVALID_PARAMETER")),
        ("POST", API, b"[]", (400, "INVALID_PARAMETER")),
        ("POST", API, b'{"analysis_type": "all"}', (400, "INVALID_PARAMETER")),
        ("POST", API, b'{"config": {"similarity_threshold": "0.8"}}', (400, "INVALID_PARAMETER")),
        ("POST", API, b'{"config": {"similarity_threshold": 1.5}}', (400, "INVALID_PARAMETER")),
        ("POST", API, b'{"config": {"similarity_threshold": 0}}', (400, "INVALID_PARAMETER")),
        ("POST", API, b'{"config": {"other": 1}}', (400, "INVALID_PARAMETER")),
        ("POST", API, b'{"config": []}', (400, "INVALID_PARAMETER")),
        ("POST", API, b'{"task_name": 7}', (400, "INVALID_PARAMETER")),
    ):
        answer = app.ask(method, path, body=body)
        assert (answer.status, answer.body["error_code"]) == expected, (method, path, body, answer)
        assert answer.body["success"] is False
        assert answer.body["message"]
    for token, code in (("", "NO_TOKEN"), ("nonsense", "INVALID_TOKEN"), ("a\tb", "INVALID_TOKEN")):
        answer = app.ask("GET", API, token)
        assert (answer.status, answer.body["error_code"]) == (401, code)
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/start"),
        ("POST", "/cancel"),
        ("GET", "/statistics"),
    ):
        answer = app.ask(method, f"{API}/{number}{path}", app.tokens[1])
        assert (answer.status, answer.body["error_code"]) == (404, "NOT_FOUND")
    assert app.ask("POST", f"{API}/{number}/start").status == 200
    assert app.ask("POST", f"{API}/{number}/start").body["error_code"] == "INVALID_STATUS"
    assert app.ask("DELETE", f"{API}/{number}").body["error_code"] == "INVALID_STATUS"
    assert app.ask("POST", f"{API}/{number}/cancel").status == 200
    assert app.ask("POST", f"{API}/{number}/cancel").body["error_code"] == "INVALID_STATUS"
    # What is null is not there.
    waiting = make(app, task_name=None, config=None, analysis_type=None)["id"]
    assert make(app, config={"similarity_threshold": 0.05})["config"] == {"similarity_threshold": 0.05}
    for ended_or_pending in (number, waiting):
        assert app.ask("DELETE", f"{API}/{ended_or_pending}").status == 200
        assert app.ask("GET", f"{API}/{ended_or_pending}").status == 404


def test_lists_have_pages_of_what_the_caller_may_see(app: Running) -> None:
    _, theirs = app.tokens
    made = [make(app, theirs, task_name=f"Task {number}")["id"] for number in range(23)]
    headers = {"X-Access-Token": theirs, "Authorization": ""}
    first = app.ask("GET", f"{API}?page_size=0", headers=headers).body["data"]
    assert first["pagination"] == {"page": 1, "page_size": 20, "total": 23, "total_pages": 2}
    assert [task["id"] for task in first["list"]] == made[:2:-1]
    second = app.ask("GET", f"{API}/?page=2&page_size=20&status=pending", theirs).body["data"]
    assert [task["id"] for task in second["list"]] == made[2::-1]
    assert app.ask("GET", f"{API}?status=completed", theirs).body["data"]["list"] == []


def test_an_upload_is_what_is_compared_and_then_only_what_is_new(app: Running) -> None:
    _, theirs = app.tokens
    first = b"id,question,subject\n1,What is a cat?,x\n2,what is a cat,x\n3,Name a river,x\n,,\n4,,x\n"
    answer = app.ask("POST", "/api/dedup/questions", theirs, fields={"file": ("a.csv", first)})
    assert answer.status == 201
    assert (answer.body["data"]["questions"], answer.body["data"]["bad_rows"]) == (3, 1)
    assert (
        app.ask("POST", "/api/dedup/questions", theirs, body=b"a,b\n1,2").body["error_code"]
        == "INVALID_PARAMETER"
    )

    def run(**body: Any) -> dict[str, Any]:
        number = make(app, theirs, **body)["id"]
        app.ask("POST", f"{API}/{number}/start", theirs)

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = app.ask("GET", f"{API}/{number}", theirs).body["data"]
            return found if found["status"] == "completed" else None

        until(look)
        exact: list[dict[str, Any]] = app.ask("GET", f"{API}/{number}/exact-groups", theirs).body["data"]
        return {"ids": [group["question_ids"] for group in exact]}

    assert run() == {"ids": [["1", "2"]]}
    lines = [
        json.dumps({"id": 5, "question": "Name a River!", "subject": "x"}),
        json.dumps({"id": 6, "question": "New", "subject": "y"}),
    ]
    app.ask("POST", "/api/dedup/questions", theirs, body="\n".join(lines).encode())
    assert run(analysis_type="incremental") == {"ids": [["3", "5"]]}
    assert run(analysis_type="custom", config={"groups": [{"subject": "y"}]}) == {"ids": []}
    assert [upload["name"] for upload in app.ask("GET", "/api/dedup/questions", theirs).body["data"]] == [
        "a.csv",
        "questions",
    ]


def test_a_worker_that_is_killed_is_an_error_and_can_be_started_again(app: Running) -> None:
    number = make(app)["id"]
    app.ask("POST", f"{API}/{number}/start")
    until(lambda: app.ask("GET", f"{API}/{number}").body["data"]["processed_groups"])
    for process in app.workers("examples.dedup.worker"):
        process.kill()
    ended = wait_for(app, number, "error", "completed")
    assert ended["status"] == "error"
    assert ended["error_message"] == "The worker ended unexpectedly (exit code -9)"
    app.ask("POST", f"{API}/{number}/start")
    assert wait_for(app, number, "completed", "error")["status"] == "completed"


def test_the_page_and_what_it_loads_are_served_from_here(app: Running) -> None:
    page = app.ask("GET", "/").body.decode()
    assert "https://" not in page
    for name in ("style.css", "page.js", "socket.io.js"):
        assert f"/shared/{name}" in page
        assert app.ask("GET", f"/shared/{name}").status == 200
    assert app.ask("GET", "/shared/..%2Fapp.py").status == 404
    assert len(app.ask("GET", "/sample.csv").body.splitlines()) == 327
