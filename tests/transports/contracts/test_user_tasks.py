"""`user-tasks` as its clients have it: one raw WebSocket, over a real server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from websockets.asyncio.client import connect

from headway import Headway
from headway.model.grant import Ability, Grant
from headway.model.report import Create
from headway.server.settings import load_settings
from headway.transports.contracts.user_tasks import UserTasks
from tests.server.identity.makers import KEYS, signed
from tests.servers import FORMS, PATIENCE, SECRET, Server, serving
from tests.transports.contracts.clients import Call, Raw, get, raw

HISTORY = '{"type": "load_history_tasks"}'


@pytest.fixture(scope="module", params=FORMS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("user-tasks")
    # Nobody answers there; what is signed with our secret does not need it.
    far = "http://127.0.0.1:9/keys.json"
    with serving(data, request.param, dialect="user-tasks", jwks_url=far) as server:
        yield server


def address(user: str, token: str | None) -> str:
    return f"/api/v1/ws/tasks/{user}" + ("" if token is None else f"?token={token}")


async def test_a_task_from_its_creation_to_its_end(server: Server) -> None:
    token = server.token("1")
    server.report(token, {"type": "create", "task": "before", "title": "Before", "start": True})
    async with raw(server, address("1", token)) as client:
        greeting = await client.until("connection_established")
        assert (greeting["load_history"], bool(greeting["timestamp"])) == (True, True)
        listed = await client.until("user_tasks")
        assert [(task["task_id"], task["user_id"], "requested" in listed) for task in listed["tasks"]] == [
            ("before", 1, False)
        ]
        server.report(token, {"type": "create", "task": "plan", "title": "Plan", "start": True})
        await client.until(lambda name, data: name == "task_update" and data["data"]["status"] == "started")
        server.report(
            token,
            {"type": "progress", "task": "plan", "done": 4, "total": 10, "message": "m", "step": "reading"},
        )
        update = await client.until(
            lambda name, data: name == "task_update" and data["data"]["status"] == "processing"
        )
        assert (update["task_id"], update["data"]["progress"], update["data"]["stage"]) == (
            "plan",
            40,
            "reading",
        )
        server.report(token, {"type": "succeed", "task": "plan", "result": {"shapes": 3}})
        done = await client.until(
            lambda name, data: name == "task_update" and data["data"]["status"] == "success"
        )
        assert (done["data"]["results"], done["data"]["progress"]) == ({"shapes": 3}, 100)
        assert len([1 for data in client.all("task_update") if data["data"]["status"] == "success"]) == 1


async def test_what_a_client_may_ask(server: Server) -> None:
    token = server.token("2")
    server.report(
        token,
        {"type": "create", "task": "old", "title": "Old", "start": True},
        {"type": "succeed", "task": "old"},
    )
    server.report(token, {"type": "create", "task": "now", "title": "Now", "start": True})
    async with raw(server, address("2", token)) as client:
        await client.until("user_tasks")
        await client.say({"type": "ping", "timestamp": 1})
        assert (await client.until("pong"))["timestamp"]
        for asked, expected in (
            ("get_user_tasks", {"old", "now"}),
            ("clear_tasks", None),
            ("get_user_tasks", {"now"}),
            ("load_history_tasks", {"old", "now"}),
        ):
            lists = len(client.all("user_tasks"))
            await client.say({"type": asked})
            if expected is None:
                await client.until("tasks_cleared")
                continue
            await client.several("user_tasks", lists + 1)
            name, data = client.events[-1]
            assert (name, data["requested"], {task["task_id"] for task in data["tasks"]}) == (
                "user_tasks",
                True,
                expected,
            )
        for wrong in (
            "no json",
            "[]",
            '{"type": 3}',
            {"type": "forge"},
            {"type": "task_update", "task_id": "now"},
            {"type": "ping", "much": "x" * 100_000},
        ):
            before = len(client.all("error"))
            await client.say(wrong)
            await client.several("error", before + 1)
        assert client.socket.close_code is None


@pytest.mark.parametrize("whose", ["nobody", "another's", "expired", "no token"])
async def test_a_refusal_can_be_read(server: Server, whose: str) -> None:
    token = {
        "nobody": "no.such.token",
        "another's": server.token("4"),
        "expired": server.token("3", ttl=-10),
        "no token": None,
    }[whose]
    async with raw(server, address("3", token)) as client:
        refusal = await client.until("authentication_failed")
        assert refusal["message"]
        assert refusal["timestamp"]
        assert await client.until("closed") == 1008
    assert token is None or token not in server.output


async def test_a_server_that_fails_says_so_and_the_client_may_come_again(server: Server) -> None:
    token = signed({"sub": "3"}, KEYS["RS256"], "RS256")
    async with raw(server, address("3", token)) as client:
        refusal = await client.until("authentication_error")
        assert refusal["message"]
        assert refusal["timestamp"]
        assert await client.until("closed") == 1011
    status, body = await asyncio.to_thread(get, server, f"/api/v1/ws/status?token={token}")
    assert (status, body["success"]) == (503, False)


async def test_a_page_of_another_site_is_refused(server: Server) -> None:
    async with raw(server, address("5", server.token("5")), origin="https://evil.example") as client:
        refusal = await client.until("authentication_failed")
        assert "allowed_origins" in refusal["message"]
        assert await client.until("closed") == 1008


@pytest.mark.parametrize("origin", ["http://localhost:5173", "null"])
async def test_a_page_of_this_machine_may_come(server: Server, origin: str) -> None:
    async with raw(server, address("5", server.token("5")), origin=origin) as client:
        await client.until("connection_established")


async def test_others_are_not_heard(server: Server) -> None:
    token = server.token("6")
    async with raw(server, address("6", token)) as client:
        await client.until("user_tasks")
        server.report(server.token("7"), {"type": "create", "task": "secret-7", "title": "Secret"})
        server.report(token, {"type": "create", "task": "own-6", "title": "Own"})
        await client.until(lambda name, data: name == "task_update" and data["task_id"] == "own-6")
        assert not any("Secret" in str(data) for _, data in client.events)


async def test_a_token_that_ends_ends_the_delivery(server: Server) -> None:
    async with raw(server, address("8", server.token("8", ttl=1))) as client:
        await client.until("connection_established")
        await client.until("authentication_failed")
        assert await client.until("closed") == 1008


async def test_a_client_that_says_too_much_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving(
        tmp_path_factory.mktemp("few"), "fast", dialect="user-tasks", message_rate=1, message_burst=2
    ) as server:
        async with raw(server, address("9", server.token("9"))) as client:
            for _ in range(4):
                await client.say({"type": "ping"})
            await client.until("error")
            assert len(client.all("pong")) == 2


async def test_the_status_counts_connections_of_those_one_may_see(server: Server) -> None:
    token = server.token("10")
    async with (
        raw(server, address("10", token)) as client,
        raw(server, address("11", server.token("11"))) as other,
    ):
        await client.until("user_tasks")
        await other.until("user_tasks")
        _, own = get(server, f"/api/v1/ws/status?token={token}")
        assert (own["success"], own["data"]["total_users"], own["data"]["total_connections"]) == (True, 1, 1)
        admin = server.token("root", Ability.ADMIN, Ability.READ)
        assert get(server, "/api/v1/ws/status", admin)[1]["data"]["total_users"] >= 2
    status, refused = get(server, "/api/v1/ws/status")
    assert (status, refused["success"], bool(refused["message"])) == (401, False, True)


async def test_a_restart_of_the_server_is_survived(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("restart")
    with serving(folder, "fast", dialect="user-tasks") as server:
        token = server.token("12")
        server.report(token, {"type": "create", "task": "t", "title": "T", "start": True})
        async with raw(server, address("12", token)) as client:
            await client.until("user_tasks")
            server.stop()
            assert await client.until("closed") in {1001, 1012}
    with serving(folder, "fast", dialect="user-tasks") as server:
        async with raw(server, address("12", token)) as client:
            assert [task["task_id"] for task in (await client.until("user_tasks"))["tasks"]] == ["t"]


@asynccontextmanager
async def beating(data: Path, heartbeat: float) -> AsyncIterator[Raw]:
    """A client of user 1 on a server in this process, which beats so often."""
    settings = load_settings(None, secret=SECRET, data=str(data), port=0)
    headway = Headway(settings, dialects=[lambda service: UserTasks(service, heartbeat=heartbeat)])
    config = uvicorn.Config(headway.asgi, ws="websockets-sansio", lifespan="on", log_config=None)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serve = asyncio.create_task(server.serve(sockets=[listener]))
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}{address('1', headway.token('1'))}"
        async with connect(url, open_timeout=PATIENCE) as client:
            yield Raw(client)
        server.should_exit = True
        await serve


async def test_who_is_silent_gets_heartbeats(tmp_path: Path) -> None:
    async with beating(tmp_path, heartbeat=0.2) as client:
        for beat in (1, 2):
            assert (await client.several("heartbeat", beat))["timestamp"]


async def test_who_asks_and_asks_and_reads_nothing_is_closed(tmp_path: Path) -> None:
    hw = Headway(load_settings(None, data=tmp_path, secret=SECRET, dialect="user-tasks"))
    async with hw.lifespan():
        ada = Grant("1", can=frozenset((Ability.PUBLISH,)))
        for n in range(20):
            await hw.hub.report(ada, Create(task=f"t{n}", title="x" * 200, meta={"much": "x" * 3000}))
        call = Call(hw, "websocket", address("1", hw.tokens.make("1", can=(Ability.READ,))), *[HISTORY] * 20)
        running = asyncio.create_task(call.run())
        await call.until("load_history")
        call.reads.clear()
        async with asyncio.timeout(PATIENCE):
            while hw.hub.stats(ada)["subscriptions"]:
                await asyncio.sleep(0.01)
        call.reads.set()
        said = await running
        # It is heard no longer than some of its answers fit, and gets those.
        assert 0 < said.count('"requested":true') < 20
        assert (call.said[-1]["type"], call.said[-1]["code"]) == ("websocket.close", 1008)


@pytest.mark.parametrize("part", ["welcome", "_tasks"])
async def test_what_fails_in_the_server_closes_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("it is broken")

    monkeypatch.setattr(f"headway.transports.contracts.user_tasks._Socket.{part}", fail)
    hw = Headway(load_settings(None, data=tmp_path, secret=SECRET, dialect="user-tasks"))
    async with hw.lifespan():
        url = address("1", hw.tokens.make("1", can=(Ability.READ,)))
        call = Call(hw, "websocket", url, HISTORY)
        assert "authentication_error" in await call.run()
        assert (call.said[-1]["type"], call.said[-1]["code"]) == ("websocket.close", 1011)
        assert not hw.service.streams


async def test_the_close_is_not_waited_for_with_who_reads_nothing(tmp_path: Path) -> None:
    hw = Headway(load_settings(None, data=tmp_path, secret=SECRET, dialect="user-tasks", write_deadline=1))
    async with hw.lifespan():
        ada = Grant("1", can=frozenset((Ability.PUBLISH,)))
        call = Call(hw, "websocket", address("1", hw.tokens.make("1", can=(Ability.READ,))))
        running = asyncio.create_task(call.run())
        await call.until("user_tasks")
        call.reads.clear()
        await hw.hub.report(ada, Create(task="run", title="Run"))
        await running
        assert not hw.service.streams
