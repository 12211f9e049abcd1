"""Logging browsers in and out, and which pages may act with the cookie."""

from __future__ import annotations

from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from headway.server.app import Headway
from headway.server.settings import load_settings
from tests.server.test_rest import error_of
from tests.servers import Server, serving

pytestmark = pytest.mark.slow


def cookie_of(response: Any) -> Any:
    """The cookie that an answer sets, which is the only one."""
    (morsel,) = SimpleCookie(response.headers["Set-Cookie"]).values()
    assert morsel.key == "headway"
    return morsel


def test_a_token_is_exchanged_for_a_cookie(server: Server, user: str) -> None:
    token = server.token(user, ttl=3600)
    response = server.request("POST", "/api/login", body={"token": token})
    assert (response.status, response.data) == (204, b"")
    cookie = cookie_of(response)
    assert (cookie.value, cookie["path"]) == (token, "/")
    assert cookie["httponly"]
    assert cookie["samesite"].lower() == "lax"
    # It lasts no longer than the token.
    assert 3500 < int(cookie["max-age"]) <= 3600
    me = server.request("GET", "/api/me", headers={"Cookie": f"headway={cookie.value}"})
    assert me.json()["user"] == user


def test_behind_https(tmp_path: Path) -> None:
    with serving(tmp_path, public_url="https://jobs.example/") as server:
        # The cookie is secure, and counts for pages of the address that people see.
        cookie = cookie_of(server.request("POST", "/api/login", body={"token": server.token()}))
        assert cookie["secure"]
        headers = {"Cookie": f"headway={server.token()}", "Origin": "https://jobs.example"}
        assert server.request("POST", "/api/tasks", body={"title": "x"}, headers=headers).status == 201
        headers["Origin"] = "https://jobs.example.evil"
        error_of(server.request("POST", "/api/tasks", body={"title": "x"}, headers=headers), 403, 403)
        wrong_codes_are_limited_and_tokens_are_not(server)


def wrong_codes_are_limited_and_tokens_are_not(server: Server) -> None:
    codes = [server.request("POST", "/api/login", body={"code": f"guess {n}"}).status for n in range(30)]
    assert codes[:20] == [401] * 20
    assert set(codes[21:]) == {429}
    limited = server.request("POST", "/api/login", body={"code": "another"})
    assert error_of(limited, 429, 201)["retryable"]
    assert "Retry-After" in limited.headers
    assert server.request("POST", "/api/login", body={"token": server.token()}).status == 204


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, 102),
        ({"code": "a", "token": "b"}, 400, 102),
        ({"token": "not one"}, 401, 401),
        ({"token": ""}, 401, 401),
        ({"token": "x" * 9000}, 400, 102),
        ({"code": 5}, 400, 102),
        ({"code": "é"}, 401, 401),
    ],
)
def test_what_opens_nothing(server: Server, body: Any, status: int, code: int) -> None:
    response = server.request("POST", "/api/login", body=body)
    error_of(response, status, code)
    assert "Set-Cookie" not in response.headers


def test_an_expired_token_opens_nothing(server: Server) -> None:
    error_of(
        server.request("POST", "/api/login", body={"token": server.tokens.make("ada", ttl=-1)}), 401, 402
    )


def test_logging_out_takes_the_cookie_away(server: Server, token: str) -> None:
    response = server.request("POST", "/api/logout", headers={"Cookie": f"headway={token}"})
    assert response.status == 204
    cookie = cookie_of(response)
    assert (cookie.value, cookie["max-age"], cookie["path"]) == ("", "0", "/")


FOREIGN = ["https://evil.example", "null", "http://127.0.0.1.evil.example", "http://["]


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/tasks", {"title": "x"}),
        ("POST", "/api/ingest", {"reports": []}),
        ("GET", "/api/tasks", None),
        ("POST", "/api/login", {"token": "TOKEN"}),
        ("POST", "/api/logout", None),
    ],
)
def test_pages_of_other_sites_can_do_nothing_with_the_cookie(
    server: Server, token: str, origin: str, method: str, path: str, body: Any
) -> None:
    body = {"token": token} if body == {"token": "TOKEN"} else body
    headers = {"Cookie": f"headway={token}", "Origin": origin, "Content-Type": "text/plain"}
    response = server.request(method, path, body=body, headers=headers)
    error_of(response, 403, 403)
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("origin", ["own", "http://localhost:5173", None])
def test_our_own_pages_can(server: Server, token: str, origin: str | None) -> None:
    headers = {"Cookie": f"headway={token}"}
    if origin is not None:
        headers["Origin"] = server.url if origin == "own" else origin
    assert server.request("POST", "/api/tasks", body={"title": "x"}, headers=headers).status == 201


def test_a_token_counts_wherever_it_comes_from(server: Server, token: str) -> None:
    headers = {"Origin": "https://evil.example"}
    assert server.request("POST", "/api/tasks", token, {"title": "x"}, headers=headers).status == 201


def test_who_am_i(server: Server, user: str) -> None:
    token = server.tokens.make(user, channels=["project:*"], ttl=60)
    me = server.ask("GET", "/api/me", token)
    assert me["expires_at"] % 1000 == 0
    del me["expires_at"]
    assert me == {
        "user": user,
        "can": ["cancel", "read"],
        "channels": [f"user:{user}", "public", "project:*"],
        "server": "0.1.0",
    }


def test_a_server_behind_a_proxy_prints_no_login_link(tmp_path: Path) -> None:
    # Given a server on loopback that people reach by another address
    behind = Headway(load_settings(data=tmp_path, secret="s" * 40, public_url="https://jobs.example"))
    # Then nobody is let in by a link, and no page of this machine may use the cookie
    assert behind.login_code is None
    assert "loopback" not in behind.service.origins
    assert Headway(load_settings(data=tmp_path)).login_code is not None
