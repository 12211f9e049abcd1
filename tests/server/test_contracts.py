"""Where the contracts of older systems are, and who else's pages may call there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from headway.errors import ConfigurationError
from headway.server.app import Headway
from headway.server.settings import Settings
from tests.servers import FORMS, Server, serving

FRIEND = "https://app.example"
ASKED = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture(scope="module", params=FORMS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    dialects = "notifications,user-tasks=/older"
    folder = tmp_path_factory.mktemp("contracts")
    with serving(folder, request.param, dialect=dialects, allowed_origins=FRIEND) as running:
        yield running


def ask(server: Server, method: str, path: str, origin: str, **headers: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request(method, server.origin + path, headers={"Origin": origin, **headers}, retries=False)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/api/notifications", "/older/api/v1/ws/status"])
def test_a_page_of_an_allowed_origin_may_call(server: Server, path: str) -> None:
    preflight = ask(server, "OPTIONS", path, FRIEND, **ASKED)
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (204, FRIEND)
    called = ask(server, "GET", path, FRIEND, Authorization=f"Bearer {server.token('1')}")
    assert (called.status, called.headers["access-control-allow-origin"]) == (200, FRIEND)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/api/notifications", "/older/api/v1/ws/status"])
def test_a_page_of_another_origin_may_not(server: Server, path: str) -> None:
    preflight = ask(server, "OPTIONS", path, "https://evil.example", **ASKED)
    assert preflight.status == 403
    assert "access-control-allow-origin" not in preflight.headers


@pytest.mark.slow
def test_asking_does_nothing(server: Server) -> None:
    """OPTIONS by somebody who is no browser is no call, whatever it asks for."""
    token = {"Authorization": f"Bearer {server.token('1')}"}
    assert ask(server, "OPTIONS", "/api/notifications", FRIEND, **token).status in {404, 405}
    path = "/older/api/v1/ws/status"
    assert ask(server, "OPTIONS", path, FRIEND, **token).status in {404, 405}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nothing", "There is no dialect 'nothing'"),
        ("dedup=older", "begins with a slash"),
        ("dedup,studio", "both have the address /socket.io/"),
    ],
)
def test_what_cannot_be_is_said_at_once(given: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Headway(Settings(data=tmp_path, dialect=tuple(given.split(","))))
