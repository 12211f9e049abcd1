"""Who may do what by the doors of the contracts: each actor and each thing that can be done there, against a table written by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import urllib3

from headway.model.grant import Ability
from tests.servers import Server, serving
from tests.transports.contracts.clients import Heard, get, raw, speaking

pytestmark = pytest.mark.slow

READ, CANCEL, PUBLISH, ADMIN = Ability
CONTRACTS = "dedup=/dedup,studio=/studio,voice=/voice,user-tasks,notifications"
CODES = {200: "+", 403: "-", 404: "."}
CARD = {"id": 1, "formData": {"prompt": "Submitted"}, "mode": "x", "startTime": 1}


class Actor:
    """Somebody with a token, whose channel and name are those of the token."""

    def __init__(self, server: Server, name: str, token: str) -> None:
        self.server = server
        self.name = name
        self.token = token

    async def get(self, path: str, method: str = "GET") -> str:
        status, _ = await asyncio.to_thread(get, self.server, path, self.token, method)
        return CODES[status]


async def heard(client: Heard, *good: str) -> str:
    """Whether something good or an error came first; a task that is there for others is as one that is not."""

    def right(name: str, _data: Any) -> bool:
        return name in good or name in {"error", "authentication_failed", "authentication_error", "closed"}

    await client.until(right)
    name, data = next(event for event in client.events if right(*event))
    if name in good:
        return "+"
    return "." if "no task" in str(data).lower() else "-"


async def join(actor: Actor) -> str:
    root = actor.server.token("root", ADMIN)
    number = (await asyncio.to_thread(actor.server.ask, "GET", "/api/tasks/adas", root))["number"]
    async with speaking(actor.server, actor.token, path="/dedup/socket.io/") as client:
        await client.say("join_task", {"task_id": number})
        return await heard(client, "task_status")


async def cards(actor: Actor) -> str:
    """The own list of `studio`."""
    async with speaking(actor.server, actor.token, path="/studio/socket.io/") as client:
        return await heard(client, "active_tasks")


async def submit(actor: Actor) -> str:
    """Whether there is a task afterwards, whatever is said."""
    root = actor.server.token("root", ADMIN)
    path = f"/api/tasks?channel=user:{actor.name}&q=Submitted"

    async def count() -> int:
        return len((await asyncio.to_thread(actor.server.ask, "GET", path, root))["tasks"])

    before = await count()
    async with speaking(actor.server, actor.token, path="/studio/socket.io/") as client:
        await heard(client, "active_tasks")
        refused = len(client.all("error"))
        await client.say("task_created", CARD)
        # Who may not read is not told of what it has done.
        while len(client.all("error")) == refused:
            if await count() > before:
                return "+"
    assert await count() == before
    return "-"


async def jobs(actor: Actor) -> str:
    """What one hears of without asking."""
    async with speaking(actor.server, actor.token, path="/voice/socket.io/") as client:
        return await heard(client, "authenticated")


async def project(actor: Actor) -> str:
    async with speaking(actor.server, actor.token, path="/voice/socket.io/") as client:
        await heard(client, "authenticated")
        met = len(client.events)
        await client.say("subscribe:project", "p")
        await client.until(lambda name, _: name in {"error", "audio:progress"} and len(client.events) > met)
        return "+" if "audio:progress" in client.names else "-"


async def own(actor: Actor) -> str:
    async with raw(actor.server, f"/api/v1/ws/tasks/{actor.name}?token={actor.token}") as client:
        return await heard(client, "user_tasks")


async def adas(actor: Actor) -> str:
    async with raw(actor.server, f"/api/v1/ws/tasks/ada?token={actor.token}") as client:
        return await heard(client, "user_tasks")


async def inbox(actor: Actor) -> str:
    """Following it is what counts, and not that one is greeted."""
    async with raw(actor.server, f"/api/ws/notifications?token={actor.token}") as client:
        return await heard(client, "notification", "heartbeat")


async def task(actor: Actor) -> str:
    async with raw(actor.server, f"/api/ws/tasks/adas?token={actor.token}") as client:
        return await heard(client, "progress")


async def stream(actor: Actor, path: str) -> str:
    def begin() -> int:
        headers = {"Authorization": f"Bearer {actor.token}"}
        with urllib3.PoolManager() as pool:
            answer = pool.request(
                "GET", actor.server.origin + path, headers=headers, preload_content=False, retries=False
            )
            answer.close()
            return answer.status

    return CODES[await asyncio.to_thread(begin)]


DOING: dict[str, Callable[[Actor], Awaitable[str]]] = {
    "dedup: join Ada's task": join,
    "studio: the own list": cards,
    "studio: submit": submit,
    "voice: come in": jobs,
    "voice: a project": project,
    "user-tasks: the own": own,
    "user-tasks: Ada's": adas,
    "notifications: the inbox": inbox,
    "notifications: Ada's task": task,
    "notifications: the list": lambda actor: actor.get("/api/notifications"),
    "notifications: the count": lambda actor: actor.get("/api/notifications/unread_count"),
    "notifications: Ada's as read": lambda actor: actor.get("/api/notifications/adas-note/read", "POST"),
    "notifications: all as read": lambda actor: actor.get("/api/notifications/read_all", "POST"),
    "notifications: the stream": lambda actor: stream(actor, "/api/notifications/stream"),
    "notifications: Ada's task as a stream": lambda actor: stream(actor, "/api/stream/tasks/adas"),
    "notifications: all connections": lambda actor: actor.get("/api/ws/stats"),
}

# What each may do, in the order of `DOING`: "+" is done, "-" is refused, "." is as if there were no such thing.
TABLE = {
    "owner": "+++++++++++++++-",
    "owner's page": "+++++++++++++++-",
    "owner's display": "++-++++++++++++-",
    "owner's worker": "--+-------------",
    "owner without abilities": "----------------",
    "stranger": ".+++-+-+-++.++.-",
    "namesake": ".+++-+-+-++.++.-",
    "member": ".+++++-+-++.++.-",
    "guest of one task": "++-+-+-++++.+++-",
    "share of a task": "-+-+----+--.--+-",
    "share of Ada's channel": "-+-+----+-----+-",
    "share of a project": "-+-++------.--.-",
    "worker key": "--+--------.--.-",
    "reading worker key": ".+++++-+-++.++.-",
    "administrator": "++++++-+++++++++",
}


def actors(server: Server) -> dict[str, Actor]:
    root = server.token("root", *Ability)

    def somebody(user: str, *can: Ability, **claims: Any) -> Actor:
        return Actor(server, user, server.tokens.make(user, can=can, **claims))

    def share(**what: str) -> Actor:
        made = server.ask("POST", "/api/shares", root, what)
        return Actor(server, f"share-{made['id']}", made["token"])

    def key(*can: str) -> Actor:
        fields = {"name": "k", "channels": ["project:p"], "can": can}
        made = server.ask("POST", "/api/keys", root, fields)
        return Actor(server, f"worker-{made['about']['id']}", made["key"])

    return {
        "owner": somebody("ada", READ, CANCEL, PUBLISH),
        "owner's page": somebody("ada", READ, CANCEL),
        "owner's display": somebody("ada", READ),
        "owner's worker": somebody("ada", PUBLISH),
        "owner without abilities": somebody("ada"),
        "stranger": somebody("bob", READ, CANCEL),
        "namesake": somebody("Ada", READ, CANCEL),
        "member": somebody("cy", READ, CANCEL, channels=["project:p"]),
        "guest of one task": somebody("dan", READ, tasks=["adas"]),
        "share of a task": share(task="adas"),
        "share of Ada's channel": share(channel="user:ada"),
        "share of a project": share(channel="project:p"),
        "worker key": key("publish"),
        "reading worker key": key("publish", "read"),
        "administrator": somebody("root", ADMIN),
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, dialect=CONTRACTS, ws_heartbeat_interval=0.2) as running:
        root = running.token("root", *Ability)
        running.report(
            root,
            {"type": "create", "task": "adas", "channel": "user:ada", "title": "Ada's", "start": True},
            {"type": "create", "task": "ps", "channel": "project:p", "title": "P's", "kind": "audio"},
            {"type": "progress", "task": "ps", "percent": 5},
            {"type": "notify", "id": "adas-note", "user": "ada", "title": "Ada's"},
        )
        yield running


async def test_the_table(server: Server) -> None:
    async def row(actor: Actor) -> str:
        # One after the other, since those of one user would see each other's submissions.
        return "".join([await do(actor) for do in DOING.values()])

    known = await asyncio.to_thread(actors, server)
    rows = await asyncio.gather(
        *(row(actor) for name, actor in known.items() if not name.startswith("owner"))
    )
    found = dict(zip((name for name in known if not name.startswith("owner")), rows, strict=True))
    for name in known:
        if name not in found:
            found[name] = await row(known[name])
    assert found == TABLE
