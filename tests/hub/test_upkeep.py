"""What is done now and then: old tasks go, idle channels are let go of, long logs are cut."""

from __future__ import annotations

import asyncio

from headway.hub.hub import HubSettings
from headway.hub.upkeep import Retention
from headway.model import report as r
from headway.model.task import Task, TaskState
from tests.hub.machine import recount
from tests.hub.scenes import create, follow, held, running, send, shown, tick
from tests.hub.world import ADA, SecondThoughts, SlowStore, instant, small_bounds

SETTINGS = HubSettings(retention=Retention(tasks=100.0, tombstones=200.0, log_lines=10), lost_after=10_000.0)


def lines(task: str, start: int, count: int) -> r.Log:
    return r.Log(
        task=task, lines=tuple(r.LogLine(f"l{n}") for n in range(start, start + count)), source="w", seq=start
    )


@instant
async def test_a_finished_task_goes_when_it_is_old_and_its_followers_hear_of_it() -> None:
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("t"), create("u", start=True), r.Fail(task="t"))
        link, _, _ = follow(hub, channel="user:ada")
        await asyncio.sleep(90)
        assert set(held(link).records) == {"t", "u"}
        await asyncio.sleep(60)
        assert set(held(link).records) == {"u"}
        assert await store.task("t") is None


@instant
async def test_a_task_that_is_retried_at_the_last_moment_stays() -> None:
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("t"), r.Fail(task="t"))
        await asyncio.sleep(1)
        store.hold = True
        retrying = asyncio.create_task(send(hub, r.Retry(task="t")))
        await asyncio.sleep(0.01)
        # The store still has it as failed long ago.
        await hub._upkeep._expire(hub.clock() + 1_000_000)
        store.hold = False
        store.release()
        await retrying
        assert shown(hub, "t").state is TaskState.QUEUED  # type: ignore[union-attr]


@instant
async def test_an_old_child_counts_no_longer_and_an_old_family_goes_together() -> None:
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("p", total=None), create("a", parent="p"), create("b", parent="p"))
        await send(hub, r.Fail(task="a"))
        await asyncio.sleep(140)
        parent = shown(hub, "p")
        assert parent is not None
        assert parent.children == await recount(hub, store, parent)
        assert parent.children is not None
        assert parent.children.count == 1
        await send(hub, r.Fail(task="b"), r.Fail(task="p"))
        await asyncio.sleep(140)
        assert await store.task("p") is await store.task("b") is None


@instant
async def test_an_old_child_that_somebody_removes_meanwhile_is_taken_from_its_parent_once() -> None:
    store = SlowStore()
    async with running(store, HubSettings(bounds=small_bounds)) as hub:
        await send(hub, create("p", total=None), create("a", parent="p"), create("b", parent="p"))
        await send(hub, r.Fail(task="a"))
        for n in range(12):
            # Their parents have to be read first, one by one.
            await send(hub, create(f"q{n}"), create(f"c{n}", parent=f"q{n}"))
            await send(hub, r.Succeed(task=f"q{n}"), r.Succeed(task=f"c{n}"))
        await asyncio.sleep(1)
        await asyncio.gather(hub._upkeep._expire(hub.clock() + 10**10), hub.remove(ADA, "a"))
        assert await store.task("a") is None
        parent = shown(hub, "p")
        assert parent is not None
        assert parent.children is not None
        assert parent.children.count == 1


@instant
async def test_a_round_that_fails_is_tried_again() -> None:
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("t"), r.Fail(task="t"))
        await asyncio.sleep(100)
        store.failing = 1
        await asyncio.sleep(25)
        await asyncio.sleep(40)
        assert await store.task("t") is None
        assert hub.ready


@instant
async def test_a_round_that_breaks_is_not_the_last() -> None:
    class Broken(SlowStore):
        async def expired(self, finished_before: int, limit: int) -> tuple[Task, ...]:
            if breaks:
                raise ValueError(breaks.pop())
            return await super().expired(finished_before, limit)

    breaks = ["a fault of ours"]
    store = Broken()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("t"), r.Fail(task="t"))
        await asyncio.sleep(200)
        assert await store.task("t") is None


@instant
async def test_long_logs_are_cut_and_offsets_stay() -> None:
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("t", start=True))
        for start in range(0, 50, 10):
            await send(hub, lines("t", start, 10))
        await asyncio.sleep(40)
        assert [line.offset for line in await store.log("t", 0, 100)] == list(range(40, 50))


@instant
async def test_a_log_is_not_put_away_before_it_is_written() -> None:
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("t", start=True), r.Fail(task="t"))
        store.hold = True
        await send(hub, lines("t", 0, 3))
        await asyncio.sleep(40)
        await send(hub, lines("t", 3, 1))
        store.hold = False
        store.release()
        await asyncio.sleep(2)
        assert [(line.offset, line.text) for line in await store.log("t", 0, 10)] == [
            (n, f"l{n}") for n in range(4)
        ]


@instant
async def test_a_log_that_nobody_writes_or_follows_is_put_away_and_goes_on_where_it_stopped() -> None:
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("t", start=True), create("u", start=True), lines("t", 0, 3), lines("u", 0, 3))
        _, follower, _ = follow(hub, task="u", log=0)
        await follower.opened()
        await asyncio.sleep(100)
        assert set(hub._logs.at_hand()) == {"u"}
        await send(hub, lines("t", 2, 2))
        await asyncio.sleep(1)
        assert [(line.offset, line.text) for line in await store.log("t", 0, 10)] == [
            (n, f"l{n}") for n in range(4)
        ]


@instant
async def test_lines_of_a_removed_task_are_not_written_after_it() -> None:
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("t", start=True), r.Fail(task="t"), lines("t", 0, 3))
        await hub.remove(ADA, "t")
        await asyncio.sleep(2)
        assert await store.log("t", 0, 10) == ()


@instant
async def test_lines_of_a_removed_task_are_not_tried_again_after_it() -> None:
    store = SecondThoughts()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("t", start=True), r.Fail(task="t"), lines("t", 0, 3))
        store.hold = True
        await asyncio.sleep(0.5)
        removing = asyncio.create_task(hub.remove(ADA, "t"))
        await asyncio.sleep(0.1)
        store.fail_first()
        await removing
        await asyncio.sleep(3)
        assert await store.log("t", 0, 10) == ()


@instant
async def test_a_channel_is_let_go_of_when_nobody_follows_it_and_nothing_runs_in_it() -> None:
    async with running(settings=SETTINGS) as hub:
        await send(hub, create("t", start=True), create("d", channel="project:p"), r.Fail(task="d"))
        _, follower, _ = follow(hub, channel="public")
        await asyncio.sleep(700)
        assert set(hub.records.channels) == {"user:ada", "public"}
        follower.leave()
        await asyncio.sleep(700)
        assert set(hub.records.channels) == {"user:ada"}


@instant
async def test_a_channel_whose_changes_are_not_written_stays() -> None:
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("p", total=None), create("c", parent="p", start=True), r.Fail(task="p"))
        await send(hub, tick("c", 5), r.Succeed(task="c"))
        store.hold = True
        pending = asyncio.create_task(send(hub, r.Retry(task="p")))
        await asyncio.sleep(90)
        channel = hub.records.channels["user:ada"]
        channel.touched_at = 0
        hub._upkeep._let_go(hub.clock())
        assert "user:ada" in hub.records.channels
        store.hold = False
        store.release()
        assert (await pending).tasks["p"] == ("queued", 2)
