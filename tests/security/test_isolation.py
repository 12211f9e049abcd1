"""Two users at one server: no byte about one ever reaches the other, by whatever door.

Everything that Ada's jobs say has a mark in it, and everything that Bob is sent is searched for the mark; and the other
way round. Both also try to get at each other's things.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from headway.model.grant import Ability
from tests.security.doors import DOORS, by_rest
from tests.servers import PATIENCE, Form, Server, running_server

pytestmark = pytest.mark.slow

ROUNDS = 120
DIALECTS = "dedup=/dedup,studio=/studio,voice=/voice,user-tasks,notifications"
CONTRACTS = {"user-tasks": "/api/v1/ws/tasks/USER", "inbox": "/api/ws/notifications"}
HEARD = {
    "headway.v1", "headway.v1.msgpack", "Socket.IO", "events", "poll", "voice", "studio", "user-tasks", "inbox",
    "inbox, events",
}  # fmt: skip
"""Where everybody hears of what is their own; `dedup` has nothing with a text of a job in it."""
USERS = ("ada", "bob")


class Ear:
    """All bytes that one user was ever sent, by which door."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []

    def hear(self, door: str, data: bytes) -> None:
        self.heard.append((door, data))

    def find(self, mark: str) -> list[tuple[str, bytes]]:
        return [(door, data) for door, data in self.heard if mark.encode() in data]


