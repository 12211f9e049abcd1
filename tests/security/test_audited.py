"""What the doors of a real server tell the audit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import urllib3
from socketio.exceptions import SocketIOError  # type: ignore[import-untyped]

from headway.model.grant import Ability
from tests.clients import connected
from tests.servers import PATIENCE, Form, Server, running_server
from tests.transports.contracts.clients import raw, speaking

pytestmark = pytest.mark.slow

VIA = {"X-Forwarded-For": "198.51.100.1, 192.0.2.7"}


def told(server: Server) -> list[dict[str, Any]]:
    """The lines of the audit so far, without what is the same in all of them."""
    lines = [json.loads(line) for line in server.output.splitlines() if line.startswith("{")]
    return [
        {name: value for name, value in line.items() if name not in {"logger", "level", "timestamp"}}
        for line in lines
        if line["logger"] == "headway.audit"
    ]


@pytest.mark.parametrize("form", ["fast", "asgi"])
async def test_a_connection_from_its_beginning_to_its_end(tmp_path: Path, form: Form) -> None:
    async with running_server(tmp_path, form, log_format="json") as server:
        token, other = server.token("ada", ttl=500.0), server.token("bob")
        async with connected(server, additional_headers=VIA) as client:
            await client.say("auth", token=token)
            await client.hear("welcome")
            await client.answer("subscribe", id=1, channel="user:ada")
            await client.answer("subscribe", id=2, channel="user:bob")
            await client.answer("auth", token=server.token("ada"))
            await client.say("auth", token=other)
            await client.ended()
        server.until(r'"code":401')
        at = {"door": "websocket", "address": "192.0.2.7"}
        assert told(server) == [
            {"event": "connect", **at},
            {"event": "authenticate", "user": "ada", **at, "can": ["cancel", "publish", "read"]},
            {"event": "subscribe", "user": "ada", "channel": "user:ada"},
            {"event": "refuse", "code": 105, "user": "ada", "action": "read", "channel": "user:bob"},
            {"event": "renew", "user": "ada", **at},
            {"event": "refuse", "code": 401, "user": "ada", **at},
        ]
        assert token not in server.output
        assert other not in server.output


@pytest.mark.parametrize("form", ["fast", "asgi"])
@pytest.mark.parametrize(("door", "path"), [("events", "/events"), ("poll", "/poll"), ("rest", "/api/me")])
async def test_who_is_refused(tmp_path: Path, form: Form, door: str, path: str) -> None:
    async with running_server(tmp_path, form, log_format="json") as server:
        query = "?channel=user:bob" if door != "rest" else ""
        server.request("GET", path + query, "no token", headers=VIA)
        server.until(r'"code":401')
        assert told(server)[-1] == {"event": "refuse", "code": 401, "door": door, "address": "192.0.2.7"}
        if door != "rest":
            server.request("GET", path + query, server.token("ada"), headers=VIA)
            server.until(r'"code":105')
            events = [line["event"] for line in told(server)]
            assert events == ["connect", "refuse", "connect", "authenticate", "refuse"]


@pytest.mark.parametrize("form", ["fast", "asgi"])
@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("door", ["socketio", "dedup", "studio", "voice"])
async def test_a_connection_over_socketio(tmp_path: Path, form: Form, transport: str, door: str) -> None:
    dialect = {} if door == "socketio" else {"dialect": f"{door}=/it"}
    async with running_server(tmp_path, form, log_format="json", **dialect) as server:
        path = "/it/socket.io/" if dialect else "/socket.io/"
        given: dict[str, Any] = {"path": path, "transports": [transport], "headers": VIA}
        with pytest.raises(SocketIOError):
            async with speaking(server, "no token", **given):
                pass
        server.until(r'"code":401')
        async with speaking(server, server.token("ada", ttl=500.0), **given):
            server.until(r'"event":"authenticate"')
        at = {"door": door, "address": "192.0.2.7"}
        lines = [line for line in told(server) if line["event"] != "subscribe"]
        assert lines == [
            {"event": "connect", **at},
            {"event": "refuse", "code": 401, **at},
            {"event": "connect", **at},
            {"event": "authenticate", "user": "ada", **at, "can": ["cancel", "publish", "read"]},
        ]


SOCKETS = {
    "user-tasks": "/api/v1/ws/tasks/ada",
    "notifications": "/api/ws/notifications",
}


@pytest.mark.parametrize("form", ["fast", "asgi"])
@pytest.mark.parametrize("door", SOCKETS)
async def test_a_connection_to_a_contract(tmp_path: Path, form: Form, door: str) -> None:
    async with running_server(tmp_path, form, log_format="json", dialect=door) as server:
        for token in ("none", server.token("ada", ttl=500.0)):
            async with raw(server, f"{SOCKETS[door]}?token={token}", additional_headers=VIA) as client:
                await client.until(lambda _name, _data: True)
        at = {"door": door, "address": "192.0.2.7"}
        server.until(r'"event":"authenticate"')
        assert [line for line in told(server) if line["event"] != "subscribe"] == [
            {"event": "connect", **at},
            {"event": "refuse", "code": 401, **at},
            {"event": "connect", **at},
            {"event": "authenticate", "user": "ada", **at, "can": ["cancel", "publish", "read"]},
        ]


@pytest.mark.parametrize("form", ["fast", "asgi"])
async def test_streams_and_requests_of_a_contract(tmp_path: Path, form: Form) -> None:
    async with running_server(tmp_path, form, log_format="json", dialect="notifications") as server:
        at = {"door": "notifications", "address": "192.0.2.7"}
        for token in ("none", server.token("ada", ttl=500.0)):
            headers = {**VIA, "Authorization": f"Bearer {token}"}
            for path in ("/api/notifications/unread_count", "/api/notifications/stream"):
                with urllib3.PoolManager() as pool:
                    url = server.origin + path
                    pool.request(
                        "GET", url, headers=headers, preload_content=False, timeout=PATIENCE, retries=False
                    ).close()
        server.until(r'"event":"authenticate"')
        assert [line for line in told(server) if line["event"] != "subscribe"] == [
            {"event": "refuse", "code": 401, **at},
            {"event": "connect", **at},
            {"event": "refuse", "code": 401, **at},
            {"event": "connect", **at},
            {"event": "authenticate", "user": "ada", **at, "can": ["cancel", "publish", "read"]},
        ]


async def test_the_audit_can_be_turned_off(tmp_path: Path) -> None:
    async with running_server(tmp_path, log_format="json", audit=False) as server:
        server.request("GET", "/api/me")
        server.ask("POST", "/api/tasks", server.token(), {"title": "x"})
        counts = server.ask("GET", "/api/stats", server.token("root", Ability.ADMIN))
        assert counts["refusals"] == 1
        assert told(server) == []
