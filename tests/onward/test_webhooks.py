"""From a fact to a receiver, through a hub: who is told of what, and what is owed when nothing can be said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from headway.buses.memory import MemoryBus
from headway.errors import InvalidField, NotFound
from headway.hub.hub import Hub, unix_ms
from headway.model import report as r
from headway.onward import deliveries as limits
from headway.onward.backoff import Backoff
from headway.onward.delivery import DELIVERY
from headway.onward.endpoint import Endpoint, Event
from headway.onward.webhooks import Webhooks, WebhookSettings, new_secret
from headway.stores.memory import MemoryStore
from tests.hub.scenes import create, send, tick
from tests.hub.world import BOB
from tests.onward.receiver import Received, Receiver


def endpoint(name: str, receiver: Receiver, *events: Event, channels: tuple[str, ...] = ("*",)) -> Endpoint:
    return Endpoint(name, f"{receiver.url}/{name}", new_secret(), events, channels)


@asynccontextmanager
async def serving(
    *endpoints: Endpoint, store: MemoryStore | None = None
) -> AsyncIterator[tuple[Hub, Webhooks]]:
    store = store or MemoryStore()
    settings = WebhookSettings(endpoints, ("127.0.0.1",), backoff=Backoff(first=0.02, longest=0.1))
    webhooks = Webhooks(store, settings, unix_ms, "test")
    hub = Hub(store, MemoryBus(), outbox=webhooks)
    await hub.start()
    await webhooks.start()
    yield hub, webhooks
    await webhooks.stop(10)
    await hub.stop()


async def until(receiver: Receiver, count: int) -> list[Received]:
    return await asyncio.to_thread(receiver.until, count)


async def told(receiver: Receiver, count: int) -> list[tuple[str, str, str]]:
    """Who was told what of which record; messages come in no promised order."""
    got = await until(receiver, count)
    return sorted((one.path, one.json["type"], one.json["data"]["id"]) for one in got)


async def test_each_endpoint_is_told_what_it_asked_for(receiver: Receiver) -> None:
    endpoints = (
        endpoint("all", receiver),
        endpoint("failed", receiver, Event.FAILED),
        endpoint("ada", receiver, channels=("user:ada",)),
    )
    async with serving(*endpoints) as (hub, _):
        await send(hub, create("t", start=True))
        await send(hub, tick("t", 5))
        await send(hub, r.Succeed(task="t"), create("f", start=True), r.Fail(task="f", error="no"))
        await send(hub, create("c"), r.Cancel(task="c"), grant=BOB)
        await send(hub, r.Notify(id="n", title="Ready", channel="project:p"))
        assert await told(receiver, 7) == [
            ("/ada", "task.failed", "f"),
            ("/ada", "task.succeeded", "t"),
            ("/all", "notification.created", "n"),
            ("/all", "task.cancelled", "c"),
            ("/all", "task.failed", "f"),
            ("/all", "task.succeeded", "t"),
            ("/failed", "task.failed", "f"),
        ]
        by_path = {got.path[1:]: got for got in receiver.got}
        assert all(by_path[to.id].signed_with(to.secret) for to in endpoints)
        # One message has one id, whoever gets it.
        assert len({got.id for got in receiver.got}) == 4
        assert all(got.json["data"]["rev"] for got in receiver.got)


async def test_what_was_owed_when_the_process_ended_is_delivered_by_the_next(receiver: Receiver) -> None:
    store = MemoryStore()
    to = endpoint("a", receiver)
    # Given a process that never gets as far as delivering
    webhooks = Webhooks(store, WebhookSettings((to,), ("127.0.0.1",)), unix_ms, "test")
    hub = Hub(store, MemoryBus(), outbox=webhooks)
    await hub.start()
    await webhooks.deliveries.stop(0)
    await send(hub, create("t", start=True), r.Succeed(task="t"))
    assert len(await store.documents(DELIVERY)) == 1
    await hub.stop()
    await webhooks.stop(0)
    assert receiver.got == []

    async with serving(to, store=store):
        assert await told(receiver, 1) == [("/a", "task.succeeded", "t")]


async def test_an_endpoint_that_owes_too_much_gets_no_more(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limits, "_MOST_EACH", 2)
    receiver.gate.clear()
    async with serving(endpoint("a", receiver)) as (hub, _):
        for number in range(5):
            await send(hub, create(f"t{number}", start=True), r.Succeed(task=f"t{number}"))
        assert "webhooks owe as much as they may" in caplog.text
        assert caplog.text.count("owe as much") == 1
        receiver.gate.set()
        assert len(await told(receiver, 2)) == 2


async def test_a_url_out_of_reach_is_said_at_once() -> None:
    async with serving() as (_, webhooks):
        for url in ("http://10.0.0.1/", "https://127.0.0.2/", "https://[::1]/", "http://1.1.1.1/", "nothing"):
            with pytest.raises(InvalidField) as refused:
                await webhooks.check_address(url)
            assert refused.value.details["field"] == "url"
        await webhooks.check_address("http://127.0.0.1:9/")
        await webhooks.check_address("https://no-such-name.invalid/")


async def test_a_message_can_be_sent_again_and_looked_at(receiver: Receiver) -> None:
    async with serving(endpoint("a", receiver)) as (hub, webhooks):
        await send(hub, create("t", start=True), r.Succeed(task="t"))
        (first,) = await until(receiver, 1)
        await webhooks.send_again("a", first.id)
        second = (await until(receiver, 2))[1]
        assert (second.id, second.body) == (first.id, first.body)
        with pytest.raises(NotFound, match="message"):
            await webhooks.send_again("a", "msg_other")
        with pytest.raises(NotFound, match="webhook"):
            await webhooks.send_again("b", first.id)
        await webhooks.ping("a")
        await webhooks.deliveries.stop(10)
        page: tuple[list[Any], str | None] = await webhooks.attempts("a", "", 2)
        rest, after = await webhooks.attempts("a", page[1] or "", 2)
        assert [line.event for line in page[0]] == ["ping", "task.succeeded"]
        assert ([line.event for line in rest], after) == (["task.succeeded"], None)


async def test_with_a_new_secret_both_sign_for_a_day(receiver: Receiver) -> None:
    async with serving() as (_, webhooks):
        old = endpoint("A", receiver)
        await webhooks.endpoints.keep(old)
        renewed = await webhooks.renew_secret("A")
        await webhooks.ping("A")
        (got,) = receiver.got
        assert got.signed_with(old.secret)
        assert got.signed_with(renewed.secret)
        assert old.secret != renewed.secret


async def test_what_is_owed_goes_with_the_endpoint(receiver: Receiver) -> None:
    receiver.answers = [(500, {})]
    async with serving() as (hub, webhooks):
        await webhooks.endpoints.keep(endpoint("A", receiver))
        await send(hub, create("t", start=True), r.Succeed(task="t"))
        await until(receiver, 1)
        await webhooks.drop("A")
        await webhooks.deliveries.stop(10)
        with pytest.raises(NotFound):
            await webhooks.ping("A")
