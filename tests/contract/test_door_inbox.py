"""The inbox through the native door: one user, several devices, each told of everything once and always in step."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.clients import Client, Message, View, logged_in
from tests.servers import FORMS, PATIENCE, Form, Server, running_server

pytestmark = pytest.mark.slow

DOORS: tuple[Form, ...] = FORMS
DEVICES = 5
MANY = 1000


class Device:
    """What one device holds and has been told."""

    def __init__(self, server: Server, user: str) -> None:
        self.server = server
        self.user = user
        self.view = View()
        self.unread: int | None = None
        self.told: dict[str, list[str]] = {}
        self.resets = 0

    async def follow(self, client: Client) -> None:
        """Take part, from where it stands."""
        await client.say(
            "subscribe",
            id=self.view.id,
            channel=f"user:{self.user}",
            **({"cursor": self.view.cursor} if self.view.cursor else {}),
        )
        more = True
        while more:
            more = self.take(await client.hear("snapshot")).get("more", False)

    def take(self, message: Message) -> Message:
        self.view.take(message)
        self.unread = message.get("unread", self.unread)
        arrived = message.get("notifications") or [
            message[key] for key in ("notification",) if key in message
        ]
        for note in arrived:
            self.told.setdefault(note["id"], []).append(note["status"])
        return message

    async def until(self, client: Client, done: Any) -> None:
        async with asyncio.timeout(PATIENCE):
            while not done():
                self.take(await client.hear("change", "snapshot"))


async def test_a_thousand_to_five_devices_each_once_and_the_count_right(door: Server, user: str) -> None:
    # Given five devices, one of which is away for the middle part
    token = door.token(user)
    devices = [Device(door, user) for _ in range(DEVICES)]
    ids = [f"{user}-{n}" for n in range(MANY)]

    async def notify(some: list[str]) -> None:
        # By two ways at once: in batches as a worker sends them, and one by one.
        batch, single = some[: len(some) // 2], some[len(some) // 2 :]
        reports = [{"type": "notify", "id": which, "title": "N", "user": user} for which in batch]
        sending = [
            asyncio.to_thread(door.report, token, *reports[at : at + 50]) for at in range(0, len(batch), 50)
        ]
        sending += [
            asyncio.to_thread(door.ask, "POST", "/api/notifications", token, {"id": which, "title": "N"})
            for which in single
        ]
        await asyncio.gather(*sending)
        # Said again, as after an answer that was lost.
        await asyncio.to_thread(door.report, token, *reports[:50])

    async def reading(device: Device, client: Client, upto: list[str]) -> None:
        await device.until(client, lambda: all(which in device.told for which in upto))

    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(logged_in(door, token)) for _ in devices[1:]]
        for device, client in zip(devices[1:], clients, strict=True):
            await device.follow(client)
        async with logged_in(door, token) as early:
            await devices[0].follow(early)
            first, rest = ids[: MANY // 4], ids[MANY // 4 :]
            here = [*zip(devices[1:], clients, strict=True), (devices[0], early)]
            await asyncio.gather(notify(first), *(reading(device, client, first) for device, client in here))
        # When all of them were notified of everything, and the one that was away has come back
        here = [*zip(devices[1:], clients, strict=True)]
        await asyncio.gather(notify(rest), *(reading(device, client, ids) for device, client in here))
        back = await stack.enter_async_context(logged_in(door, token))
        await devices[0].follow(back)
        # Then each was told of each exactly once, and holds all of them
        for device in devices:
            assert {which: len(told) for which, told in device.told.items()} == dict.fromkeys(ids, 1)
            assert device.unread == MANY
            assert device.view.resets == 1

        # And what is read on one is read on all, once
        await clients[0].say("read", notifications="all", ref=1)
        everybody = [*zip(devices[1:], clients, strict=True), (devices[0], back)]
        for device, client in everybody:
            await device.until(client, lambda device=device: device.unread == 0)
            assert {told[-1] for told in device.told.values()} == {"read"}
            assert {len(told) for told in device.told.values()} == {2}
    assert door.ask("GET", "/api/notifications/unread_count", token) == {"count": 0}
    page = door.ask("GET", "/api/notifications?limit=200", token)
    assert (page["total"], len(page["notifications"])) == (MANY, 200)


async def test_marking_in_all_ways_is_seen_on_the_other_device(door: Server, user: str) -> None:
    token = door.token(user)
    door.report(token, *({"type": "notify", "id": f"{user}-{n}", "title": "N"} for n in range(3)))
    phone = Device(door, user)
    async with logged_in(door, token) as desk, logged_in(door, token) as hand:
        await phone.follow(hand)
        assert phone.unread == 3
        for kind, status, count in (("read", "read", 2), ("unread", "unread", 3), ("archive", "archived", 2)):
            for _ in range(2):
                answer = await desk.answer(kind, notifications=[f"{user}-0", "nothing"], ref=kind)
                assert answer == {"type": "ok", "ref": kind}
            await phone.until(hand, lambda status=status: phone.view.records[f"{user}-0"]["status"] == status)
            assert phone.unread == count
        assert (await desk.answer("unread", notifications="all", ref=1))["code"] == 102
        await desk.say("archive", notifications="all")
        await phone.until(hand, lambda: phone.unread == 0)
    assert [len(told) for told in phone.told.values()] == [4, 2, 2]


async def test_told_when_it_is_done_over_rest(door: Server, user: str) -> None:
    token = door.token(user)
    phone = Device(door, user)
    path = f"/api/tasks/{user}-t/notify"
    door.report(token, {"type": "create", "task": f"{user}-t", "title": "Import", "start": True})
    async with logged_in(door, token) as hand:
        await phone.follow(hand)
        assert door.ask("GET", path, token) == {"when": None}
        assert door.ask("POST", path, token) == {"when": "always"}
        assert door.request("DELETE", path, token).status == 204
        assert door.ask("POST", path, token, {"when": "ongoing"}) == {"when": "ongoing"}
        assert door.request("POST", path, token, {"when": "later"}).status == 400
        assert door.request("POST", path, door.token("stranger")).status == 404
        await phone.until(hand, lambda: phone.told)
        door.report(token, {"type": "succeed", "task": f"{user}-t", "result": {"link": "/r"}})
        door.report(token, {"type": "succeed", "task": f"{user}-t", "result": {"link": "/r"}})
        await phone.until(hand, lambda: any("success" in str(note) for note in phone.view.records.values()))
    assert door.request("POST", path, token).status == 409
    ((note_id, told),) = phone.told.items()
    note = phone.view.records[note_id]
    assert (note["title"], note["kind"], note["link"], note["task"]) == (
        "Import",
        "task.succeeded",
        "/r",
        f"{user}-t",
    )
    assert told == ["unread", "unread"]
    assert phone.unread == 1


async def test_what_is_told_survives_a_kill_with_the_end_or_not_at_all(tmp_path: Path) -> None:
    # Given a task whose user is to be told
    async with running_server(tmp_path) as server:
        token = server.token()
        server.report(token, {"type": "create", "task": "t", "title": "T", "start": True, "notify": True})
        # When its end is acknowledged and the server is killed
        server.report(token, {"type": "succeed", "task": "t"})
        server.kill()
    async with running_server(tmp_path) as server:
        # Then both are there, and a worker that reports it again changes nothing
        token = server.token()
        server.report(token, {"type": "succeed", "task": "t"})
        page = server.ask("GET", "/api/notifications", token)
        assert [(note["task"], note["status"]) for note in page["notifications"]] == [("t", "unread")]
        assert server.ask("GET", "/api/tasks/t", token)["state"] == "succeeded"
