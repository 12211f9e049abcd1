"""REST: bodies that are not what they should be, and the form of every answer."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any

import pytest

from tests.server.test_rest import error_of
from tests.servers import Server

pytestmark = pytest.mark.slow

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HUGE = b"1" + b"0" * 400


def deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"", 100, None),
        (b"null", 100, None),
        (b"[]", 100, None),
        (b'"title"', 100, None),
        (b"{", 100, None),
        (b"title=x", 100, None),
        (b'{"title":"\xff"}', 100, None),
        (b'{"title":"\\ud800"}', 100, None),
        (b'{"title":"x","total":NaN}', 100, None),
        (b'{"title":"x","total":1e400}', 100, None),
        (b'{"title":"x"} {}', 100, None),
        (b"[" * 30_000, 100, None),
        (b'{"title":"x","meta":' + deep(5000) + b"}", 100, None),
        (b'{"title":"x","meta":' + deep(100) + b"}", 102, "meta"),
        (b"{}", 102, "title"),
        (b'{"title":5}', 102, "title"),
        (b'{"title":null}', 102, "title"),
        (b'{"title":" "}', 102, "title"),
        (b'{"title":"' + b"x" * 301 + b'"}', 102, "title"),
        (b'{"title":"a\\u0000b"}', 102, "title"),
        (b'{"title":"x","total":' + HUGE + b"}", 102, "total"),
        (b'{"title":"x","total":-1}', 102, "total"),
        (b'{"title":"x","total":true}', 102, "total"),
        (b'{"title":"x","total":"many"}', 102, "total"),
        (b'{"title":"x","weight":' + HUGE + b"}", 102, "weight"),
        (b'{"title":"x","weight":0}', 102, "weight"),
        (b'{"title":"x","lost_after":0.5}', 102, "lost_after"),
        (b'{"title":"x","id":"a b"}', 102, "id"),
        (b'{"title":"x","id":""}', 102, "id"),
        (b'{"title":"x","id":"' + b"x" * 65 + b'"}', 102, "id"),
        (b'{"title":"x","parent":"nowhere"}', 102, "parent"),
        (b'{"title":"x","channel":"elsewhere"}', 102, "channel"),
        (b'{"title":"x","kind":"\\u0000"}', 102, "kind"),
        (b'{"title":"x","tags":[""]}', 102, "tags"),
        (b'{"title":"x","tags":"one"}', 102, "tags"),
        (b'{"title":"x","meta":{"a":"' + b"x" * 4096 + b'"}}', 102, "meta"),
        (b'{"title":"x","steps":[{"name":"a"},{"name":"a"}]}', 102, "steps.name"),
        (b'{"title":"x","idempotency_key":""}', 102, "idempotency_key"),
        (b'{"title":"x","idempotency_key":"\\u0000"}', 102, "idempotency_key"),
    ],
)
def test_a_task_that_cannot_be_created(
    server: Server, token: str, body: bytes, code: int, field: str | None
) -> None:
    refused = error_of(server.request("POST", "/api/tasks", token, raw=body), 400, code)
    assert refused.get("field") == field
    assert not refused["retryable"]
    assert server.ask("GET", "/api/tasks", token)["tasks"] == []


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (b'{"done":11}', 400, 102, "done"),
        (b'{"done":-1}', 400, 102, "done"),
        (b'{"done":' + HUGE + b"}", 400, 102, "done"),
        (b'{"done":1e308}', 400, 102, "done"),
        (b'{"done":"many"}', 400, 102, "done"),
        (b'{"done":NaN}', 400, 100, None),
        (b'{"done":4}', 409, 109, "done"),
        (b'{"percent":49.99}', 409, 109, "percent"),
        (b'{"percent":100.01}', 400, 102, "percent"),
        (b'{"total":4}', 400, 102, "done"),
        (b'{"message":"' + b"x" * 1001 + b'"}', 400, 102, "message"),
        (b'{"message":"\\udfff"}', 400, 100, None),
        (b'{"detail":[]}', 400, 102, "detail"),
        (b'{"detail":' + deep(65) + b"}", 400, 102, "detail"),
        (b'{"step":""}', 400, 102, "steps.name"),
        (b'{"attempt":[1]}', 400, 102, "attempt"),
    ],
)
def test_progress_that_cannot_be(
    server: Server, token: str, body: bytes, status: int, code: int, field: str | None
) -> None:
    create = {"title": "x", "total": 10, "start": True}
    path = f"/api/tasks/{server.ask('POST', '/api/tasks', token, create)['id']}"
    before = server.ask("PATCH", path, token, {"done": 5})
    refused = error_of(server.request("PATCH", path, token, raw=body), status, code)
    assert refused.get("field") == field
    assert server.ask("GET", path, token) == before
    # An attempt that there never was is not believed, however large its number.
    assert server.request("PATCH", path, token, raw=b'{"attempt":' + HUGE + b',"done":6}').json() == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": 5},
        {"lines": [{"text": "x"}] * 501},
        {"lines": [{"text": "x", "at": -1}]},
        {"lines": [{"text": "x", "at": 10**30}]},
        {"lines": [{}]},
    ],
)
def test_log_lines_that_cannot_be(server: Server, token: str, body: Any) -> None:
    path = f"/api/tasks/{server.ask('POST', '/api/tasks', token, {'title': 'x'})['id']}/log"
    error_of(server.request("POST", path, token, body), 400, 102)
    assert server.ask("GET", path, token)["entries"] == []
    assert server.ask("POST", path, token, {"text": "\0 <b>" + "x" * 5000, "level": "shout"}) == {"added": 1}
    (entry,) = server.ask("GET", path, token)["entries"]
    assert (len(entry["text"]), entry["level"]) == (4000, "info")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "x", "severity": "loud"}, "severity"),
        ({"title": "x", "user": "a", "channel": "user:a"}, "user"),
        ({"title": "x", "user": "a b"}, "channel"),
        ({"title": "x", "link": "javascript:alert(1)"}, "link"),
        ({"title": "x", "link": "//evil.example"}, "link"),
        ({"title": "x", "id": "\0"}, "id"),
        ({"title": "x", "data": {"a": "x" * 4096}}, "data"),
    ],
)
def test_a_notification_that_cannot_be(server: Server, token: str, body: Any, field: str) -> None:
    refused = error_of(server.request("POST", "/api/notifications", token, body), 400, 102)
    assert refused["field"] == field


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "x", "", "*/*"])
def test_json_is_json_whatever_it_is_called(server: Server, token: str, content_type: str) -> None:
    # `curl -d` calls it a form.
    headers = {"Content-Type": content_type}
    response = server.request("POST", "/api/tasks", token, {"title": "x"}, headers=headers)
    assert response.status == 201


@pytest.mark.parametrize("path", ["/api/tasks", "/api/ingest", "/api/login"])
def test_a_body_that_is_too_large(server: Server, token: str, path: str) -> None:
    body = b'{"title":"' + b"x" * 1_100_000 + b'"}'
    assert not error_of(server.request("POST", path, token, raw=body), 413, 103)["retryable"]
    # Also when nobody said beforehand how large it would be.
    connection = http.client.HTTPConnection(*server.address, timeout=10)
    chunks = (body[at : at + 100_000] for at in range(0, len(body), 100_000))
    connection.request(
        "POST",
        path,
        chunks,
        {"Authorization": f"Bearer {token}", "Transfer-Encoding": "chunked"},
        encode_chunked=True,
    )
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["code"]) == (413, 103)
    connection.close()


def test_a_title_is_text_and_nothing_else(server: Server, token: str) -> None:
    title = 'x\r\nSet-Cookie: a=b\r\n\r\n<script>alert("\U0001f600")</script>'
    response = server.request("POST", "/api/tasks", token, {"title": title})
    assert response.json()["title"] == title
    assert "Set-Cookie" not in response.headers
    assert response.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/api/openapi.json"),
        ("GET", "/api/me"),
        ("GET", "/api/tasks/nowhere"),
        ("GET", "/nowhere"),
        ("PUT", "/api/tasks"),
        ("GET", "/"),
        ("GET", "/login"),
        ("GET", "/headway.js"),
        ("POST", "/api/login"),
        ("POST", "/api/logout"),
        ("POST", "/api/ingest"),
        ("OPTIONS", "/api/tasks"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_every_answer_has_the_headers_that_protect(
    server: Server, token: str, method: str, path: str, known: bool
) -> None:
    response = server.request(method, path, token if known else None)
    assert {name: response.headers.get(name) for name in SECURITY} == SECURITY
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "uvicorn" not in str(response.headers)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/nowhere", 404),
        ("PUT", "/api/tasks", 405),
        ("GET", "/api/login", 405),
    ],
)
def test_addresses_that_are_none(server: Server, method: str, path: str, status: int) -> None:
    response = server.request(method, path)
    error_of(response, status, 104 if status == 404 else 100)
    assert (response.headers.get("Allow") is not None) is (status == 405)


@pytest.mark.parametrize(
    "path", ["/assets/../app.py", "/assets/%2e%2e/%2e%2e/settings.py", "/assets/..%2f..%2fapp.py"]
)
def test_files_beside_the_pages_are_not_served(server: Server, path: str) -> None:
    connection = http.client.HTTPConnection(*server.address, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    assert (response.status, b"import" in response.read()) == (404, False)
    connection.close()


def test_what_pages_of_other_origins_load_may_be_read_there_and_kept(server: Server) -> None:
    module = server.request("GET", "/headway.js")
    parts = re.findall(rb"\./(assets/[\w-]+\.js)", module.data)
    assert parts
    for path in ["headway.js", *(part.decode() for part in parts)]:
        response = server.request("GET", f"/{path}")
        assert response.status == 200, path
        assert response.headers["Access-Control-Allow-Origin"] == "*", path
        assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin", path
        assert response.headers["Content-Type"].count("charset") == 1, path
        # The names of the parts change with what is in them.
        assert ("immutable" in response.headers["Cache-Control"]) is (path != "headway.js"), path


@pytest.mark.parametrize(
    "path", ["/api/tasks", "/api/notifications", "/api/nothing", "/assets/nothing.js", "/healthz"]
)
def test_nothing_between_keeps_what_is_somebodys_or_not_there(server: Server, path: str) -> None:
    assert server.request("GET", path, server.token()).headers["Cache-Control"] == "no-store"
