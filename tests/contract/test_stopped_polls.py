"""Who asks and reads nothing of the answer: it costs one answer, for a while, and nobody else notices."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from headway.model.grant import Ability
from tests.servers import FORMS, PATIENCE, Form, Server, running_server

pytestmark = pytest.mark.slow

TASKS, PAD = 2000, 3000
"""So many, each as large, that no kernel has room for all of them."""
SOCKETIO = "/socket.io/?EIO=4&transport=polling"
MOST_GROWTH = 20_000_000
"""Bytes; nearly as much is said meanwhile to each of the two."""


async def ask(server: Server, method: str, path: str, token: str | None = None, raw: bytes = b"") -> bytes:
    answer = await asyncio.to_thread(server.request, method, path, token, raw=raw or None)
    assert answer.status == 200, answer.data
    return answer.data


async def joined(server: Server, token: str) -> str:
    """The address of a session of Socket.IO that polls, and is about to be told of all tasks."""
    opening = await ask(server, "GET", SOCKETIO)
    path = f"{SOCKETIO}&sid={json.loads(opening[1:])['sid']}"
    await ask(server, "POST", path, raw=b"40" + json.dumps({"token": token}).encode())
    while b'42["welcome"' not in await ask(server, "GET", path):
        pass
    await ask(server, "POST", path, raw=b'42["subscribe",{"id":1,"channel":"user:ada"}]')
    return path


async def asks_and_stops(server: Server, path: str, token: str) -> socket.socket:
    """A client that has asked, and whose system takes next to nothing."""
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(stuck, server.address)
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    await loop.sock_sendall(stuck, head.encode())
    # The answer has begun.
    assert await loop.sock_recv(stuck, 12) == b"HTTP/1.1 200"
    return stuck


async def let_go(server: Server, stuck: socket.socket) -> None:
    """Wait until the server has no socket for it any more; whoever reads before that has not stopped."""
    process = psutil.Process(server.process.pid)
    async with asyncio.timeout(PATIENCE):
        while stuck.getsockname() in {tuple(one.raddr) for one in process.net_connections("tcp")}:
            await asyncio.sleep(0.05)


async def rest_of(stuck: socket.socket) -> int:
    """How many bytes still come until the connection ends."""
    loop, size = asyncio.get_running_loop(), 0
    async with asyncio.timeout(PATIENCE):
        try:
            while data := await loop.sock_recv(stuck, 1_000_000):
                size += len(data)
        except ConnectionResetError:
            pass
    return size


@pytest.mark.parametrize("form", FORMS)
async def test_who_stops_reading_a_poll_holds_up_nobody(form: Form, tmp_path: Path) -> None:
    async with AsyncExitStack() as ends:
        server = await ends.enter_async_context(running_server(tmp_path, form, write_deadline=1))
        token = server.token("ada")
        for n in range(0, TASKS, 50):
            reports = (
                {"type": "create", "task": f"t{m}", "title": "x", "meta": {"a": "b" * PAD}, "start": True}
                for m in range(n, n + 50)
            )
            await asyncio.to_thread(server.report, token, *reports)
        whole = await ask(server, "GET", "/poll?channel=user:ada", token)
        cursor = json.loads(whole)["messages"][0]["cursor"]
        poll, session = "/poll?channel=user:ada", await joined(server, token)
        stuck = [ends.enter_context(await asks_and_stops(server, path, token)) for path in (poll, session)]
        before = server.memory
        for done in range(1, 11):
            polling = asyncio.create_task(ask(server, "GET", f"{poll}&cursor={cursor}", token))
            some = ({"type": "progress", "task": f"t{m}", "done": done} for m in range(500))
            await asyncio.to_thread(server.report, token, *some)
            cursor = json.loads(await polling)["messages"][-1]["cursor"]
        assert server.memory - before < MOST_GROWTH
        if form == "fast":
            for one in stuck:
                await let_go(server, one)
                assert await rest_of(one) < len(whole)
        assert server.ask("GET", "/api/stats", server.token("root", Ability.ADMIN))["connections"] <= 1
