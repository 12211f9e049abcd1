"""A client that writes bytes as a test wants them, for what a WebSocket library would never send."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from websockets.frames import Frame, Opcode

from tests.servers import PATIENCE, Server

__all__ = ["RawClient", "frame", "raw_client", "text", "upgrade"]


class Addressed(Protocol):
    """A server."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""


def upgrade(server: Addressed, *headers: str, path: str = "/ws") -> bytes:
    """The request that begins a WebSocket."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: {}:{}".format(*server.address),
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}",
        *headers,
    ]
    return "\r\n".join((*lines, "\r\n")).encode()


def frame(opcode: Opcode, data: bytes, *, mask: bool = True, fin: bool = True) -> bytes:
    """One frame."""
    return Frame(opcode, data, fin).serialize(mask=mask)


def text(**message: Any) -> bytes:
    """A message in a frame."""
    return frame(Opcode.TEXT, json.dumps(message).encode())


class RawClient:
    """A TCP connection, and the frames that come over it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read_frame(self) -> tuple[Opcode, bytes]:
        """The next frame; servers neither mask nor split theirs."""
        async with asyncio.timeout(PATIENCE):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8), "big")
            return Opcode(first & 15), await self.reader.readexactly(size)

    async def hear(self) -> dict[str, Any]:
        """The next message that is no heartbeat."""
        while True:
            opcode, data = await self.read_frame()
            if opcode is Opcode.TEXT:
                message: dict[str, Any] = json.loads(data)
                if message["type"] != "heartbeat":
                    return message

    async def ended(self) -> tuple[int | None, list[dict[str, Any]]]:
        """Read to the end: the code of the close frame, None without one, and what was said before."""
        said: list[dict[str, Any]] = []
        try:
            while True:
                opcode, data = await self.read_frame()
                if opcode is Opcode.CLOSE:
                    return int.from_bytes(data[:2], "big"), said
                if opcode is Opcode.TEXT:
                    said.append(json.loads(data))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return None, said

    async def lost(self) -> bytes:
        """All that comes until the connection is gone."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@asynccontextmanager
async def raw_client(
    server: Server, *, token: str | None = None, upgraded: bool = True, small: bool = False
) -> AsyncIterator[RawClient]:
    """A connection; after the upgrade if it is to be `upgraded`, welcomed with a `token`.

    Args:
        small: it takes as little as the system lets it, before it reads.
    """
    raw = socket.socket()
    if small:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, server.address)
    reader, writer = await asyncio.open_connection(sock=raw, limit=4096 if small else 2**16)
    client = RawClient(reader, writer)
    try:
        if upgraded:
            await client.write(upgrade(server))
            async with asyncio.timeout(PATIENCE):
                answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 101 "), answer
        if token is not None:
            await client.write(text(type="auth", token=token))
            assert (await client.hear())["type"] == "welcome"
        yield client
    finally:
        writer.transport.abort()
