"""What the stock client of `voice` and `studio` missed arrives when it is back, once, also from another server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.stock import StockClient, stock_client
from tests.network import Network
from tests.servers import Server, running_server

pytestmark = pytest.mark.slow

CARD = {"id": 17, "formData": {"prompt": "a red fox"}, "mode": "text", "startTime": 1700000000000}
# The XMLHttpRequest that the client has in Node forgets a request for good when a kept connection is reset.
OPTIONS: dict[str, Any] = {"extraHeaders": {"connection": "close"}}


@pytest.fixture
def way() -> Iterator[Network]:
    with Network(0) as network:
        yield network


async def away(client: StockClient, way: Network) -> None:
    way.cut()
    await client.hear("disconnect")


async def back(client: StockClient, way: Network) -> None:
    way.restore()
    assert (await client.hear("connect"))["recovered"] is True


def heard(client: StockClient, *names: str) -> list[Any]:
    return [
        (said["event"], said["args"][0])
        for said in client.seen
        if said["what"] == "event" and said["event"] in names
    ]


@pytest.mark.parametrize("heard_before", [True, False])
async def test_voice(way: Network, tmp_path: Path, heard_before: bool) -> None:
    async with running_server(tmp_path, "fast", dialect="voice") as server:
        way.to = server.address
        token = server.token("u", channels=["project:p"])

        def job(server: Server, name: str, **fields: Any) -> None:
            server.report(
                token,
                {"type": "create", "task": name, "title": name, "kind": "audio", "start": True, **fields},
            )

        async with stock_client(way.url, auth={"token": token}, **OPTIONS) as client:
            await client.event("authenticated")
            if heard_before:
                await client.emit("subscribe:project", "p")
                job(server, "first", channel="project:p")
                await client.event("audio:progress")
            job(server, "second")
            if heard_before:
                await client.event("audio:progress")
            await away(client, way)
            server.report(token, {"type": "succeed", "task": "second", "result": {"audioUrl": "/2.wav"}})
            await asyncio.to_thread(server.kill)
            async with running_server(tmp_path, "fast", dialect="voice") as another:
                way.to = another.address
                if heard_before:
                    another.report(token, {"type": "fail", "task": "first", "error": "no voice"})
                await back(client, way)
                (complete, *_) = await client.event("audio:complete")
                assert (complete["jobId"], complete["audioUrl"]) == ("second", "/2.wav")
                if heard_before:
                    await client.emit("subscribe:project", "p")
                    (failed, *_) = await client.event("audio:failed")
                    assert failed["jobId"] == "first"
                job(another, "third")
                another.report(token, {"type": "succeed", "task": "third"})
                await client.event("audio:complete")
                ends = [data["jobId"] for _, data in heard(client, "audio:complete", "audio:failed")]
                assert sorted(ends) == sorted(["second", "third", *(["first"] if heard_before else [])])


@pytest.mark.parametrize("transports", [["polling", "websocket"], ["websocket", "polling"]])
async def test_studio(way: Network, tmp_path: Path, transports: list[str]) -> None:
    async with running_server(tmp_path, "fast", dialect="studio") as server:
        way.to = server.address
        token = server.token("u")
        options = {**OPTIONS, "transports": transports}
        async with stock_client(way.url, auth={"token": token}, **options) as client:
            assert (await client.event("active_tasks"))[0] == {"tasks": []}
            await client.emit("task_created", CARD)
            (card, *_) = await client.event("task_created")
            await away(client, way)
            server.report(token, {"type": "create", "task": "new", "title": "New"})
            server.report(token, {"type": "succeed", "task": card["serverTaskId"], "result": {"images": []}})
            await back(client, way)
            (listed, *_) = await client.event("active_tasks")
            assert [task["serverTaskId"] for task in listed["tasks"]] == ["new"]
            assert [name for name, _ in heard(client, "active_tasks", "task_created", "task_completed")] == [
                "active_tasks",
                "task_created",
                "task_completed",
                "active_tasks",
            ]


async def test_dedup_joins_anew(way: Network, tmp_path: Path) -> None:
    async with running_server(tmp_path, "fast", dialect="dedup") as server:
        way.to = server.address
        token = server.token("u")
        task = server.ask("POST", "/api/tasks", token, {"title": "T", "total": 2, "start": True})
        async with stock_client(way.url, auth={"token": token}, **OPTIONS) as client:
            await client.event("connected")
            await client.emit("join_task", {"task_id": task["number"]})
            await client.event("task_status")
            await away(client, way)
            server.report(token, {"type": "succeed", "task": task["id"]})
            way.restore()
            assert (await client.hear("connect"))["recovered"] is not True
            await client.event("connected")
            await client.emit("join_task", {"task_id": task["number"]})
            assert (await client.event("task_status"))[0]["status"] == "completed"
            await client.event("task_completed")
            # As the contract says them: with nothing behind their payload.
            assert {len(said["args"]) for said in client.seen if said["what"] == "event"} == {1}
