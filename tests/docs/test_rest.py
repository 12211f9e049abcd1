"""The REST reference has every call of the OpenAPI document, what it needs, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import urllib3

from tests.docs.conftest import Served
from tests.docs.texts import codes_in, read, rows

BESIDE = {("GET", "/api/openapi.json")}
"""The document does not describe itself."""

CALLS = {
    (code.split()[0], code.split()[1]): cells[2]
    for cells in rows(read("docs/reference/rest.md"))
    for code in codes_in(cells[0])
}
OPEN = {("POST", "/api/login"), ("POST", "/api/logout"), ("GET", "/healthz"), ("GET", "/readyz"), *BESIDE}


@pytest.mark.slow
def test_every_call_is_described_and_nothing_else(served: Served) -> None:
    document: dict[str, Any] = urllib3.request("GET", f"{served.url}/api/openapi.json").json()
    calls = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert set(CALLS) == calls | BESIDE


def test_calls_that_need_no_token_say_so() -> None:
    assert {call for call, needs in CALLS.items() if not needs} == OPEN


@pytest.mark.slow
@pytest.mark.parametrize("call", sorted(set(CALLS) - OPEN), ids=" ".join)
def test_a_call_needs_a_token(call: tuple[str, str], served: Served) -> None:
    assert _status(served, call, None) == 401


@pytest.mark.slow
@pytest.mark.parametrize(
    "call", sorted(call for call, needs in CALLS.items() if needs.startswith("`")), ids=" ".join
)
def test_a_call_needs_the_ability_that_it_says(call: tuple[str, str], served: Served) -> None:
    # Given a token with every ability but those that the reference says
    needed = codes_in(CALLS[call])[0]
    others = {
        "read": "publish,cancel", "cancel": "read", "publish": "read,cancel", "admin": "read,cancel,publish",
    }[needed]  # fmt: skip
    granted = f"{needed},read" if CALLS[call].endswith("and `read`") else needed

    # Then it is refused, and with the ability it is not
    assert _status(served, call, served.token_for("script", others)) == 403
    assert _status(served, call, served.token_for("script", granted)) in {200, 201, 202, 204}


def _status(served: Served, call: tuple[str, str], token: str | None) -> int:
    """What a well-formed call on records of its own is answered with."""
    owner = {"Authorization": f"Bearer {served.token_for('script', 'publish,read')}"}

    def post(path: str, body: object) -> Any:
        return urllib3.request("POST", served.url + path, json=body, headers=owner).json()

    method, path = call
    task = post("/api/tasks", {"title": "Job", "start": True})["id"]
    if path.endswith(("/resume", "/retry")):
        post(f"/api/tasks/{task}/{'pause' if path.endswith('/resume') else 'fail'}", {})
    if method == "DELETE":
        post(f"/api/tasks/{task}/succeed", {})
    bodies = {
        "/api/tasks": {"title": "Job"},
        "/api/tasks/{task_id}": {"message": "on it"},
        "/api/tasks/{task_id}/log": {"text": "on it"},
        "/api/notifications": {"title": "Done"},
        "/api/ingest": {"reports": [{"type": "heartbeat", "task": task}]},
        "/api/shares": {"task": task},
        "/api/keys": {"name": "import", "channels": ["*"]},
        "/api/revocations": {"user": "somebody"},
        "/api/webhooks": {"url": "http://127.0.0.1:9/"},
        "/api/fallbacks/{user}": {"targets": ["json://receiver.invalid"]},
    }
    admin = {"Authorization": f"Bearer {served.token_for('root', 'admin')}"}
    if "{webhook_id}" in path:
        made = urllib3.request(
            "POST", f"{served.url}/api/webhooks", json=bodies["/api/webhooks"], headers=admin
        )
        path = path.replace("{webhook_id}", made.json()["id"])
        if path.endswith("/redeliver"):
            sent = urllib3.request("POST", served.url + path.replace("redeliver", "test"), headers=admin)
            bodies[call[1]] = {"message": sent.json()["message"]}
    if "{key_id}" in path:
        key = urllib3.request("POST", f"{served.url}/api/keys", json=bodies["/api/keys"], headers=admin)
        path = path.replace("{key_id}", key.json()["about"]["id"])
    if "{user}" in path:
        path = path.replace("{user}", "ada")
        urllib3.request("PUT", served.url + path, json=bodies["/api/fallbacks/{user}"], headers=admin)
    path = path.replace("{task_id}", task).replace(
        "{notification_id}", post("/api/notifications", {"title": "Done"})["id"]
    )
    answer = urllib3.request(
        method,
        served.url + path,
        json=bodies.get(call[1], {}) if method in {"POST", "PATCH", "PUT"} else None,
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )
    if answer.status == 200 and call[1] == "/api/ingest" and answer.json()["rejected"]:
        # A batch is answered as a whole; its reports are refused one by one.
        return 403 if answer.json()["rejected"][0]["code"] == 105 else 0
    return answer.status
