"""The WebSocket of contracts and of applications beside us: how long who reads nothing is waited for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn

from headway.transports import bounded
from headway.transports.asgi import Receive, Scope, Send
from tests.servers import PATIENCE

MUCH = 30_000_000
"""More bytes than the system holds on their way."""


async def much(_scope: Scope, receive: Receive, send: Send) -> None:
    """An application that says much, waits a moment for it to be read, and ends."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "bytes": bytes(MUCH)})
    with suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            await send({"type": "websocket.close"})


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[uvicorn.Server, asyncio.StreamReader]]:
    """A server with one client, which was let in and has read nothing else."""
    config = uvicorn.Config(much, ws=bounded.BoundedWebSocket, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    reader, writer = await asyncio.open_connection(*listener.getsockname(), limit=4096)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    yield server, reader
    writer.close()
    server.should_exit = True
    await serving


async def test_who_reads_nothing_is_given_up_when_nothing_more_is_to_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded, "_LAST_SECONDS", 0.1)
    async with asyncio.timeout(PATIENCE), connected() as (server, _):
        while server.server_state.connections:
            await asyncio.sleep(0.01)


async def test_who_reads_slowly_gets_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "_LAST_SECONDS", 0.3)
    async with asyncio.timeout(PATIENCE), connected() as (_, reader):
        got = 0
        while data := await reader.read(65_536):
            got += len(data)
            # Longer, for all of it, than who reads nothing is waited for.
            await asyncio.sleep(0.002)
        assert got >= MUCH
