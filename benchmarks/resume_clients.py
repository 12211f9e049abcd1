"""Many clients in one process that follow a channel, lose their connections all at once, and come back all at once.

    python -m benchmarks.resume_clients HOST PORT COUNT TOKEN CHANNEL TASKS TEXT

Prints `ready` when all follow, then answers lines with a line of JSON: `drop` cuts every connection, and `resume` opens them
anew, each with its cursor, until each client has heard `TEXT` of so many tasks: `seconds` says how long that took, and
`heard` how often it was heard in all.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import resource
import sys
import time
from typing import NamedTuple

import uvloop

from benchmarks.clients import masked
from benchmarks.processes import authenticating

_UPGRADE = (
    "GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_CURSOR = b'"cursor":"'
_PATIENCE = 120


class Crowd(NamedTuple):
    """What all clients share."""

    address: tuple[str, int]
    upgrade: bytes
    auth: bytes
    channel: str
    tasks: int
    text: bytes
    done: asyncio.Queue[None]


class Client(asyncio.Protocol):
    """One place in the channel, over several connections."""

    __slots__ = ("buffer", "crowd", "cursor", "heard", "transport", "upgraded")

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.cursor = ""
        self.heard = 0
        self.buffer = b""
        self.upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""
        self.upgraded = False
        transport.write(self.crowd.upgrade)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.upgraded:
            if b"\r\n\r\n" not in self.buffer:
                return
            self.upgraded = True
            subscribe: dict[str, object] = {"type": "subscribe", "id": 1, "channel": self.crowd.channel}
            if self.cursor:
                subscribe["cursor"] = self.cursor
            self.transport.write(self.crowd.auth + masked(json.dumps(subscribe).encode()))  # type: ignore[attr-defined]
        at = self.buffer.rfind(_CURSOR)
        if at < 0:
            return
        start = at + len(_CURSOR)
        end = self.buffer.find(b'"', start)
        if end < 0:
            return
        first = not self.cursor
        self.cursor = self.buffer[start:end].decode()
        before, found = self.heard, self.buffer.count(self.crowd.text)
        self.heard = found
        if first or (before < self.crowd.tasks <= found):
            self.crowd.done.put_nowait(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            print(f"lost: {exc}", file=sys.stderr)


async def arrive(clients: list[Client]) -> float:
    """Connect all at once; the seconds until each has what it wants."""
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    crowd = clients[0].crowd

    async def one(client: Client) -> None:
        await loop.create_connection(lambda: client, *crowd.address)

    connecting = asyncio.gather(*map(one, clients))
    async with asyncio.timeout(_PATIENCE):
        for _ in clients:
            await crowd.done.get()
    took = time.monotonic() - began
    await connecting
    return took


async def main(host: str, port: str, count: str, token: str, channel: str, tasks: str, text: str) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    auth = masked(authenticating(token)[0].encode())
    upgrade = _UPGRADE.format(host=host, port=port, key=key).encode()
    crowd = Crowd(
        (host, int(port)), upgrade, auth, channel, int(tasks), f'"message":"{text}"'.encode(), asyncio.Queue()
    )
    clients = [Client(crowd) for _ in range(int(count))]
    await arrive(clients)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        answer: dict[str, float] = {}
        if line.strip() == "drop":
            for client in clients:
                client.transport.abort()  # type: ignore[attr-defined]
                client.heard = 0
        else:
            answer["seconds"] = await arrive(clients)
            answer["heard"] = sum(client.heard for client in clients)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(main(*sys.argv[1:]))
