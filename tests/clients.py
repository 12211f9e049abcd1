"""A client of the native protocol for tests: it says what a test tells it to, and keeps views as `spec/wire.md` asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.servers import PATIENCE, Server

__all__ = ["Client", "Message", "View", "connected", "logged_in"]

Message = dict[str, Any]
PROTOCOL = Subprotocol("headway.v1")


class Client:
    """One connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.packed = socket.subprotocol == "headway.v1.msgpack"

    async def say(self, kind: str, /, **fields: Any) -> None:
        message = {"type": kind, **fields}
        await self.socket.send(msgspec.msgpack.encode(message) if self.packed else json.dumps(message))

    async def hear(self, *types: str) -> Message:
        """The next message, or the next of these types; heartbeats are passed over unless they are asked for."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self._read()
                if message["type"] in types or (not types and message["type"] != "heartbeat"):
                    return message

    async def answer(self, kind: str, /, **fields: Any) -> Message:
        """Say something, and take the very next message for its answer."""
        await self.say(kind, **fields)
        return await self.hear()

    async def follow(self, view: View, **fields: Any) -> Message:
        """Subscribe and hear all parts of the answer; the first part."""
        await self.say("subscribe", id=view.id, **fields, **({"cursor": view.cursor} if view.cursor else {}))
        first = part = view.take(await self.hear("snapshot"))
        while part.get("more"):
            part = view.take(await self.hear("snapshot"))
        return first

    async def ended(self) -> tuple[int, str, list[Message]]:
        """Wait for the end: its code and reason, and what was said until then."""
        said: list[Message] = []
        async with asyncio.timeout(PATIENCE):
            try:
                while True:
                    said.append(await self._read())
            except ConnectionClosed as closed:
                end = closed.rcvd
        if end is None:
            raise AssertionError(f"the connection was cut without a word after {said[-3:]}")
        return end.code, end.reason, said

    async def _read(self) -> Message:
        data = await self.socket.recv()
        assert isinstance(data, bytes) is self.packed
        return cast("Message", msgspec.msgpack.decode(data) if isinstance(data, bytes) else json.loads(data))


class View:
    """What a client keeps of one subscription. Checks on the way that revisions only go up."""

    def __init__(self, name: str | int = 1) -> None:
        self.id = name
        self.records: dict[str, Message] = {}
        self.cursor: str | None = None
        self.resets = 0
        self.changes = 0
        self._seen: set[tuple[str, int]] = set()

    def take(self, message: Message) -> Message:
        """Apply a `snapshot` or a `change`; gives it back."""
        assert message["id"] == self.id
        last = 0
        if message["type"] == "snapshot":
            if message["reset"]:
                self.resets += 1
                self.records.clear()
                self._seen.clear()
            else:
                last = self._reached
            arrived = sorted(message["tasks"] + message["notifications"], key=lambda record: record["rev"])
            for kind in ("tasks", "notifications"):
                revisions = [record["rev"] for record in message[kind]]
                assert revisions == sorted(set(revisions))
            gone = message["removed"]
        else:
            last = self._reached
            self.changes += 1
            arrived = [message[kind] for kind in ("task", "notification") if kind in message]
            gone = [message["removed"]] if "removed" in message else []
        for record in arrived:
            assert record["rev"] > last, f"revision {record['rev']} came after {last}"
            assert (record["id"], record["rev"]) not in self._seen
            self._seen.add((record["id"], record["rev"]))
            self.records[record["id"]] = record
        for record_id in gone:
            self.records.pop(record_id, None)
        self.cursor = message["cursor"]
        return message

    @property
    def _reached(self) -> int:
        return int((self.cursor or ".0").rpartition(".")[2])


@asynccontextmanager
async def connected(server: Server, **options: Any) -> AsyncIterator[Client]:
    """A connection on which nothing was said yet."""
    options.setdefault("subprotocols", [PROTOCOL])
    async with connect(server.ws, proxy=None, close_timeout=1, max_size=None, **options) as socket:
        yield Client(socket)


@asynccontextmanager
async def logged_in(server: Server, token: str | None = None, **options: Any) -> AsyncIterator[Client]:
    """A connection that has heard `welcome`."""
    async with connected(server, **options) as client:
        welcome = await client.answer("auth", token=token or server.token())
        assert welcome["type"] == "welcome"
        yield client
