"""`dedup` as its clients have it: Socket.IO, over a real server."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from socketio.exceptions import SocketIOError  # type: ignore[import-untyped]

from headway.model.grant import Ability
from headway.ports.store import Page
from headway.server.app import Headway
from headway.server.settings import load_settings
from headway.transports import turning
from headway.transports.socketio.conversation import SocketConversation
from tests.servers import FORMS, PATIENCE, SECRET, Server, serving
from tests.transports.contracts.clients import Call, Speaker, speaking


@pytest.fixture(scope="module", params=FORMS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("dedup"), request.param, dialect="dedup") as server:
        yield server


def create(server: Server, token: str, **fields: Any) -> tuple[str, int]:
    task = server.ask("POST", "/api/tasks", token, {"title": "Check", "total": 4, "start": True, **fields})
    return task["id"], task["number"]


async def joined(client: Speaker, number: int) -> Any:
    await client.say("join_task", {"task_id": number})
    return await client.until(lambda name, data: name == "task_status" and data["task_id"] == number)


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
async def test_a_run(server: Server, transports: list[str]) -> None:
    token = server.token("demo-1")
    task, number = create(server, token)
    async with speaking(server, token, transports=transports) as client:
        assert (await client.until("connected"))["message"]
        status = await joined(client, number)
        assert (status["status"], status["data"]["id"], status["data"]["total_groups"]) == (
            "running",
            number,
            4,
        )
        for done in (1, 2):
            server.report(token, {"type": "progress", "task": task, "done": done})
            assert (await client.several("task_progress", done))["processed_groups"] == done
        for count, (command, word) in enumerate((("pause", "paused"), ("resume", "running")), 3):
            server.report(token, {"type": command, "task": task})
            assert (await client.several("task_progress", count))["status"] == word
        server.report(token, {"type": "progress", "task": task, "done": 4}, {"type": "succeed", "task": task})
        completed = await client.until("task_completed")
        assert completed["data"]["progress_percentage"] == 100.0
        progress = [data["progress_percentage"] for data in client.all("task_progress")]
        assert progress == sorted(progress)
        assert (progress[-1], progress.count(100.0)) == (100.0, 1)
        assert [client.names.count(name) for name in ("task_status", "task_completed", "task_error")] == [
            1,
            1,
            0,
        ]


async def test_a_late_joiner_gets_the_end(server: Server) -> None:
    token = server.token("demo-1")
    task, number = create(server, token)
    server.report(token, {"type": "fail", "task": task, "error": "no such column"})
    async with speaking(server, token) as client:
        assert (await joined(client, number))["status"] == "error"
        assert await client.until("task_error") == {"task_id": number, "error": "no such column"}


async def test_leaving(server: Server) -> None:
    token = server.token("demo-1")
    (left, number), (task, other) = create(server, token), create(server, token)
    async with speaking(server, token) as client:
        await joined(client, number)
        await joined(client, other)
        await client.say("leave_task", {"task_id": number})
        assert (await client.until("left"))["message"]
        server.report(
            token,
            {"type": "progress", "task": left, "done": 1},
            {"type": "progress", "task": task, "done": 1},
        )
        await client.until(lambda name, data: name == "task_progress" and data["task_id"] == other)
        assert {data["task_id"] for data in client.all("task_progress")} == {other}


async def test_what_a_client_asks_for_at_once_is_done_in_its_order(server: Server) -> None:
    token = server.token("demo-1")
    (left, number), (task, other) = create(server, token), create(server, token)
    async with speaking(server, token) as client:
        await client.until("connected")
        for name, asked in (("join_task", number), ("leave_task", number), ("join_task", other)):
            await client.say(name, {"task_id": asked})
        await client.until(lambda name, data: name == "task_status" and data["task_id"] == other)
        server.report(
            token,
            {"type": "progress", "task": left, "done": 1},
            {"type": "progress", "task": task, "done": 1},
        )
        await client.until(lambda name, data: name == "task_progress" and data["task_id"] == other)
        assert {data["task_id"] for data in client.all("task_progress")} == {other}
        await client.say("join_task", {"task_id": 10**9})
        await client.say("leave_task", {"task_id": number})
        await client.several("left", 2)
        assert client.names[-2:] == ["error", "left"]


async def test_what_is_wrong_is_said_and_gives_nothing_away(server: Server) -> None:
    _, private = create(server, server.token("demo-1"), title="Private")
    async with speaking(server, server.token("demo-2")) as client:
        said = []
        for wrong in (
            None,
            {},
            {"task_id": "1"},
            {"task_id": True},
            {"task_id": private},
            {"task_id": 999_999},
        ):
            before = len(client.all("error"))
            await client.say("join_task", wrong)
            await client.several("error", before + 1)
            said.append(client.all("error")[-1]["message"])
        assert said[-2].replace(str(private), "N") == said[-1].replace("999999", "N")
        assert not any("Private" in str(data) for _, data in client.events)


async def test_a_browser_cannot_say_how_a_task_goes(server: Server) -> None:
    token = server.token("demo-1")
    task, number = create(server, token)
    async with speaking(server, token) as client, speaking(server, token) as other:
        await joined(other, number)
        for forged in ("task_progress", "task_completed", "task_error", "task_status"):
            await client.say(
                forged, {"task_id": number, "progress_percentage": 99, "error": "forged", "data": {}}
            )
        server.report(token, {"type": "progress", "task": task, "done": 1})
        await other.until("task_progress")
        assert other.names == ["connected", "task_status", "task_progress"]


async def test_without_a_token_only_where_that_is_set(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("open")
    with serving(folder, "fast", dialect="dedup") as server, pytest.raises(SocketIOError):
        async with speaking(server):
            raise AssertionError("nobody was let in")
    with serving(folder, "fast", dialect="dedup", dialect_open=True) as server:
        _, number = create(server, server.token("demo-1"))
        async with speaking(server) as client:
            assert (await joined(client, number))["status"] == "running"


async def test_two_contracts_with_a_path_each(tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving(tmp_path_factory.mktemp("two"), "fast", dialect="dedup,studio=/studio,user-tasks") as server:
        token = server.token("1")
        async with speaking(server, token) as one, speaking(server, token, path="/studio/socket.io/") as two:
            await one.until("connected")
            await two.until("active_tasks")
        # Some clients leave the slash at the end out.
        for path in ("/socket.io", "/studio/socket.io"):
            url = f"{server.origin}{path}?EIO=4&transport=polling"
            assert urllib3.request("GET", url, retries=False).data.startswith(b'0{"sid"')


async def test_of_who_left_nothing_is_kept_until_its_token_would_have_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turning, "_LONGEST", 0.05)
    hw = Headway(load_settings(None, data=tmp_path, secret=SECRET, dialect="dedup"))
    async with hw.lifespan():
        auth = json.dumps({"token": hw.tokens.make("ada", can=(Ability.READ,), ttl=86_400)})
        call = Call(hw, "websocket", "/socket.io/?EIO=4&transport=websocket", f"40{auth}")
        running = asyncio.create_task(call.run())
        await call.until("Connected as")
        assert kept(hw) == 1
        running.cancel()
        await asyncio.wait((running,))
        async with asyncio.timeout(PATIENCE):
            while kept(hw):
                await asyncio.sleep(0.02)


def kept(hw: Headway) -> int:
    """Conversations that are in memory, over or not."""
    gc.collect()
    return sum(
        isinstance(one, SocketConversation) and one.client.service is hw.service for one in gc.get_objects()
    )


async def test_who_asks_faster_than_can_be_answered_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hw = Headway(load_settings(None, data=tmp_path, secret=SECRET, dialect="dedup", message_burst=10_000))
    found = asyncio.Event()

    async def slow(*_: object) -> Page:
        await found.wait()
        return Page((), None)

    async with hw.lifespan():
        monkeypatch.setattr(hw.hub, "tasks", slow)
        auth = json.dumps({"token": hw.tokens.make("ada", can=(Ability.READ,))})
        asked = ['42["join_task",{"task_id":1}]'] * 1000
        call = Call(hw, "websocket", "/socket.io/?EIO=4&transport=websocket", f"40{auth}", *asked)
        assert '"code":306' in await call.run()
        found.set()
