"""One client of each contract that follows one task, so that what holds for all of them is one test."""

from __future__ import annotations

import asyncio
import json
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect

from tests.python_client import PythonClient
from tests.servers import PATIENCE, Server
from tests.transports.contracts.clients import Heard, raw

__all__ = ["DIALECTS", "WAYS", "Job", "RawWay", "Strict", "Way", "deaf"]

DIALECTS = "dedup,studio=/studio,voice=/voice,user-tasks,notifications"


class Job(NamedTuple):
    """A task, as the contracts know it: by its id, or by its number."""

    user: str
    id: str
    number: int


class Strict(Heard):
    """A client of Socket.IO whose handlers take what the contract says and no argument more."""

    def __init__(self, events: tuple[str, ...]) -> None:
        super().__init__()
        self.client = PythonClient(reconnection=False)
        for name in events:
            self.client.on(name, self._handler(name))
        self.client.on("disconnect", lambda *_: self.note("closed", None))

    def _handler(self, name: str) -> Any:
        def hear(data: Any) -> None:
            self.note(name, data)

        return hear

    async def say(self, name: str, data: Any) -> None:
        await self.client.emit(name, data)


class Way(ABC):
    """A contract's client.

    Attributes:
        forged: what its clients must not be able to say.
    """

    name: str
    forged: tuple[tuple[str, dict[str, Any]], ...]

    @abstractmethod
    def follow(self, server: Server, token: str, job: Job) -> Any:
        """A client that follows the job, and was told how things stand."""

    @abstractmethod
    def stands(self, client: Heard, job: Job) -> Any:
        """What it was told of the job when it came: percent, `done`, or None."""

    @abstractmethod
    def told(self, name: str, data: Any) -> tuple[Any, Any] | None:
        """The key of a job, and its percent, or `done`; None for what is no news of one."""

    def key(self, job: Job) -> Any:
        """How the news name it."""
        return job.id

    def news(self, client: Heard, job: Job) -> list[Any]:
        """All that it was told of the job after how things stood, in order."""
        told = [self.told(name, data) for name, data in client.events]
        return [what for found in told if found is not None for key, what in [found] if key == self.key(job)]

    async def until(self, client: Heard, job: Job, what: Any) -> None:
        """Wait until it was told this."""
        await client.until(lambda name, data: self.told(name, data) == (self.key(job), what))

    @abstractmethod
    async def say(self, client: Any, name: str, data: Any) -> None:
        """Say what the contract does not have."""

    @abstractmethod
    def address(self, server: Server, token: str, job: Job) -> str:
        """Of its WebSocket."""

    async def begin(self, client: ClientConnection, token: str, jobs: list[Job]) -> None:
        """Follow over a bare WebSocket, whatever is answered; most follow by its address alone."""
        return


class _SocketIo(Way):
    path: str
    events: tuple[str, ...]
    greeting: str

    @asynccontextmanager
    async def follow(self, server: Server, token: str, job: Job) -> AsyncIterator[Strict]:
        client = Strict((*self.events, "error"))
        await client.client.connect(
            server.origin, auth={"token": token}, socketio_path=self.path, wait_timeout=PATIENCE
        )
        try:
            await client.until(self.greeting)
            await self.join(client, job)
            yield client
        finally:
            await client.client.disconnect()

    async def join(self, client: Strict, job: Job) -> None:
        """Ask for the job, where that is needed."""

    async def say(self, client: Strict, name: str, data: Any) -> None:
        await client.say(name, data)

    def address(self, server: Server, token: str, job: Job) -> str:
        return f"ws{server.origin.removeprefix('http')}{self.path}?EIO=4&transport=websocket"

    async def begin(self, client: ClientConnection, token: str, jobs: list[Job]) -> None:
        await client.recv()
        await client.send("40" + json.dumps({"token": token}))


class Dedup(_SocketIo):
    name, path, greeting = "dedup", "/socket.io/", "connected"
    events = ("connected", "task_status", "task_progress", "task_completed", "task_error", "left")
    forged = (
        ("task_progress", {"task_id": 1, "progress_percentage": 99}),
        ("task_completed", {"task_id": 1, "data": {}}),
        ("task_error", {"task_id": 1, "error": "forged"}),
    )

    async def join(self, client: Strict, job: Job) -> None:
        await client.say("join_task", {"task_id": job.number})
        await client.until("task_status")

    def stands(self, client: Heard, job: Job) -> Any:
        (status,) = client.all("task_status")
        assert status["task_id"] == status["data"]["id"] == job.number
        return "done" if status["status"] == "completed" else status["data"]["progress_percentage"]

    def told(self, name: str, data: Any) -> tuple[Any, Any] | None:
        if name == "task_progress":
            return data["task_id"], data["progress_percentage"]
        return (data["task_id"], "done") if name == "task_completed" else None

    def key(self, job: Job) -> Any:
        return job.number

    async def begin(self, client: ClientConnection, token: str, jobs: list[Job]) -> None:
        await super().begin(client, token, jobs)
        await client.recv()
        for job in jobs:
            await client.send("42" + json.dumps(["join_task", {"task_id": job.number}]))


