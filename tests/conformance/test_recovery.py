"""Connection state recovery with the stock client: nothing is lost and nothing comes twice, whatever happened meanwhile."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_websocket

from headway.server.app import DATABASE
from tests.conformance.pages import TRANSPORTS, Page, page
from tests.network import Network
from tests.servers import FORMS, PATIENCE, Form, Server, running_server

pytestmark = pytest.mark.slow


async def cut(way: Network, ours: Page) -> None:
    """Take the network away, and wait until the client knows."""
    # Not while a poll is just connecting: the XMLHttpRequest that the client has in Node then never ends.
    assert await asyncio.to_thread(way.carrying.wait, PATIENCE)
    way.cut()
    assert (await ours.hear("disconnect"))["reason"] in ("transport close", "transport error")


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    form: Form = request.param
    return form


@pytest.fixture
def way() -> Iterator[Network]:
    with Network(0) as network:
        yield network


def kept_until(data: Path) -> float:
    """When the last of what is kept may go, in Unix seconds; it is kept for longer while its client is there."""
    with closing(sqlite3.connect(data / DATABASE)) as database:
        (found,) = database.execute("SELECT max(expires_at) FROM documents").fetchone()
    return float(found) / 1000


def titles(server: Server, user: str = "ada") -> dict[str, str]:
    found = server.ask("GET", "/api/tasks?limit=200", server.token(user))["tasks"]
    return {task["title"]: task["state"] for task in found}


@pytest.mark.parametrize(
    ("transports", "end"),
    [*((transports, "killed") for transports in TRANSPORTS), (TRANSPORTS[0], "stopped")],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
async def test_a_restart_while_the_client_was_cut_off(
    form: Form, way: Network, tmp_path: Path, transports: list[str], end: str
) -> None:
    async with running_server(tmp_path, form) as server:
        way.to = server.address
        token = server.token("ada")
        tasks = [
            server.ask("POST", "/api/tasks", token, {"title": f"task {n}", "start": True})["id"]
            for n in range(10)
        ]
        async with page(server, way, transports=transports) as ours:
            first = await ours.arrive()
            assert first["recovered"] is False
            await ours.follow(1, channel="user:ada")
            assert ours.views[1].resets == 1
            # When the way is cut, all ten tasks change, and the server is another one.
            await cut(way, ours)
            server.report(token, *({"type": "succeed", "task": task} for task in tasks[:5]))
            server.report(token, *({"type": "progress", "task": task, "percent": 50.0} for task in tasks[5:]))
            await asyncio.to_thread(server.stop if end == "stopped" else server.kill)
            async with running_server(tmp_path, form) as another:
                way.to = another.address
                another.report(token, *({"type": "fail", "task": task, "error": "no"} for task in tasks[5:]))
                way.restore()
                again = await ours.arrive()
                # Then it is the same connection to the page, and it shows what is.
                assert again["recovered"] is True
                assert again["sid"] != first["sid"]
                wanted = titles(another)
                assert sorted(wanted.values()) == ["failed"] * 5 + ["succeeded"] * 5
                await ours.until(1, wanted)
                assert ours.views[1].resets == 1
                another.ask("POST", "/api/tasks", token, {"title": "and on"})
                await ours.until(1, {**wanted, "and on": "queued"})


async def test_a_client_that_heard_nothing_yet_is_recovered(form: Form, way: Network, tmp_path: Path) -> None:
    async with running_server(tmp_path, form) as server:
        way.to = server.address
        async with page(server, way) as ours:
            assert (await ours.arrive())["recovered"] is False
            await cut(way, ours)
            way.restore()
            assert (await ours.arrive())["recovered"] is True
            await ours.follow(1, channel="user:ada")
            server.ask("POST", "/api/tasks", server.token("ada"), {"title": "here"})
            await ours.until(1, {"here": "queued"})


async def test_several_subscriptions_each_go_on_where_they_were(
    form: Form, way: Network, tmp_path: Path
) -> None:
    async with running_server(tmp_path, form) as server:
        way.to = server.address
        token = server.token("ada")
        task = server.ask("POST", "/api/tasks", token, {"title": "one", "start": True})["id"]
        server.report(token, {"type": "log", "task": task, "lines": [{"text": "first"}]})
        async with page(server, way) as ours:
            await ours.arrive()
            await ours.follow(1, channel="user:ada")
            # What it hears before it follows more, and what it hears last, are of the same subscription.
            server.report(token, {"type": "create", "task": "early", "title": "early"})
            await ours.until(1, titles(server))
            await ours.follow(2, channel="public")
            await ours.follow(3, task=task, log=0)
            while not ours.logs:
                await ours.hear("log")
            await ours.follow(4, channel="user:ada", filter={"kind": "none"})
            assert await ours.client.ask("unsubscribe", {"id": 4}) == [{"ok": True, "id": 4}]
            server.report(token, {"type": "create", "task": "late", "title": "late"})
            await ours.until(1, titles(server))
            for _ in range(2):
                await cut(way, ours)
                server.report(
                    token,
                    {"type": "create", "task": f"while-away-{_}", "title": f"while away {_}"},
                    {"type": "log", "task": task, "lines": [{"text": f"while away {_}"}]},
                )
                way.restore()
                assert (await ours.arrive())["recovered"] is True
                await ours.until(1, titles(server))
                while sum(len(log["entries"]) for log in ours.logs) < _ + 2:
                    await ours.hear("log")
            assert [view.resets for view in ours.views.values()] == [1, 1, 1, 1]
            assert [entry["text"] for log in ours.logs for entry in log["entries"]] == [
                "first",
                "while away 0",
                "while away 1",
            ]


async def test_lines_that_were_new_then_are_wanted_after_the_gap(
    form: Form, way: Network, tmp_path: Path
) -> None:
    async with running_server(tmp_path, form) as server:
        way.to = server.address
        token = server.token("ada")
        task = server.ask("POST", "/api/tasks", token, {"title": "one", "start": True})["id"]
        server.report(token, {"type": "log", "task": task, "lines": [{"text": "before"}]})
        async with page(server, way) as ours:
            await ours.arrive()
            await ours.follow(1, task=task, log=-1)
            await cut(way, ours)
            server.report(token, {"type": "log", "task": task, "lines": [{"text": "meanwhile"}]})
            way.restore()
            assert (await ours.arrive())["recovered"] is True
            while not ours.logs:
                await ours.hear("log")
            assert [entry["text"] for entry in ours.logs[0]["entries"]] == ["meanwhile"]


async def test_what_somebody_else_was_given_recovers_nothing(
    form: Form, way: Network, tmp_path: Path
) -> None:
    async with running_server(tmp_path, form) as server:
        way.to = server.address
        url = f"{server.ws.removesuffix('/ws')}/socket.io/?EIO=4&transport=websocket"

        async def connect(user: str, **given: str) -> dict[str, Any]:
            async with connect_websocket(url) as socket:
                await socket.recv()
                await socket.send("40" + json.dumps({"token": server.token(user), **given}))
                answer = str(await socket.recv())
                await socket.send('420["subscribe",{"id":1,"channel":"public"}]')
                while not str(await socket.recv()).startswith("430"):
                    pass
            connected: dict[str, Any] = json.loads(answer[2:])
            return connected

        pid = (await connect("ada"))["pid"]
        # With an offset that nobody was given, with none, as somebody else, and changed by one character.
        assert (await connect("ada", pid=pid, offset="nothing of ours"))["pid"] != pid
        assert (await connect("ada", pid=pid))["pid"] == pid
        assert (await connect("bob", pid=pid))["pid"] != pid
        assert (await connect("ada", pid=("A" if pid[0] == "B" else "B") + pid[1:]))["pid"] != pid
        # What is kept is kept under a hash of it.
        assert pid not in server.output
        assert pid.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("*.sqlite3*"))


async def test_who_takes_leave_begins_anew(form: Form, way: Network, tmp_path: Path) -> None:
    async with running_server(tmp_path, form) as server:
        way.to = server.address
        async with page(server, way) as ours:
            await ours.arrive()
            await ours.follow(1, channel="user:ada")
            await ours.client.do("disconnect")
            await ours.hear("disconnect")
            await ours.client.do("connect")
            assert (await ours.arrive())["recovered"] is False


async def test_a_connection_that_nobody_missed_is_forgotten(form: Form, way: Network, tmp_path: Path) -> None:
    async with running_server(tmp_path, form, recovery_seconds=0.2) as server:
        way.to = server.address
        async with page(server, way) as ours:
            await ours.arrive()
            await ours.follow(1, channel="user:ada")
            await cut(way, ours)
            while (left := kept_until(tmp_path) - time.time()) > 0:
                await asyncio.sleep(left)
            way.restore()
            assert (await ours.arrive())["recovered"] is False


async def test_a_client_that_is_back_before_its_end_was_noticed(form: Form, tmp_path: Path) -> None:
    """Then two connections have the same secret for a while: the newer one counts, and neither undoes the other."""

    async def connect(server: Server, **given: str) -> tuple[ClientConnection, dict[str, Any]]:
        socket = await connect_websocket(
            f"{server.ws.removesuffix('/ws')}/socket.io/?EIO=4&transport=websocket"
        )
        await socket.recv()
        await socket.send("40" + json.dumps({"token": server.token("ada"), **given}))
        connected: dict[str, Any] = json.loads(str(await socket.recv())[2:])
        return socket, connected

    async def subscribe(socket: ClientConnection, name: int, channel: str) -> None:
        await socket.send(f'42{name}["subscribe",{{"id":{name},"channel":"{channel}"}}]')
        while not str(await socket.recv()).startswith(f"43{name}"):
            pass

    async def followed(socket: ClientConnection, names: int) -> set[int]:
        found: set[int] = set()
        async with asyncio.timeout(PATIENCE):
            while len(found) < names:
                text = str(await socket.recv())
                if text.startswith('42["snapshot"'):
                    found.add(json.loads(text[2:])[1]["id"])
        return found

    async with running_server(tmp_path, form) as server:
        first, connected = await connect(server)
        await subscribe(first, 1, "public")
        # Said, and its answer is not waited for.
        await first.send('42["subscribe",{"id":2,"channel":"user:ada"}]')
        while not str(await first.recv()).startswith('42["snapshot",{"id":2'):
            pass
        pid = connected["pid"]
        second, connected = await connect(server, pid=pid)
        assert connected["pid"] == pid
        async with asyncio.timeout(PATIENCE):
            await first.wait_closed()
        assert await followed(second, 2) == {1, 2}
        await subscribe(second, 3, "user:ada")
        await asyncio.to_thread(server.kill)
        await second.wait_closed()
    async with running_server(tmp_path, form) as another:
        third, connected = await connect(another, pid=pid)
        assert connected["pid"] == pid
        assert await followed(third, 3) == {1, 2, 3}
        await third.close()
