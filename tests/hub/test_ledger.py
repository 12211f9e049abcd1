"""From a change to its followers: durable before it is shown, in order, and as it was when it failed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from headway.buses.memory import MemoryBus
from headway.errors import StoreUnavailable
from headway.hub.hub import Hub
from headway.model import report as r
from headway.model.grant import Grant
from headway.model.task import TaskState, Telling
from headway.stores.sqlite import SqliteStore
from tests.hub.machine import recount
from tests.hub.scenes import create, follow, held, running, send, shown, tick
from tests.hub.world import SecondThoughts, SlowStore, instant, unix_ms


class HeldBus(MemoryBus):
    """A bus whose revisions come from far away: they wait until `gate` opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.failing = False

    async def stamp(self, channel: str, count: int) -> int:
        await self.gate.wait()
        if self.failing:
            raise StoreUnavailable
        return await super().stamp(channel, count)


async def later(hub: Hub, *reports: r.Report) -> asyncio.Task[r.BatchAnswer]:
    """A request that is on its way as far as it gets."""
    request = asyncio.create_task(send(hub, *reports))
    await asyncio.sleep(0.01)
    return request


@instant
async def test_a_fact_is_shown_when_it_is_durable_and_a_tick_at_once() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True))
        store.hold = True
        assert (await send(hub, tick("t", 5))).accepted == 1
        assert shown(hub, "t").progress.done == 5  # type: ignore[union-attr]
        request = await later(hub, r.Succeed(task="t"))
        assert not request.done()
        assert shown(hub, "t").state is TaskState.RUNNING  # type: ignore[union-attr]
        store.hold = False
        store.release()
        assert (await request).tasks == {"t": ("succeeded", 1)}
        assert shown(hub, "t").state is TaskState.SUCCEEDED  # type: ignore[union-attr]


@instant
async def test_a_failed_fact_leaves_everything_as_it_was_and_its_ticks_are_still_written() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True))
        await send(hub, tick("t", 5))
        store.failing = 1
        with pytest.raises(StoreUnavailable):
            await send(hub, r.Succeed(task="t"))
        assert not hub.ready
        assert hub.records.tasks["t"] == shown(hub, "t")
        assert hub.records.tasks["t"].state is TaskState.RUNNING
        await asyncio.sleep(2)
        assert await store.task("t") == shown(hub, "t")
        assert hub.ready


@instant
async def test_who_repeats_a_fact_that_is_being_written_is_not_answered_before_it_is() -> None:
    store = SlowStore()
    async with running(store) as hub:
        store.hold = True
        first = await later(hub, create("t"))
        second = await later(hub, create("t"))
        third = await later(hub, tick("t", 0))
        assert not second.done()
        store.release(fail=True)
        for request in (first, second, third):
            with pytest.raises(StoreUnavailable):
                await request
        assert "t" not in hub.records.tasks


@instant
async def test_a_request_that_is_given_up_is_carried_out_all_the_same() -> None:
    store = SlowStore()
    bus = HeldBus()
    hub = Hub(store, bus, clock=unix_ms)
    await hub.start()
    bus.gate.clear()
    first = await later(hub, create("a"))
    second = await later(hub, create("b"))
    for request in (first, second):
        request.cancel()
    bus.gate.set()
    await asyncio.sleep(1)
    assert shown(hub, "a") == await store.task("a") is not None
    assert shown(hub, "b") == await store.task("b") is not None
    await hub.stop()


@instant
async def test_a_tick_that_waits_for_its_revision_does_not_show_the_fact_after_it() -> None:
    store, bus = SlowStore(), HeldBus()
    hub = Hub(store, bus, clock=unix_ms)
    await hub.start()
    await send(hub, create("t", start=True))
    link, _, _ = follow(hub, channel="user:ada")
    bus.gate.clear()
    first = await later(hub, tick("t", 5))
    second = await later(hub, r.Succeed(task="t"))
    store.hold = True
    bus.gate.set()
    await first
    await asyncio.sleep(1)
    assert held(link).records["t"]["state"] == "running"
    store.release(fail=True)
    with pytest.raises(StoreUnavailable):
        await second
    store.hold = False
    await asyncio.sleep(1)
    assert held(link).records["t"]["progress"]["done"] == 5
    await hub.stop()


