"""The doors of a server as an attacker uses them: what each answers to one who wants to follow something.

Another door is another function here, and an entry of `DOORS`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import urllib3
from websockets.asyncio.client import connect

from tests.clients import connected
from tests.servers import PATIENCE, Server

__all__ = ["DOORS", "Heard", "by_rest", "code_of"]

Heard = list[dict[str, Any]]
Door = Callable[[Server, str, dict[str, Any]], Awaitable[Heard]]


def code_of(response: urllib3.BaseHTTPResponse) -> int:
    """The code of a refusal, or the status of what is none."""
    try:
        body = response.json()
    except ValueError:
        return response.status
    return body["code"] if isinstance(body, dict) and "code" in body else response.status


async def by_websocket(server: Server, token: str, wanted: dict[str, Any]) -> Heard:
    """Follow over a WebSocket; all that was said until the answer."""
    return await _socket(server, token, wanted, "headway.v1")


async def by_packed_websocket(server: Server, token: str, wanted: dict[str, Any]) -> Heard:
    """The same in MessagePack."""
    return await _socket(server, token, wanted, "headway.v1.msgpack")


async def _socket(server: Server, token: str, wanted: dict[str, Any], subprotocol: str) -> Heard:
    async with connected(server, subprotocols=[subprotocol]) as client:
        await client.say("auth", token=token)
        await client.say("subscribe", id=1, **wanted)
        await client.say("ping")
        heard: Heard = []
        while not (
            {"pong"} <= {message["type"] for message in heard} and any("id" in message for message in heard)
        ):
            heard.append(await client.hear())
        return heard


async def by_socketio(server: Server, token: str, wanted: dict[str, Any]) -> Heard:
    """Follow over Socket.IO; all that was said until the answer."""
    url = f"{server.ws.removesuffix('/ws')}/socket.io/?EIO=4&transport=websocket"
    heard: Heard = []
    async with asyncio.timeout(PATIENCE), connect(url, proxy=None, max_size=None) as client:
        await client.send("40" + json.dumps({"token": token}))
        await client.send("420" + json.dumps(["subscribe", {"id": 1, **wanted}]))
        while not heard or not (heard[-1]["type"] in {"snapshot", "log"} or "code" in heard[-1]):
            packet = str(await client.recv())
            if packet.startswith("430"):
                answer = json.loads(packet[3:])[0]
                heard += [] if answer["ok"] else [{"type": "error", **answer}]
            elif packet.startswith("42"):
                name, message, *_offset = json.loads(packet[2:])
                heard.append({"type": name, **message})
    return heard


async def by_events(server: Server, token: str, wanted: dict[str, Any]) -> Heard:
    """Follow over a stream of events, until its first snapshot or its refusal."""
    return await asyncio.to_thread(_events, server, token, wanted)


def _events(server: Server, token: str, wanted: dict[str, Any]) -> Heard:
    with urllib3.PoolManager() as pool:
        response = pool.request(
            "GET",
            f"{server.url}/events?{urlencode(wanted)}",
            headers={"Authorization": f"Bearer {token}"},
            preload_content=False,
            timeout=PATIENCE,
            retries=False,
        )
        if response.status != 200:
            return [json.loads(response.read())]
        for line in response:
            if line.startswith(b"data: "):
                response.close()
                return [json.loads(line.removeprefix(b"data: "))]
        raise AssertionError("the stream said nothing")


async def by_poll(server: Server, token: str, wanted: dict[str, Any]) -> Heard:
    """Poll once."""
    response = await asyncio.to_thread(server.request, "GET", f"/poll?{urlencode(wanted)}", token)
    body = response.json()
    return list(body["messages"]) if response.status == 200 else [body]


DOORS: dict[str, Door] = {
    "WebSocket": by_websocket,
    "WebSocket, MessagePack": by_packed_websocket,
    "Socket.IO": by_socketio,
    "events": by_events,
    "poll": by_poll,
}


def by_rest(task: str) -> list[tuple[str, str, Any]]:
    """Every request of REST that names a task."""
    path = f"/api/tasks/{task}"
    report = {"reports": [{"type": "progress", "task": task, "percent": 50}]}
    return [
        ("GET", path, None),
        ("PATCH", path, {"percent": 50}),
        ("DELETE", path, None),
        *(
            ("POST", f"{path}/{what}", {})
            for what in ("start", "pause", "resume", "cancel", "succeed", "fail", "retry", "heartbeat")
        ),
        ("POST", f"{path}/log", {"text": "mine"}),
        ("GET", f"{path}/log", None),
        ("POST", "/api/ingest", report),
    ]
