"""Fallbacks: told when it stayed unread, once; not told when it was read; kept over restarts; given up in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from headway.buses.memory import MemoryBus
from headway.errors import Forbidden, NotFound
from headway.hub.hub import Hub
from headway.model import report as r
from headway.model.notification import Notification
from headway.onward.backoff import Backoff
from headway.onward.fallback import WAITING, Fallback, Plan
from headway.stores.memory import MemoryStore
from tests.hub.scenes import create, send
from tests.hub.world import ADA, BOB, instant, unix_ms

ADAS = Plan(("one://", "two://"), 600.0)


class Noting:
    """Another way to tell, which fails when told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[tuple[str, ...], str]] = []
        self.failing = 0
        self.tried: list[float] = []

    async def send(self, targets: Sequence[str], notification: Notification) -> str | None:
        self.tried.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.01)
        if self.failing:
            self.failing -= 1
            return "a service did not take it"
        self.sent.append((tuple(targets), notification.id))
        return None


@asynccontextmanager
async def world(
    sender: Noting, store: MemoryStore | None = None, plans: dict[str, Plan] | None = None
) -> AsyncIterator[tuple[Hub, Fallback, MemoryStore]]:
    store = store or MemoryStore()
    fixed = {"ada": ADAS} if plans is None else plans
    fallback = Fallback(store, sender, fixed, unix_ms, Backoff(first=30, longest=60, span=600))
    hub = Hub(store, MemoryBus(), clock=unix_ms, outbox=fallback)
    await hub.start()
    await fallback.start(hub.unseen)
    yield hub, fallback, store
    await fallback.stop()
    await hub.stop()


async def until(done: Callable[[], object], seconds: float = 3600) -> None:
    for _ in range(int(seconds)):
        if done():
            return
        await asyncio.sleep(1)
    raise AssertionError("it never came")


@instant
async def test_what_stayed_unread_is_told_once() -> None:
    sender = Noting()
    async with world(sender) as (hub, _, store):
        await send(hub, r.Notify(id="n", title="Ready"))
        await asyncio.sleep(590)
        assert sender.sent == []
        await asyncio.sleep(3600)
        assert sender.sent == [(("one://", "two://"), "n")]
        assert await store.documents(WAITING) == ()


@instant
async def test_what_was_read_is_not_told_nor_what_is_somebody_elses() -> None:
    sender = Noting()
    async with world(sender) as (hub, _, store):
        await send(hub, r.Notify(id="n", title="Ready"), r.Notify(id="p", title="All", channel="project:p"))
        await send(hub, r.Notify(id="b", title="Ready"), grant=BOB)
        await send(hub, create("t", start=True), r.Succeed(task="t"))
        await hub.read(ADA, ["n"])
        await asyncio.sleep(3600)
        assert sender.tried == []
        assert await store.documents(WAITING) == ()


@instant
async def test_a_restart_goes_on_waiting() -> None:
    sender, store = Noting(), MemoryStore()
    async with world(sender, store) as (hub, _, _):
        await send(hub, r.Notify(id="n", title="Ready"))
        await asyncio.sleep(300)
    async with world(sender, store):
        await asyncio.sleep(290)
        assert sender.sent == []
        await until(lambda: sender.sent)
        assert sender.sent == [(ADAS.targets, "n")]


@instant
async def test_a_failure_is_tried_again_and_in_the_end_given_up() -> None:
    sender = Noting()
    sender.failing = 2
    async with world(sender) as (hub, _, store):
        await send(hub, r.Notify(id="n", title="Ready"))
        await until(lambda: sender.sent)
        assert len(sender.tried) == 3
        waits = [after - before for before, after in zip(sender.tried, sender.tried[1:], strict=False)]
        assert all(30 <= wait <= 75 for wait in waits)
        sender.failing = 1000
        await send(hub, r.Notify(id="m", title="Ready"))
        await asyncio.sleep(7200)
        assert 5 < len(sender.tried) < 25
        assert await store.documents(WAITING) == ()


@instant
async def test_a_failure_that_was_read_meanwhile_is_not_tried_again() -> None:
    sender = Noting()
    sender.failing = 1000
    async with world(sender) as (hub, _, _):
        await send(hub, r.Notify(id="n", title="Ready"))
        await until(lambda: sender.tried)
        await hub.read(ADA, ["n"])
        await asyncio.sleep(3600)
        assert len(sender.tried) == 1


@instant
async def test_what_administrators_set_is_kept_and_can_be_forgotten() -> None:
    sender, store = Noting(), MemoryStore()
    async with world(sender, store) as (_, fallback, _):
        await fallback.keep("bob", Plan(("bob://",), 60.0))
        with pytest.raises(Forbidden, match="settings"):
            await fallback.keep("ada", None)
        assert fallback.is_fixed("ada")
    async with world(sender, store) as (hub, fallback, _):
        assert fallback.plans() == {"ada": ADAS, "bob": Plan(("bob://",), 60.0)}
        await send(hub, r.Notify(id="b", title="Ready"), grant=BOB)
        await until(lambda: sender.sent)
        await send(hub, r.Notify(id="c", title="Ready"), grant=BOB)
        await fallback.keep("bob", None)
        with pytest.raises(NotFound):
            await fallback.keep("bob", None)
        await asyncio.sleep(3600)
        assert sender.sent == [(("bob://",), "b")]


@instant
async def test_without_any_plan_nothing_is_kept() -> None:
    async with world(Noting(), plans={}) as (hub, _, store):
        await send(hub, r.Notify(id="n", title="Ready"))
        assert await store.documents(WAITING) == ()
