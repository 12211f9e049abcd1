"""Many clients in one process, as cheap as they come: they connect, say what they are told, and count what they get.

    python -m benchmarks.clients HOST PORT COUNT [MESSAGE ...]

Each client opens the native WebSocket (or a bare TCP connection with `--bare`) and sends the messages, one frame each.
`--path` names another path, `--expect` says how many frames answer a client that has just come, and `--tokens` names a file
with a token on each line: each client puts one of its own where a message says `TOKEN`. Prints `ready` when every client has received as many frames as it sent messages, then answers each line on standard input
with a line of JSON: `{"frames": …, "bytes": …, "lost": …}` since the line before.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import resource
import struct
import sys
import time
from pathlib import Path

import uvloop

_UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def masked(message: bytes) -> bytes:
    """A client's text frame; a mask of zeros is a mask too."""
    size = len(message)
    head = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x81, 0xFE, size)
    return head + b"\0\0\0\0" + message


class Client(asyncio.Protocol):
    """Counts frames without looking into them."""

    __slots__ = ("crowd", "rest", "transport", "upgraded")

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.rest = b""
        self.upgraded = crowd.bare

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        if not self.crowd.bare:
            self.transport.write(self.crowd.upgrade)  # type: ignore[attr-defined]
        else:
            self.crowd.arrived()

    def data_received(self, data: bytes) -> None:
        crowd = self.crowd
        crowd.bytes += len(data)
        if self.rest:
            data = self.rest + data
            self.rest = b""
        if not self.upgraded:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self.rest = data
                return
            assert data.startswith(b"HTTP/1.1 101"), data[:200]
            self.upgraded = True
            data = data[end + 4 :]
            self.transport.write(crowd.greeting())  # type: ignore[attr-defined]
            if not crowd.messages:
                crowd.arrived()
        at, end = 0, len(data)
        while end - at >= 2:
            size, start = data[at + 1] & 127, at + 2
            if size == 126:
                if end - at < 4:
                    break
                size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                if end - at < 10:
                    break
                size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if start + size > end:
                break
            if data[at] & 15 == 1:
                crowd.frame(data, start, size)
            at = start + size
        self.rest = data[at:]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.crowd.lost += 1


class Crowd:
    """All clients of this process."""

    def __init__(
        self,
        address: tuple[str, int],
        count: int,
        messages: list[str],
        *,
        bare: bool,
        stamp: bool,
        path: str,
        expect: int,
        tokens: list[str] | None = None,
    ) -> None:
        self.bare = bare
        self.count = count
        self.words = messages
        self.tokens = tokens or []
        self.messages = b"".join(masked(message.encode()) for message in messages)
        self.expected = count * (expect or len(messages))
        key = base64.b64encode(os.urandom(16)).decode()
        self.upgrade = _UPGRADE.format(path=path, host=address[0], port=address[1], key=key).encode()
        self.address = address
        self.bytes = self.frames = self.lost = self.connected = 0
        self.stamp = stamp
        self.delays: list[float] = []
        self.ready = asyncio.Event()
        self.client = Client

    def frame(self, data: bytes, start: int, size: int) -> None:
        self.frames += 1
        if self.stamp:
            # The producer's clock stands in the task's message as `@<nanoseconds>@`; both run on this machine.
            at = data.find(b'"message":"@', start, start + size)
            if at >= 0:
                sent = int(data[at + 12 : data.index(b"@", at + 12)])
                self.delays.append((time.time_ns() - sent) / 1e6)
        if self.frames == self.expected and self.expected:
            self.ready.set()

    def greeting(self) -> bytes:
        """What the next client says when it has come."""
        if not self.tokens:
            return self.messages
        token = self.tokens.pop()
        return b"".join(masked(message.replace("TOKEN", token).encode()) for message in self.words)

    def arrived(self) -> None:
        self.connected += 1
        if self.connected == self.count:
            self.ready.set()

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        gate = asyncio.Semaphore(200)

        async def one() -> None:
            async with gate:
                await loop.create_connection(lambda: self.client(self), *self.address)

        await asyncio.gather(*(one() for _ in range(self.count)))
        await asyncio.wait_for(self.ready.wait(), 120)

    def report(self) -> dict[str, object]:
        delays, self.delays = sorted(self.delays), []
        report: dict[str, object] = {"frames": self.frames, "bytes": self.bytes, "lost": self.lost}
        if delays:
            report["delays_ms"] = {
                "median": delays[len(delays) // 2],
                "p99": delays[int(len(delays) * 0.99)],
                "count": len(delays),
            }
        self.frames = self.bytes = 0
        return report


async def main(arguments: list[str]) -> None:
    bare = "--bare" in arguments
    stamp = "--stamp" in arguments
    path, expect = "/ws", 0
    if "--path" in arguments:
        path = arguments.pop(arguments.index("--path") + 1)
    if "--expect" in arguments:
        expect = int(arguments.pop(arguments.index("--expect") + 1))
    tokens: list[str] = []
    if "--tokens" in arguments:
        tokens = Path(arguments.pop(arguments.index("--tokens") + 1)).read_text().split()
    host, port, count, *messages = [part for part in arguments if not part.startswith("--")]
    address = (host, int(port))
    crowd = Crowd(
        address, int(count), messages, bare=bare, stamp=stamp, path=path, expect=expect, tokens=tokens
    )
    await crowd.connect()
    await listen(crowd)


async def listen(crowd: Crowd) -> None:
    """Say that all have come, and answer lines until there are no more."""
    crowd.report()
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(crowd.report()), flush=True)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(main(sys.argv[1:]))
