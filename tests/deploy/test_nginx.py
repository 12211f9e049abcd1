"""Headway behind a real nginx, with the configuration that we give away."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.conformance.stock import stock_client
from tests.deploy.nginx import Nginx, nginx
from tests.servers import PATIENCE, Server, running_server, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # Heartbeats are shorter than nginx's patience, as they are with the times of the real configuration.
    with serving(tmp_path_factory.mktemp("server"), "fast", heartbeat=1, max_connections=60) as server:
        yield server


@pytest.fixture(scope="module")
def front(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx(tmp_path_factory.mktemp("nginx"), [server.address]) as front:
        yield front


async def follow(url: str, token: str) -> Any:
    socket = await connect(f"ws{url.removeprefix('http')}/ws", open_timeout=PATIENCE)
    await socket.send(json.dumps({"type": "auth", "token": token}))
    await socket.send(json.dumps({"type": "subscribe", "id": 1, "channel": "public"}))
    return socket


async def hear(socket: Any, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["type"] == kind:
                return message


async def test_a_socket_outlives_nginxs_patience(server: Server, front: Nginx) -> None:
    token = server.token("n1", channels=["public"])
    socket = await follow(front.origin, token)
    await hear(socket, "snapshot")
    # Nothing happens for longer than nginx would wait, but for the heartbeats.
    begun = time.monotonic()
    beats = 0
    while time.monotonic() - begun < 3:
        await hear(socket, "heartbeat")
        beats += 1
    assert beats >= 3
    server.ask("POST", "/api/tasks", token, {"title": "through nginx", "channel": "public"})
    assert (await hear(socket, "change"))["task"]["title"] == "through nginx"
    await socket.close()


async def test_without_heartbeats_nginx_would_cut_it(tmp_path: Path) -> None:
    # What the heartbeats are good for: this one comes too late.
    with (
        serving(tmp_path / "server", "fast", heartbeat=20) as server,
        nginx(tmp_path, [server.address]) as front,
    ):
        socket = await follow(front.origin, server.token("n2"))
        async with asyncio.timeout(PATIENCE):
            await socket.wait_closed()
        assert socket.close_code == 1006


def test_events_are_not_held_back(server: Server, front: Nginx) -> None:
    token = server.token("n3", channels=["public"])
    answer = urllib3.request(
        "GET",
        f"{front.origin}/events?channel=user:n3",
        headers={"Authorization": f"Bearer {token}"},
        preload_content=False,
        retries=False,
        timeout=PATIENCE,
    )
    lines = answer.stream(4096, decode_content=True)
    seen = b""
    while b'"snapshot"' not in seen:
        seen += next(lines)
    server.ask("POST", "/api/tasks", token, {"title": "an event"})
    while b"an event" not in seen:
        seen += next(lines)
    answer.close()


def test_a_poll_waits_and_is_answered(server: Server, front: Nginx) -> None:
    token = server.token("n4")
    headers = {"Authorization": f"Bearer {token}"}
    first = urllib3.request(
        "GET", f"{front.origin}/poll?channel=user:n4", headers=headers, timeout=PATIENCE
    ).json()
    cursor = first["messages"][0]["cursor"]
    server.ask("POST", "/api/tasks", token, {"title": "polled"})
    url = f"{front.origin}/poll?channel=user:n4&cursor={cursor}"
    second = urllib3.request("GET", url, headers=headers, timeout=PATIENCE).json()
    assert "polled" in str(second)


@pytest.mark.parametrize("transports", [["polling", "websocket"], ["websocket"], ["polling"]], ids="+".join)
async def test_the_stock_client_of_socket_io(server: Server, front: Nginx, transports: list[str]) -> None:
    token = server.token("n5")
    async with stock_client(front.origin, auth={"token": token}, transports=transports) as client:
        await client.hear("connect")
        await client.emit("subscribe", {"id": 1, "channel": "user:n5"})
        await client.event("snapshot")
        server.ask("POST", "/api/tasks", token, {"title": "over socket.io"})
        assert (await client.event("change"))[0]["task"]["title"] == "over socket.io"


async def test_a_refused_upgrade_can_be_read(server: Server, front: Nginx) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws{front.origin.removeprefix('http')}/ws", subprotocols=["no-such"])  # type: ignore[list-item]
    assert refused.value.response.status_code == 400
    assert b"subprotocols" in (refused.value.response.body or b"")
    # And who is let in and is refused then is told so on the socket.
    socket = await connect(f"ws{front.origin.removeprefix('http')}/ws")
    await socket.send(json.dumps({"type": "auth", "token": "no.such.token"}))
    assert (await hear(socket, "error"))["code"] == 401
    await socket.wait_closed()
    assert socket.close_code == 4401


def test_tokens_in_addresses_are_not_in_its_log(server: Server, front: Nginx) -> None:
    token = server.token("n6")
    urllib3.request("GET", f"{front.origin}/api/me?token={token}", timeout=PATIENCE)
    urllib3.request("GET", f"{front.origin}/healthz?last=1", timeout=PATIENCE)
    assert "/api/me" in front.log
    assert token not in front.log


async def test_another_server_takes_over(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with (
        running_server(data, "fast", heartbeat=1) as first,
        running_server(tmp_path / "spare", "fast") as spare,
    ):
        token = first.token("n7")
        port = spare.address
        await asyncio.to_thread(spare.stop)
        task = first.ask("POST", "/api/tasks", token, {"title": "goes on", "start": True})["id"]
        with nginx(tmp_path, [first.address, port]) as front:
            headers = {"Authorization": f"Bearer {token}"}
            poll = f"{front.origin}/poll?channel=user:n7"
            seen = urllib3.request("GET", poll, headers=headers, timeout=PATIENCE).json()["messages"][0]
            await asyncio.to_thread(first.stop)
            async with running_server(data, "fast", port=port[1]) as second:
                second.ask("POST", f"/api/tasks/{task}/succeed", token, {})
                url = f"{poll}&cursor={seen['cursor']}"
                answer = urllib3.request("GET", url, headers=headers, timeout=PATIENCE).json()["messages"][0]
                # The same cursor at another server: only what changed, and nothing anew.
                assert (answer["reset"] if answer["type"] == "snapshot" else False) is False
                assert "succeeded" in str(answer)
