"""What the Socket.IO door has in common with the others: room, limits, stopped readers, the drain."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.conformance.stock import stock_client
from tests.network import Network
from tests.servers import FORMS, PATIENCE, Form, Server, running_server

pytestmark = pytest.mark.slow

QUERY = "/socket.io/?EIO=4&transport="


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    form: Form = request.param
    return form


@asynccontextmanager
async def joined(server: Server, user: str, **options: Any) -> AsyncIterator[ClientConnection]:
    """A WebSocket that has heard `welcome`."""
    url = f"{server.ws.removesuffix('/ws')}{QUERY}websocket"
    async with connect(url, proxy=None, close_timeout=1, compression=None, **options) as client:
        await client.recv()
        await client.send("40" + json.dumps({"token": server.token(user)}))
        assert str(await client.recv()).startswith("40{")
        assert str(await client.recv()).startswith('42["welcome"')
        yield client


async def ended(client: ClientConnection) -> tuple[int, list[Any]]:
    """The code of the close, and the events until then."""
    events = []
    async with asyncio.timeout(PATIENCE):
        try:
            while True:
                packet = str(await client.recv())
                if packet.startswith("42"):
                    events.append(json.loads(packet[2:]))
        except ConnectionClosed:
            return client.close_code or 0, events


async def poll_of(way: Network, server: Server) -> None:
    """Wait until the server has the only client's poll, and nothing to say to it."""
    while len(way.ways) != 1 or not way.waiting:
        await asyncio.sleep(0.01)
    # Asked later, so answered later.
    await asyncio.to_thread(server.request, "GET", "/healthz")


async def seen_by(client: ClientConnection, tasks: int) -> None:
    """Read until it has seen so many."""
    seen: set[str] = set()
    async with asyncio.timeout(PATIENCE):
        while len(seen) < tasks:
            packet = str(await client.recv())
            if packet.startswith("42"):
                message = json.loads(packet[2:])[1]
                found = message.get("tasks") or [message.get("task") or {}]
                seen |= {task["id"] for task in found if "id" in task}


async def told_why(server: Server, client: ClientConnection) -> int:
    """Read again once the server has had enough of waiting; the code of the close, which is there for a moment only."""
    await asyncio.to_thread(server.until, '"code": 301')
    code, _ = await ended(client)
    return code


async def test_a_reader_that_stops_is_closed_and_delays_nobody(form: Form, tmp_path: Path) -> None:
    async with running_server(tmp_path, form, write_deadline=2) as server:
        token = server.token("ada")
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, server.address)
        async with joined(server, "ada", sock=raw, max_queue=1) as stuck, joined(server, "ada") as other:
            for client in (stuck, other):
                await client.send('42["subscribe",{"id":1,"channel":"user:ada"}]')
            following = asyncio.create_task(seen_by(other, 3000))
            closed = asyncio.create_task(told_why(server, stuck))
            for n in range(60):
                await asyncio.to_thread(
                    server.report,
                    token,
                    *(
                        {"type": "create", "task": f"t{n}-{m}", "title": "x" * 300, "meta": {"a": "b" * 3000}}
                        for m in range(50)
                    ),
                )
            await following
            code = await closed
            # A server of somebody else may drop what waits for who does not read, its close among it.
            assert code == 4301 or form == "asgi"


async def test_there_is_room_for_so_many(form: Form, tmp_path: Path) -> None:
    async with running_server(tmp_path, form, max_connections=2) as server, joined(server, "ada"):
        # One that has not said yet what it came for takes a place too.
        url = f"{server.ws.removesuffix('/ws')}{QUERY}websocket"
        async with connect(url, proxy=None) as arriving:
            await arriving.recv()
            polled = server.request("GET", f"{QUERY}polling")
            assert (polled.status, polled.json()["code"]) == (503, 202)
            assert int(polled.headers["retry-after"]) > 0
            with pytest.raises(InvalidStatus) as refused:
                async with connect(url, proxy=None):
                    pass
            assert refused.value.response.status_code == 503
            assert int(refused.value.response.headers["retry-after"]) > 0


async def test_one_user_has_a_ceiling(form: Form, tmp_path: Path) -> None:
    async with running_server(tmp_path, form, max_connections_per_user=1) as server, joined(server, "ada"):
        async with stock_client(server.url, auth={"token": server.token("ada")}) as second:
            refused = await second.hear("connect_error", "connect")
        assert refused["data"] == {"code": 429, "retryable": False}
        async with joined(server, "bob"):
            pass


async def test_who_says_too_much_is_warned_and_then_closed(form: Form, tmp_path: Path) -> None:
    async with running_server(tmp_path, form, message_rate=1, message_burst=5) as server:
        async with joined(server, "ada") as client:
            for _ in range(1100):
                await client.send('42["ping"]')
            code, events = await ended(client)
        names = [event[0] for event in events]
        assert names.count("pong") <= 10
        assert events[-1][1]["code"] == 306
        assert code == 4306


async def test_what_is_too_large_ends_the_connection(form: Form, tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, form, max_message_bytes=2048) as server,
        joined(server, "ada") as client,
    ):
        await client.send('42["ping",{"x":"' + "x" * 3000 + '"}]')
        assert (await ended(client))[0] == 1009


async def test_who_does_not_join_in_time_is_closed(form: Form, tmp_path: Path) -> None:
    async with running_server(tmp_path, form, auth_timeout=0.3) as server:
        url = f"{server.ws.removesuffix('/ws')}{QUERY}websocket"
        async with connect(url, proxy=None) as client, asyncio.timeout(PATIENCE):
            await client.recv()
            await client.wait_closed()


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_stopping_server_says_goodbye(form: Form, tmp_path: Path, transport: str) -> None:
    async with running_server(tmp_path, form) as server:
        with Network(server.address[1]) as way:
            auth = {"token": server.token("ada")}
            async with stock_client(way.url, auth=auth, transports=[transport], reconnection=False) as client:
                await client.event("welcome")
                if transport == "polling":
                    # Who is between two polls when the server lets nobody in any more cannot be told.
                    await client.emit("subscribe", {"id": 1, "channel": "user:ada"})
                    await client.event("snapshot")
                    await poll_of(way, server)
                stopping = asyncio.create_task(asyncio.to_thread(server.stop))
                (goodbye,) = await client.event("goodbye")
                assert 0 <= goodbye["reconnect_in"] <= 5
                assert (await client.hear("disconnect"))["reason"] in ("transport close", "transport error")
                await stopping


async def test_what_a_token_does_not_cover_any_more_ends(form: Form, tmp_path: Path) -> None:
    async with running_server(tmp_path, form) as server:
        token = server.token("ada", channels=["project:x"])
        async with stock_client(server.url, auth={"token": token}) as client:
            await client.event("welcome")
            assert (await client.ask("subscribe", {"id": 1, "channel": "project:x"}))[0]["ok"]
            await client.ask("auth", {"token": server.token("ada")})
            told = [said for said in client.seen if said.get("event") == "error"]
            error = told[0]["args"][0] if told else (await client.event("error"))[0]
            assert (error["code"], error["id"]) == (105, 1)
