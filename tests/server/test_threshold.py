"""What all requests pass on their way in: which origins may read, which methods there are, and what headers say."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers import PATIENCE, Form, Server, serving

pytestmark = pytest.mark.slow

FRIEND = "https://app.example"
READ = [
    *("/api/me", "/api/tasks/none", "/poll?channel=user:ada", "/poll", "/events", "/healthz"),
    *("/socket.io/?EIO=4&transport=polling", "/socket.io?EIO=4&transport=polling&sid=none", "/socket.io/"),
]


@pytest.fixture(scope="module", params=["fast", "asgi"])
def server(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    form: Form = request.param
    settings = {"allowed_origins": FRIEND, "public_url": "https://headway.example"}
    with serving(tmp_path_factory.mktemp("server"), form, **settings) as running:
        yield running


@pytest.mark.parametrize("path", READ)
def test_a_page_of_an_allowed_origin_may_read(server: Server, path: str) -> None:
    response = server.request("GET", path, server.token(), headers={"Origin": FRIEND})
    assert response.headers["access-control-allow-origin"] == FRIEND
    assert response.headers["access-control-allow-credentials"] == "true"
    assert response.headers["access-control-expose-headers"] == "retry-after"
    assert response.headers["vary"].lower() == "origin"


def test_and_may_follow_a_stream(server: Server) -> None:
    with socket.create_connection(server.address, timeout=PATIENCE) as connection:
        connection.sendall(
            f"GET /events?channel=user:ada HTTP/1.1\r\nHost: x\r\nOrigin: {FRIEND}\r\n"
            f"Authorization: Bearer {server.token()}\r\n\r\n".encode()
        )
        answer = b""
        while b"snapshot" not in answer:
            answer += connection.recv(65_536)
    head = answer.partition(b"\r\n\r\n")[0].decode().lower()
    assert head.count("access-control-allow-origin: https://app.example") == 1


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.evil.example"])
def test_a_page_of_another_origin_may_not(server: Server, path: str, origin: str) -> None:
    response = server.request("GET", path, server.token(), headers={"Origin": origin})
    assert not [name for name in response.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("path", ["/api/tasks", "/events", "/poll"])
def test_a_preflight_is_answered_to_those_who_may(server: Server, path: str) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    response = server.request("OPTIONS", path, headers={"Origin": FRIEND, **asked})
    assert response.status == 204
    assert response.headers["access-control-allow-origin"] == FRIEND
    assert "POST" in response.headers["access-control-allow-methods"]
    assert "authorization" in response.headers["access-control-allow-headers"]
    refused = server.request("OPTIONS", path, headers={"Origin": "https://evil.example", **asked})
    assert (refused.status, refused.json()["code"]) == (403, 403)


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/api/openapi.json"])
def test_a_head_is_a_get_without_its_body(server: Server, path: str) -> None:
    whole, head = (server.request(method, path) for method in ("GET", "HEAD"))
    assert (head.status, head.data) == (200, b"")
    for name in ("content-type", "content-length"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize("path", ["/", "/api", "/login", "/tasks/x", "/healthz", "/nope", "/api/schema"])
def test_every_answer_has_the_headers_that_protect_a_page(server: Server, path: str) -> None:
    headers = server.request("GET", path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["frame-ancestors"] == "'none'"
    assert policy["default-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/api", "/api/schema", "/api/schema/", "/api/schema/openapi.json"])
def test_nothing_is_fetched_from_elsewhere(server: Server, path: str) -> None:
    text = server.request("GET", path).data.decode()
    assert 'src="http' not in text
    assert "cdn" not in text


def test_a_text_is_no_number(server: Server) -> None:
    token = server.token()
    for field, value in (("total", "5"), ("start", "true"), ("weight", "1"), ("lost_after", "60")):
        response = server.request("POST", "/api/tasks", token, {"title": "x", field: value})
        assert (response.status, response.json()["field"]) == (400, field)
    nested = server.request(
        "POST", "/api/tasks", token, {"title": "x", "steps": [{"name": "a", "weight": "3"}]}
    )
    assert nested.json()["field"] == "steps"
    server.ask("POST", "/api/tasks", token, {"title": "x", "id": "strict", "total": 5.0, "start": True})
    response = server.request("PATCH", "/api/tasks/strict", token, {"done": "4"})
    assert json.loads(response.data)["field"] == "done"


def test_the_login_cookie_is_kept_from_scripts_and_other_sites(server: Server) -> None:
    response = server.request("POST", "/api/login", body={"token": server.token()})
    cookie = response.headers["set-cookie"].lower()
    assert {"httponly", "secure", "samesite=lax"} <= {part.strip() for part in cookie.split(";")}
