"""`studio` as its clients have it: the same cards on every device, over a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from headway.model.grant import Ability
from tests.servers import FORMS, Server, serving
from tests.transports.contracts.clients import speaking

CARD = {"id": 17, "formData": {"prompt": "a red fox", "seed": 3}, "mode": "text", "startTime": 1700000000000}


@pytest.fixture(scope="module", params=FORMS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("studio"), request.param, dialect="studio") as server:
        yield server


async def test_what_one_device_submits_is_on_all_of_them(server: Server) -> None:
    token = server.token("d1", Ability.READ, Ability.CANCEL)
    worker = server.token("d1")
    async with speaking(server, token) as phone, speaking(server, token) as laptop:
        assert await phone.until("active_tasks") == {"tasks": []}
        await laptop.until("active_tasks")
        await phone.say("task_created", CARD)
        cards = [await device.until("task_created") for device in (phone, laptop)]
        assert cards[0] == cards[1] == {**CARD, "serverTaskId": cards[0]["serverTaskId"]}
        task = cards[0]["serverTaskId"]
        server.report(worker, {"type": "progress", "task": task, "percent": 30, "message": "tile 3"})
        async with speaking(server, token) as late:
            assert (await late.until("active_tasks"))["tasks"] == [cards[0]]
        for device in (phone, laptop):
            await device.until("task_progress")
        server.report(worker, {"type": "succeed", "task": task, "result": {"images": ["/a.png"]}})
        for device in (phone, laptop):
            assert await device.until("task_completed") == {"id": 17, "result": {"images": ["/a.png"]}}
            assert device.all("task_progress") == [{"id": 17, "progress": 30.0, "message": "tile 3"}]
            assert device.names == ["active_tasks", "task_created", "task_progress", "task_completed"]


async def test_a_forged_end_and_a_submission_that_is_none_are_refused(server: Server) -> None:
    token = server.token("d2")
    async with speaking(server, token) as client, speaking(server, token) as other:
        await client.until("active_tasks")
        await other.until("active_tasks")
        for name, data in (
            ("task_completed", {"id": 1, "result": {}}),
            ("task_failed", {"id": 1, "error": "x"}),
            ("task_progress", {"id": 1, "progress": 99}),
            ("task_created", {"id": 1}),
            ("task_created", None),
        ):
            before = len(client.all("error"))
            await client.say(name, data)
            await client.several("error", before + 1)
        await client.say("task_created", CARD)
        await other.until("task_created")
        assert other.names == ["active_tasks", "task_created"]


async def test_another_user_sees_none_of_it(server: Server) -> None:
    async with speaking(server, server.token("d3")) as one, speaking(server, server.token("d4")) as two:
        await one.until("active_tasks")
        await two.until("active_tasks")
        await one.say("task_created", CARD)
        await one.until("task_created")
        await two.say("task_created", {**CARD, "id": 18})
        await two.until("task_created")
        assert [data["id"] for data in two.all("task_created")] == [18]


async def test_a_shared_channel_is_in_the_same_list(server: Server) -> None:
    token = server.token("d5", channels=["project:shared"])
    worker = server.token("w", channels=["project:shared"])

    def shared(title: str) -> Any:
        return server.ask("POST", "/api/tasks", worker, {"title": title, "channel": "project:shared"})

    shared("There")
    async with speaking(server, token) as client:
        listed = await client.until("active_tasks")
        assert [task["formData"] for task in listed["tasks"]] == [{"prompt": "There"}]
        shared("New")
        await client.until("task_created")
        assert client.names == ["active_tasks", "task_created"]
