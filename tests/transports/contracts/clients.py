"""The contracts' own kinds of clients, which keep what they hear: python-socketio's, and `websockets`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import urllib3
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from headway.server.app import Headway
from headway.transports.asgi import Scope
from tests.python_client import PythonClient
from tests.servers import PATIENCE, Server

__all__ = ["Call", "Heard", "Raw", "Speaker", "get", "raw", "speaking"]


class Heard:
    """Events in the order in which they came."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []
        self._news = asyncio.Event()

    def note(self, name: str, data: Any) -> None:
        self.events.append((name, data))
        self._news.set()

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def all(self, name: str) -> list[Any]:
        return [data for kind, data in self.events if kind == name]

    async def several(self, name: str, count: int) -> Any:
        """The payload of the last of so many events with a name."""
        await self.until(lambda _name, _data: len(self.all(name)) >= count)
        return self.all(name)[count - 1]

    async def until(self, right: Callable[[str, Any], bool] | str) -> Any:
        """The payload of the first event that is right, heard already or yet to come."""
        seen = 0
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    self._news.clear()
                    for name, data in self.events[seen:]:
                        seen += 1
                        if name == right if isinstance(right, str) else right(name, data):
                            return data
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"It never came; there were {self.events}") from None


class Speaker(Heard):
    """A client of Socket.IO."""

    def __init__(self) -> None:
        super().__init__()
        self.client = PythonClient(reconnection=False)
        self.client.on("*", self._catch)
        self.client.on("disconnect", lambda *_: self.note("disconnect", None))

    async def _catch(self, name: str, data: Any = None, *_offset: Any) -> None:
        self.note(name, data)

    async def say(self, name: str, data: Any = None) -> None:
        await self.client.emit(name, data)


@asynccontextmanager
async def speaking(
    server: Server, token: str | None = None, *, path: str = "/socket.io/", **options: Any
) -> AsyncIterator[Speaker]:
    """A client of Socket.IO that is connected."""
    speaker = Speaker()
    auth = None if token is None else {"token": token}
    await speaker.client.connect(
        server.origin, auth=auth, socketio_path=path, wait_timeout=PATIENCE, **options
    )
    try:
        yield speaker
    finally:
        await speaker.client.disconnect()


class Raw(Heard):
    """A client of a raw WebSocket whose messages have a `type`."""

    def __init__(self, socket: ClientConnection) -> None:
        super().__init__()
        self.socket = socket
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            await self._listen()
        self.note("closed", self.socket.close_code)

    async def _listen(self) -> None:
        async for text in self.socket:
            message = json.loads(text)
            self.note(message["type"], message)

    async def say(self, message: Any) -> None:
        await self.socket.send(message if isinstance(message, str) else json.dumps(message))


@asynccontextmanager
async def raw(server: Server, path: str, **options: Any) -> AsyncIterator[Raw]:
    """A raw WebSocket that is connected."""
    url = f"ws{server.origin.removeprefix('http')}{path}"
    async with connect(url, open_timeout=PATIENCE, **options) as socket:
        yield Raw(socket)


class Call:
    """One request as an ASGI server gives it to an application of this process.

    Attributes:
        said: what the application has sent.
        reads: cleared, the client reads nothing.
    """

    def __init__(self, hw: Headway, kind: str, path: str, *messages: str) -> None:
        """Nothing was asked yet.

        Args:
            kind: `websocket` or `http`.
            path: with a query.
            messages: what the client says over its WebSocket.
        """
        self.said: list[Any] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self._app = hw.asgi
        begin = {"type": "websocket.connect" if kind == "websocket" else "http.request"}
        self._events = [begin, *({"type": "websocket.receive", "text": text} for text in messages)]
        self._news = asyncio.Event()
        path, _, query = path.partition("?")
        self._scope: Scope = {
            "type": kind,
            "method": "GET",
            "path": path,
            "root_path": "",
            "headers": [],
            "query_string": query.encode(),
        }

    async def run(self) -> str:
        """Until it was answered or the connection is over; all that was said."""
        async with asyncio.timeout(PATIENCE):
            await self._app(self._scope, self._receive, self._send)
        return self.text

    @property
    def text(self) -> str:
        """What the client has read so far."""
        return "".join(event.get("text") or event.get("body", b"").decode() for event in self.said)

    async def until(self, word: str) -> None:
        """Wait until this was said."""
        async with asyncio.timeout(PATIENCE):
            while word not in self.text:
                self._news.clear()
                await self._news.wait()

    async def _receive(self) -> Any:
        return self._events.pop(0) if self._events else await asyncio.get_running_loop().create_future()

    async def _send(self, event: Any) -> None:
        await self.reads.wait()
        self.said.append(event)
        self._news.set()


def get(server: Server, path: str, token: str | None = None, method: str = "GET") -> tuple[int, Any]:
    """One request at a contract's address: status, and body."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = urllib3.request(method, server.origin + path, headers=headers, retries=False, timeout=PATIENCE)
    return answer.status, answer.json()