class Studio(_SocketIo):
    name, path, greeting = "studio", "/studio/socket.io/", "active_tasks"
    events = ("active_tasks", "task_created", "task_progress", "task_completed", "task_failed")
    forged = (
        ("task_progress", {"id": 1, "progress": 99}),
        ("task_completed", {"id": 1, "result": {}}),
        ("task_failed", {"id": 1, "error": "forged"}),
    )

    def stands(self, client: Heard, job: Job) -> Any:
        (active,) = client.all("active_tasks")
        return "there" if job.id in {task["serverTaskId"] for task in active["tasks"]} else None

    def told(self, name: str, data: Any) -> tuple[Any, Any] | None:
        if name == "task_progress":
            return data["id"], data["progress"]
        return (data["id"], "done") if name == "task_completed" else None

    def key(self, job: Job) -> Any:
        return job.number


class Voice(_SocketIo):
    name, path, greeting = "voice", "/voice/socket.io/", "authenticated"
    events = ("authenticated", "audio:progress", "audio:complete", "audio:failed")
    forged = (
        ("audio:progress", {"jobId": "x", "progress": {"percentage": 99}}),
        ("audio:complete", {"jobId": "x", "audioUrl": "/forged.wav"}),
        ("audio:failed", {"jobId": "x", "error": "forged"}),
    )

    def stands(self, client: Heard, job: Job) -> Any:
        told = self.news(client, job)
        return told[0] if told else None

    def told(self, name: str, data: Any) -> tuple[Any, Any] | None:
        if name == "audio:progress":
            return data["jobId"], data["progress"]["percentage"]
        return (data["jobId"], "done") if name == "audio:complete" else None


class RawWay(Way):
    """Over a WebSocket whose token is in its address."""

    greeting: tuple[str, ...]

    @asynccontextmanager
    async def follow(self, server: Server, token: str, job: Job) -> AsyncIterator[Heard]:
        async with raw(server, self.path(token, job)) as client:
            for name in self.greeting:
                await client.until(name)
            yield client

    @abstractmethod
    def path(self, token: str, job: Job) -> str:
        """Of its WebSocket, with the token."""

    async def say(self, client: Any, name: str, data: Any) -> None:
        await client.say({"type": name, **data})

    def address(self, server: Server, token: str, job: Job) -> str:
        return f"ws{server.origin.removeprefix('http')}{self.path(token, job)}"


class UserTasks(RawWay):
    name, greeting = "user-tasks", ("connection_established", "user_tasks")
    forged = (
        ("task_update", {"task_id": "x", "data": {"progress": 99}}),
        ("tasks_cleared", {}),
        ("user_tasks", {"tasks": []}),
    )

    def path(self, token: str, job: Job) -> str:
        return f"/api/v1/ws/tasks/{job.user}?token={token}"

    def stands(self, client: Heard, job: Job) -> Any:
        (listed,) = client.all("user_tasks")
        found = {task["task_id"]: task for task in listed["tasks"]}.get(job.id)
        return found and ("done" if found["status"] == "success" else found["progress"])

    def told(self, name: str, data: Any) -> tuple[Any, Any] | None:
        if name != "task_update":
            return None
        info = data["data"]
        return info["task_id"], "done" if info["status"] == "success" else info["progress"]


class Notifications(RawWay):
    name, greeting = "notifications", ("connected",)
    forged = (
        ("progress", {"data": {"progress": 99}}),
        ("completed", {"data": {"progress": 100}}),
        ("notification", {"data": {"title": "forged"}}),
    )

    def path(self, token: str, job: Job) -> str:
        return f"/api/ws/tasks/{job.id}?token={token}"

    @asynccontextmanager
    async def follow(self, server: Server, token: str, job: Job) -> AsyncIterator[Heard]:
        async with super().follow(server, token, job) as client:
            await client.until(lambda name, _: name in {"progress", "completed", "error"})
            yield client

    def stands(self, client: Heard, job: Job) -> Any:
        return self.news(client, job)[0]

    def address(self, server: Server, token: str, job: Job) -> str:
        return f"ws{server.origin.removeprefix('http')}/api/ws/notifications?token={token}"

    def told(self, name: str, data: Any) -> tuple[Any, Any] | None:
        if name not in {"progress", "completed"}:
            return None
        found = data["data"]
        return found["task_id"], "done" if name == "completed" else found["progress"]


WAYS: tuple[Way, ...] = (Dedup(), Studio(), Voice(), UserTasks(), Notifications())


@asynccontextmanager
async def deaf(way: Way, server: Server, token: str, jobs: list[Job]) -> AsyncIterator[ClientConnection]:
    """A client that follows, and from then on reads nothing: nearly nothing fits between it and the server."""
    bare = socket.socket()
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    bare.setblocking(False)
    await asyncio.get_running_loop().sock_connect(bare, server.address)
    url = way.address(server, token, jobs[0])
    async with connect(url, sock=bare, max_queue=1, proxy=None, close_timeout=0.1) as client:
        await way.begin(client, token, jobs)
        yield client
