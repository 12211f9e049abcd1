"""A token that is revoked or has ended ends the delivery over Socket.IO and by every contract, with a word for people."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import urllib3

from headway.model.grant import Ability
from tests.servers import PATIENCE, Form, Server, serving
from tests.transports.contracts.clients import Heard, raw, speaking

pytestmark = pytest.mark.slow

CONTRACTS = "dedup=/dedup,studio=/studio,voice=/voice,user-tasks,notifications"


@pytest.fixture(scope="module", params=["fast", "asgi"])
def server(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    form: Form = request.param
    with serving(
        tmp_path_factory.mktemp("server"), form, dialect=CONTRACTS, expiring_before=1, expiry_grace=0.5
    ) as running:
        yield running


@pytest.fixture
def user(server: Server) -> str:
    """Somebody with a task of their own."""
    name = f"user-{secrets.token_hex(4)}"
    fields = {"id": name, "channel": f"user:{name}", "title": "Secret", "start": True, "total": 9}
    server.ask("POST", "/api/tasks", server.token("root", *Ability), fields)
    return name


class Streamed(Heard):
    """A client of a stream of events."""

    def read(self, response: urllib3.BaseHTTPResponse, loop: asyncio.AbstractEventLoop) -> None:
        name = ""
        for line in response:
            kind, _, value = line.decode().rstrip("\n").partition(": ")
            if kind == "event":
                name = value
            elif kind == "data":
                loop.call_soon_threadsafe(self.note, name, json.loads(value))
        loop.call_soon_threadsafe(self.note, "closed", None)


@asynccontextmanager
async def streaming(server: Server, path: str, token: str) -> AsyncIterator[Heard]:
    client = Streamed()
    with urllib3.PoolManager() as pool:
        headers = {"Authorization": f"Bearer {token}"}
        response = await asyncio.to_thread(
            pool.request,
            "GET",
            server.origin + path,
            headers=headers,
            preload_content=False,
            timeout=PATIENCE,
            retries=False,
        )
        assert response.status == 200
        reading = asyncio.create_task(asyncio.to_thread(client.read, response, asyncio.get_running_loop()))
        try:
            yield client
            await reading
        finally:
            response.close()


Door = Callable[[Server, str, str], AbstractAsyncContextManager[Heard]]
"""Follows as a user with a token, and has heard how things stand."""


def over_socketio(prefix: str, transport: str, begun: str, *following: tuple[str, Any]) -> Door:
    @asynccontextmanager
    async def follow(server: Server, user: str, token: str) -> AsyncIterator[Heard]:
        path = f"{prefix}/socket.io/"
        async with speaking(server, token, path=path, transports=[transport]) as client:
            for name, data in following:
                number = (await asyncio.to_thread(server.ask, "GET", f"/api/tasks/{user}", token))["number"]
                data = json.loads(json.dumps(data).replace("USER", user).replace('"NUMBER"', str(number)))
                await client.say(name, data)
            await client.until(begun)
            yield client

    return follow


def over_socket(path: str, begun: str) -> Door:
    @asynccontextmanager
    async def follow(server: Server, user: str, token: str) -> AsyncIterator[Heard]:
        async with raw(server, f"{path}?token={token}".replace("USER", user)) as client:
            await client.until(begun)
            yield client

    return follow


DOORS: dict[str, tuple[Door, str, str, str]] = {
    # How to follow, what is heard of news, what is said last, and then.
    "Socket.IO": (
        over_socketio("/headway", "websocket", "snapshot", ("subscribe", {"id": 1, "channel": "user:USER"})),
        "change",
        "error",
        "disconnect",
    ),
    "Socket.IO, polling": (
        over_socketio("/headway", "polling", "snapshot", ("subscribe", {"id": 1, "channel": "user:USER"})),
        "change",
        "error",
        "disconnect",
    ),
    "dedup": (
        over_socketio("/dedup", "websocket", "task_status", ("join_task", {"task_id": "NUMBER"})),
        "task_progress",
        "error",
        "disconnect",
    ),
    "studio": (over_socketio("/studio", "websocket", "active_tasks"), "task_progress", "error", "disconnect"),
    "voice": (over_socketio("/voice", "websocket", "authenticated"), ":progress", "error", "disconnect"),
    "user-tasks": (
        over_socket("/api/v1/ws/tasks/USER", "user_tasks"),
        "task_update",
        "authentication_failed",
        "closed",
    ),
    "inbox": (over_socket("/api/ws/notifications", "connected"), "notification", "error", "closed"),
    "task": (over_socket("/api/ws/tasks/USER", "connected"), "progress", "error", "closed"),
    "inbox, events": (
        lambda server, _, token: streaming(server, "/api/notifications/stream", token),
        "notification",
        "error",
        "closed",
    ),
    "task, events": (
        lambda server, user, token: streaming(server, f"/api/stream/tasks/{user}", token),
        "progress",
        "error",
        "closed",
    ),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("what", ["token", "user"])
async def test_what_is_revoked_hears_nothing_more(server: Server, user: str, door: str, what: str) -> None:
    follow, news, last, end = DOORS[door]
    token, admin = server.token(user), server.token("root", *Ability)
    named = {"token": token} if what == "token" else {"user": user}
    async with follow(server, user, token) as client:
        await asyncio.to_thread(server.ask, "POST", "/api/revocations", admin, named, 204)
        # It has ended for them at once: whatever happens from now on is not for them.
        before = len(client.events)
        await asyncio.to_thread(
            server.report,
            admin,
            {"type": "progress", "task": user, "message": "Later"},
            {"type": "notify", "id": f"note-{user}", "title": "Later", "user": user},
        )
        word = await client.until(last)
        assert "revoked" in json.dumps(word).lower() or "taken back" in json.dumps(word).lower()
        await client.until(end)
        assert "Later" not in str(client.events)
        assert not any(name == news for name, _ in client.events[before:])


@pytest.mark.parametrize("door", DOORS)
async def test_a_token_that_ends_ends_the_delivery(server: Server, user: str, door: str) -> None:
    follow, _, last, end = DOORS[door]
    async with follow(server, user, server.token(user, ttl=2)) as client:
        word = await client.until(last)
        assert "expired" in json.dumps(word)
        await client.until(end)


async def test_renewal_over_socketio(server: Server, user: str) -> None:
    """As over the WebSocket: told in time, it goes on with the next token on the same connection."""
    follow = DOORS["Socket.IO"][0]
    async with follow(server, user, server.token(user, ttl=2)) as client:
        assert 0 < (await client.until("expiring"))["in"] <= 1
        await client.say("auth", {"token": server.token(user)})  # type: ignore[attr-defined]
        await client.several("welcome", 2)
        # As long as the first one would have lasted, and its grace.
        await asyncio.to_thread(
            server.report, server.token(user), {"type": "progress", "task": user, "percent": 1}
        )
        await client.until("change")
        assert client.names.count("snapshot") == 1
        assert "disconnect" not in client.names