@instant
async def test_what_was_built_on_a_failure_fails_with_it() -> None:
    store, bus = SlowStore(), HeldBus()
    hub = Hub(store, bus, clock=unix_ms)
    await hub.start()
    store.hold = True
    first = await later(hub, create("t"))
    bus.gate.clear()
    second = await later(hub, r.Start(task="t"), create("other"))
    store.release(fail=True)
    store.hold = False
    await asyncio.sleep(0.1)
    bus.gate.set()
    for request in (first, second):
        with pytest.raises(StoreUnavailable):
            await request
    assert not hub.records.tasks
    assert (await send(hub, create("t"), create("other"))).accepted == 2
    await hub.stop()


@instant
async def test_without_revisions_nothing_changes_and_later_it_works() -> None:
    bus = HeldBus()
    hub = Hub(SlowStore(), bus, clock=unix_ms)
    await hub.start()
    await send(hub, create("t", start=True))
    bus.failing = True
    with pytest.raises(StoreUnavailable):
        await send(hub, tick("t", 5))
    assert hub.records.tasks["t"].progress.done == 0
    bus.failing = False
    await send(hub, tick("t", 5))
    assert shown(hub, "t").progress.done == 5  # type: ignore[union-attr]
    await hub.stop()


@instant
async def test_a_parent_keeps_what_its_other_children_said_when_one_child_fails_to_be_written() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("p", total=None), *(create(f"c{n}", parent="p", start=True) for n in range(3)))
        store.hold = True
        failing = await later(hub, r.Succeed(task="c0"), create("c3", parent="p"))
        ticking = await later(hub, tick("c1", 50))
        store.release(fail=True)
        store.hold = False
        with pytest.raises(StoreUnavailable):
            await failing
        await ticking
        await send(hub, tick("c2", 10))
        await asyncio.sleep(2)
        parent = shown(hub, "p")
        assert parent is not None
        assert parent.children == await recount(hub, store, parent)
        assert parent.children is not None
        assert (parent.children.count, parent.children.running, parent.children.points) == (3, 3, 6000)


@pytest.mark.slow
async def test_what_was_acknowledged_is_in_the_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "headway.db")
    hub = Hub(store, MemoryBus())
    await hub.start()
    await send(hub, create("t", start=True), r.Notify(id="n", title="Note"))
    await send(hub, r.Fail(task="t", error="no"))
    # A second reader of the file, as after a kill: the hub has not been told to stop.
    witness = SqliteStore(tmp_path / "headway.db")
    opened = await witness.open()
    task = await witness.task("t")
    assert task is not None
    assert (task.state, task.error) == (TaskState.FAILED, "no")
    assert await witness.notification("n") is not None
    assert opened.ceiling > task.rev
    await witness.close()
    await hub.stop()


@instant
async def test_what_is_to_follow_a_change_follows_though_nobody_waits_for_it_any_more() -> None:
    store = SlowStore()
    async with running(store) as hub:
        member = Grant("bob", channels=("project:p",))
        await send(hub, create("t", channel="project:p"))
        await hub.tellings.ask(member, "t", Telling.ALWAYS)
        store.hold = True
        ending = await later(hub, r.Succeed(task="t"))
        ending.cancel()
        store.hold = False
        store.release()
        await asyncio.sleep(0.1)
        assert shown(hub, "t").state is TaskState.SUCCEEDED  # type: ignore[union-attr]
        assert await hub.tellings.asked(member, "t") is None


@instant
async def test_what_is_to_follow_a_change_follows_though_another_that_the_answer_speaks_of_failed() -> None:
    store = SecondThoughts()
    async with running(store) as hub:
        member = Grant("bob", channels=("project:p",))
        await send(hub, create("t", channel="project:p"))
        await hub.tellings.ask(member, "t", Telling.ALWAYS)
        store.hold = True
        first = await later(hub, create("other"))
        second = await later(hub, create("other"), r.Succeed(task="t"))
        store.fail_first()
        for request in (first, second):
            with pytest.raises(StoreUnavailable):
                await request
        assert shown(hub, "t").state is TaskState.SUCCEEDED  # type: ignore[union-attr]
        assert await hub.tellings.asked(member, "t") is None