@asynccontextmanager
async def listening(
    server: Server, user: str, token: str, wanted: list[dict[str, Any]], ear: Ear
) -> AsyncIterator[None]:
    """Listens at every door that stays open, for a `with` block."""
    async with AsyncExitStack() as stack:
        tasks = []
        for subprotocol in ("headway.v1", "headway.v1.msgpack"):
            tasks.append(asyncio.create_task(_socket(server, token, wanted, ear, subprotocol)))
        subscribing = [["subscribe", {"id": number, **one}] for number, one in enumerate(wanted)]
        projects = [one["channel"].removeprefix("project:") for one in wanted if "project:" in one["channel"]]
        # Whatever has these numbers, own or not.
        joining = [["join_task", {"task_id": number}] for number in range(1, 150)]
        for door, path, saying in (
            ("Socket.IO", "/headway", subscribing),
            ("voice", "/voice", [["subscribe:project", project] for project in projects]),
            ("studio", "/studio", []),
            ("dedup", "/dedup", joining),
        ):
            tasks.append(asyncio.create_task(_socketio(server, token, path, saying, ear, door)))
        for door, path in CONTRACTS.items():
            path = f"{path.replace('USER', user)}?token={token}"
            tasks.append(asyncio.create_task(_contract(server, path, ear, door)))
        body = json.dumps({"subscriptions": [{"id": n, **one} for n, one in enumerate(wanted)]}).encode()
        head = (
            f"POST {server.url.removeprefix(server.origin)}/events HTTP/1.1\r\nHost: here\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        tasks.append(asyncio.create_task(_stream(server, head.encode() + body, ear, "events")))
        head = f"GET /api/notifications/stream?token={token} HTTP/1.1\r\nHost: here\r\n\r\n"
        tasks.append(asyncio.create_task(_stream(server, head.encode(), ear, "inbox, events")))
        tasks.append(asyncio.create_task(_polls(server, token, wanted, ear)))
        stack.callback(lambda: [task.cancel() for task in tasks])
        yield


async def _socket(
    server: Server, token: str, wanted: list[dict[str, Any]], ear: Ear, subprotocol: str
) -> None:
    pack: Callable[[Any], str | bytes] = (
        msgspec.msgpack.encode if subprotocol.endswith("msgpack") else json.dumps
    )
    async with connect(
        server.ws, proxy=None, subprotocols=[Subprotocol(subprotocol)], max_size=None
    ) as socket:
        await socket.send(pack({"type": "auth", "token": token}))
        for number, one in enumerate(wanted):
            await socket.send(pack({"type": "subscribe", "id": number, **one}))
        try:
            async for data in socket:
                ear.hear(subprotocol, data if isinstance(data, bytes) else data.encode())
        except ConnectionClosed:
            pass


async def _socketio(
    server: Server, token: str, path: str, saying: list[list[Any]], ear: Ear, door: str
) -> None:
    url = f"ws{server.origin.removeprefix('http')}{path}/socket.io/?EIO=4&transport=websocket"
    async with connect(url, proxy=None, max_size=None) as socket:
        await socket.recv()
        await socket.send("40" + json.dumps({"token": token}))
        greeting = str(await socket.recv())
        assert greeting.startswith("40{"), greeting
        asking = asyncio.create_task(_say_again(socket, saying))
        try:
            async for data in socket:
                if data == "2":
                    await socket.send("3")
                ear.hear(door, data if isinstance(data, bytes) else data.encode())
        except ConnectionClosed:
            pass
        finally:
            asking.cancel()


async def _say_again(socket: ClientConnection, saying: list[list[Any]]) -> None:
    """What is not there yet may be there later."""
    while saying:
        for event in saying:
            await socket.send("42" + json.dumps(event))
        await asyncio.sleep(1)


async def _contract(server: Server, path: str, ear: Ear, door: str) -> None:
    url = f"ws{server.origin.removeprefix('http')}{path}"
    async with connect(url, proxy=None, max_size=None) as socket:
        try:
            async for data in socket:
                ear.hear(door, data if isinstance(data, bytes) else data.encode())
        except ConnectionClosed:
            pass


async def _stream(server: Server, request: bytes, ear: Ear, door: str) -> None:
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(request)
    try:
        while data := await reader.read(65_536):
            ear.hear(door, data)
    finally:
        writer.close()


async def _polls(server: Server, token: str, wanted: list[dict[str, Any]], ear: Ear) -> None:
    cursors: dict[int, str] = {}
    while True:
        asked = [
            {"id": number, **one, **({"cursor": cursors[number]} if number in cursors else {})}
            for number, one in enumerate(wanted)
        ]
        response = await asyncio.to_thread(
            server.request, "POST", "/poll?wait=1", token, {"subscriptions": asked}
        )
        ear.hear("poll", response.data)
        for message in response.json().get("messages", ()):
            if "cursor" in message:
                cursors[message["id"]] = message["cursor"]


class User:
    """Does things with a mark in all of them, and tries to get at the other's."""

    def __init__(self, server: Server, name: str, chance: random.Random) -> None:
        self.server = server
        self.name = name
        self.mark = f"<{name}-{chance.randrange(10**12):012}>"
        self.project = f"project:{name}s"
        self.token = server.token(name, channels=[self.project])
        self.ear = Ear()
        self.tasks: list[str] = []
        self.notes: list[str] = []
        self._chance = chance
        self._made = 0

    async def ask(self, method: str, path: str, body: Any = None) -> None:
        response = await asyncio.to_thread(self.server.request, method, path, self.token, body)
        head = "".join(f"{name}: {value}\n" for name, value in response.headers.items())
        self.ear.hear(f"{method} {path}", head.encode() + response.data)

    async def act(self) -> None:
        """Something of one's own."""
        choose: Callable[[], Any] = self._chance.choice(
            [self._create, self._create, self._report, self._notify]
        )
        await choose()

    async def pry(self, other: User) -> None:
        """Something of the other's, whose ids are known well."""
        task = self._chance.choice(other.tasks) if other.tasks else "none"
        task = self._chance.choice([task, task, task.swapcase(), task + "0"])
        note = self._chance.choice(other.notes) if other.notes else "none"
        channel = self._chance.choice([f"user:{other.name}", other.project, f"user:{other.name.upper()}"])
        reports = [
            {"type": "create", "task": task, "title": "mine", "idempotency_key": "key"},
            {"type": "create", "task": f"{self.name}{self._made}c", "title": "mine", "parent": task},
            {"type": "create", "task": f"{self.name}{self._made}d", "title": "mine", "channel": channel},
            {"type": "log", "task": task, "lines": [{"text": "mine"}]},
            {"type": "result", "task": task, "result": 1},
            {"type": "notify", "id": note, "title": "mine"},
            {"type": "notify", "id": f"{self.name}{self._made}n", "title": "mine", "task": task},
            {"type": "notify", "id": f"{self.name}{self._made}m", "title": "mine", "user": other.name},
        ]
        await self.ask("POST", "/api/ingest", {"reports": reports})
        for method, path, body in self._chance.sample(by_rest(task), 4):
            await self.ask(method, path, body)
        await self.ask("POST", f"/api/notifications/{note}/read")
        for query in (
            f"channel={channel}",
            f"parent={task}",
            f"q={other.name}",
            f"tag={other.name}",
            "limit=200",
        ):
            await self.ask("GET", f"/api/tasks?{query}")
        for path in ("/api/stats", "/api/me", "/api/notifications", f"/api/notifications?channel={channel}"):
            await self.ask("GET", path)
        things: list[dict[str, Any]] = [{"task": task}, {"task": task, "log": 0}, {"channel": channel}]
        wanted = self._chance.choice(things)
        door = self._chance.choice(list(DOORS))
        self.ear.hear(door, json.dumps(await DOORS[door](self.server, self.token, wanted)).encode())

    async def _create(self) -> None:
        self._made += 1
        task = f"{self.name}{self._made}t"
        self.tasks.append(task)
        fields = {
            "id": task,
            "title": self.mark,
            "kind": self.mark,
            "unit": self.mark[:32],
            "tags": [self.mark],
            "meta": {self.mark: self.mark},
            "steps": [{"name": self.mark}],
            "idempotency_key": "key" + str(self._made),
            "start": True,
        }
        if self._chance.random() < 0.5:
            fields["channel"] = self.project
        await self.ask("POST", "/api/tasks", fields)

    async def _report(self) -> None:
        if not self.tasks:
            return
        task = self._chance.choice(self.tasks)
        reports: list[dict[str, Any]] = [
            {"type": "progress", "task": task, "message": self.mark, "detail": {"of": self.mark}},
            {"type": "log", "task": task, "lines": [{"text": self.mark}]},
            {"type": "result", "task": task, "result": self.mark},
        ]
        reports.append(
            self._chance.choice(
                [
                    {"type": "fail", "task": task, "error": self.mark},
                    {"type": "succeed", "task": task, "result": [self.mark]},
                    {"type": "cancel", "task": task},
                    {"type": "retry", "task": task},
                    {"type": "heartbeat", "task": task},
                ]
            )
        )
        await self.ask("POST", "/api/ingest", {"reports": reports})

    async def _notify(self) -> None:
        self._made += 1
        note = f"{self.name}{self._made}n"
        self.notes.append(note)
        fields = dict.fromkeys(("title", "content", "kind", "source"), self.mark)
        await self.ask("POST", "/api/notifications", {"id": note, **fields, "data": {"of": self.mark}})


@pytest.mark.timeout(180)
@pytest.mark.parametrize("form", ["fast", "asgi"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_no_byte_about_one_reaches_the_other(tmp_path: Any, form: Form, seed: int) -> None:
    chance = random.Random(seed)
    rates = {"message_rate": 10_000, "message_burst": 100_000}
    async with running_server(tmp_path, form, dialect=DIALECTS, **rates) as server:
        ada, bob = (User(server, name, chance) for name in USERS)
        async with AsyncExitStack() as stack:
            for user, other in ((ada, bob), (bob, ada)):
                # One's own; and what cannot be had is asked for too, where a refusal leaves the rest in place.
                wanted = [{"channel": f"user:{user.name}"}, {"channel": user.project}, {"channel": "public"}]
                await stack.enter_async_context(listening(server, user.name, user.token, wanted, user.ear))
                sockets = [
                    {"channel": f"user:{other.name}"},
                    {"channel": other.project},
                    {"channel": "user:*"},
                ]
                # Whose own address it is not, and whose project.
                theirs = f"{CONTRACTS['user-tasks'].replace('USER', other.name)}?token={user.token}"
                prying = asyncio.create_task(_contract(server, theirs, user.ear, "user-tasks, other"))
                stack.push_async_callback(ended, prying)
                subscribing = [["subscribe:project", f"{other.name}s"], ["subscribe:project", other.name]]
                prying = asyncio.create_task(
                    _socketio(server, user.token, "/voice", subscribing, user.ear, "voice, other")
                )
                stack.push_async_callback(ended, prying)
                for subprotocol in ("headway.v1", "headway.v1.msgpack"):
                    prying = asyncio.create_task(_socket(server, user.token, sockets, user.ear, subprotocol))
                    stack.push_async_callback(ended, prying)
            for _ in range(ROUNDS):
                for user, other in ((ada, bob), (bob, ada)):
                    await user.act()
                    if chance.random() < 0.25:
                        await user.pry(other)
            for user in (ada, bob):
                await heard_at_every_door(user)
        for user, other in ((ada, bob), (bob, ada)):
            assert user.ear.find(other.mark) == []
            assert any(door == "dedup" and b"task_status" in data for door, data in user.ear.heard)
        # Nor did either change anything of the other's.
        root = server.token("root", Ability.ADMIN)
        for user in (ada, bob):
            for task in user.tasks:
                record = await asyncio.to_thread(server.ask, "GET", f"/api/tasks/{task}", root)
                assert record["title"] == user.mark
                assert "mine" not in json.dumps(record)


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel it, and wait until its connection is closed."""
    task.cancel()
    await asyncio.wait([task])


async def heard_at_every_door(user: User) -> None:
    """The search would be in vain if nothing was heard: every door has told the user of what is the user's own."""
    async with asyncio.timeout(PATIENCE):
        while not {door for door, _ in user.ear.find(user.mark)} >= HEARD:
            await user.act()


@pytest.mark.parametrize("form", ["fast", "asgi"])
async def test_what_another_has_is_answered_as_what_there_is_not(tmp_path: Any, form: Form) -> None:
    async with running_server(tmp_path, form) as server:
        ada, bob = server.token("ada"), server.token("bob")
        there, nowhere = "task-A", "task-B"
        await asyncio.to_thread(
            server.ask, "POST", "/api/tasks", ada, {"id": there, "title": "A", "start": True}
        )
        for one, other in zip(by_rest(there), by_rest(nowhere), strict=True):
            answers = []
            for (method, path, body), task in ((one, there), (other, nowhere)):
                response = await asyncio.to_thread(server.request, method, path, bob, body)
                headers = {name: value for name, value in response.headers.items() if name != "date"}
                answers.append((response.status, headers, response.data.replace(task.encode(), b"*")))
            assert answers[0] == answers[1], one
        for door, follow in DOORS.items():
            heard = [
                # What comes of one thing and of the next is not said in an order.
                sorted(
                    json.dumps({name: value for name, value in message.items() if name != "now"}).replace(
                        task, "*"
                    )
                    for message in await follow(server, bob, {"task": task})
                )
                for task in (there, nowhere)
            ]
            assert heard[0] == heard[1], door


async def test_counts_tell_nothing_of_others(tmp_path: Any) -> None:
    async with running_server(tmp_path) as server:
        ada, bob = server.token("ada"), server.token("bob")

        def counts() -> Any:
            return server.ask("GET", "/api/stats", bob)

        before = await asyncio.to_thread(counts)
        for number in range(5):
            fields = {"id": f"t{number}", "title": "A", "start": True}
            await asyncio.to_thread(server.ask, "POST", "/api/tasks", ada, fields)
        async with connect(server.ws, proxy=None) as socket:
            await socket.send(json.dumps({"type": "auth", "token": ada}))
            await socket.send(json.dumps({"type": "subscribe", "id": 1, "channel": "user:ada"}))
            await socket.send(json.dumps({"type": "subscribe", "id": 2, "channel": "user:bob"}))
            await socket.send(json.dumps({"type": "ping"}))
            while json.loads(await socket.recv())["type"] != "pong":
                pass
            assert await asyncio.to_thread(counts) == before
            own = await asyncio.to_thread(server.ask, "GET", "/api/stats", ada)
            counted = {"connections": 1, "subscriptions": 1, "messages": 3, "refusals": 1}
            assert counted.items() <= own.items()
            assert own["tasks"]["running"] == 5
