"""The hub as its callers see it: requests, lists, logs, removal, and a stop that loses nothing."""

from __future__ import annotations

import asyncio

import pytest

from headway.errors import Forbidden, IllegalTransition, NotFound, StoreUnavailable
from headway.model import report as r
from headway.model.grant import Ability, Grant
from headway.ports.store import TaskQuery
from tests.hub.scenes import create, follow, held, running, send, tick
from tests.hub.world import ADA, ADMIN, BOB, SlowStore, instant


@instant
async def test_a_stop_writes_what_waits() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True))
        await send(hub, tick("t", 42), r.Log(task="t", lines=(r.LogLine("x"),)))
    await store.open()
    assert (await store.task("t")).progress.done == 42
    assert len(await store.log("t", 0, 10)) == 1


@instant
async def test_stopping_twice_is_stopping_once() -> None:
    async with running() as hub:
        await hub.stop()


@instant
async def test_a_task_is_shown_to_whom_it_is_covered_for() -> None:
    async with running() as hub:
        await send(hub, create("t"))
        assert (await hub.task(ADA, "t")).id == "t"
        for grant in (BOB, Grant("eve", tasks=("T",))):
            with pytest.raises(NotFound):
                await hub.task(grant, "t")
        with pytest.raises(Forbidden):
            await hub.task(Grant("ada", can=frozenset()), "t")
        with pytest.raises(NotFound):
            await hub.task(ADMIN, "nothing")


@instant
async def test_what_is_not_durable_is_not_shown_to_those_who_ask() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True))
        store.hold = True
        requests = [asyncio.create_task(send(hub, r.Succeed(task="t"), create("u")))]
        await asyncio.sleep(0.01)
        assert (await hub.task(ADA, "t")).state.value == "running"
        with pytest.raises(NotFound):
            await hub.task(ADA, "u")
        page = await hub.tasks(ADA, TaskQuery(channels=None))
        assert [(task.id, task.state.value) for task in page.tasks] == [("t", "running")]
        store.hold = False
        store.release()
        await asyncio.gather(*requests)
        assert (await hub.task(ADA, "t")).state.value == "succeeded"


@instant
async def test_a_list_keeps_to_the_grant_and_shows_the_newest_progress() -> None:
    async with running() as hub:
        await send(hub, create("a", start=True), create("p", channel="project:p"))
        await send(hub, create("b"), grant=BOB)
        await send(hub, tick("a", 33))
        page = await hub.tasks(ADA, TaskQuery(channels=None))
        assert {task.id: task.progress.done for task in page.tasks} == {"a": 33, "p": 0}
        assert {task.id for task in (await hub.tasks(ADMIN, TaskQuery(channels=None))).tasks} == {
            "a",
            "b",
            "p",
        }
        one = Grant("eve", tasks=("b",), can=frozenset((Ability.READ,)))
        assert [task.id for task in (await hub.tasks(one, TaskQuery(channels=None))).tasks] == ["b"]


@instant
async def test_only_a_finished_task_is_removed_and_only_once() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True))
        with pytest.raises(IllegalTransition):
            await hub.remove(ADA, "t")
        await send(hub, r.Cancel(task="t"))
        with pytest.raises(NotFound):
            await hub.remove(BOB, "t")
        link, _, _ = follow(hub, channel="user:ada")
        results = await asyncio.gather(*(hub.remove(ADA, "t") for _ in range(2)), return_exceptions=True)
        assert [type(result) for result in results] == [type(None), NotFound]
        await asyncio.sleep(1)
        assert held(link).records == {}
        assert await store.task("t") is None
        with pytest.raises(NotFound):
            await hub.task(ADA, "t")


@instant
async def test_a_late_report_does_not_bring_a_removed_task_back() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True), r.Fail(task="t"))
        store.hold = True
        removing = asyncio.create_task(hub.remove(ADA, "t"))
        await asyncio.sleep(0.01)
        late = asyncio.create_task(send(hub, r.Retry(task="t"), tick("t", 5)))
        await asyncio.sleep(0.01)
        store.hold = False
        store.release()
        await removing
        assert [rejected.code for rejected in (await late).rejected] == [104, 104]
        await asyncio.sleep(1)
        assert await store.task("t") is None


@instant
async def test_a_task_that_could_not_be_removed_keeps_its_log() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True), r.Fail(task="t"))
        await send(hub, r.Log(task="t", lines=(r.LogLine("before"),)))
        store.failing = 1
        with pytest.raises(StoreUnavailable):
            await hub.remove(ADA, "t")
        await send(hub, r.Log(task="t", lines=(r.LogLine("after"),)))
        await asyncio.sleep(3)
        assert [line.text for line in await store.log("t", 0, 10)] == ["before", "after"]


@instant
async def test_what_was_logged_is_told_though_nobody_waits_for_the_answer_any_more() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True))
        link, follower, _ = follow(hub, task="t", log=0)
        await follower.opened()
        store.hold = True
        line = r.Log(task="t", lines=(r.LogLine("the last one"),))
        ending = asyncio.create_task(send(hub, line, r.Succeed(task="t")))
        await asyncio.sleep(0.1)
        ending.cancel()
        store.hold = False
        store.release()
        await asyncio.sleep(1)
        assert {"log", "change"} <= {message["type"] for message in link.messages}


@instant
async def test_a_log_is_read_from_memory_and_from_the_store_alike() -> None:
    async with running() as hub:
        lines = tuple(r.LogLine(f"l{n}") for n in range(6))
        await send(hub, create("t", start=True), r.Log(task="t", lines=lines, source="w", seq=0))
        assert [entry.text for entry in (await hub.log(ADA, "t", 2, 3))[1]] == ["l2", "l3", "l4"]
        await asyncio.sleep(1)
        hub._logs.drop("t")
        after, entries = (await hub.log(ADA, "t", 2, 3))[:2]
        assert (after, [entry.text for entry in entries]) == (5, ["l2", "l3", "l4"])
        with pytest.raises(NotFound):
            await hub.log(BOB, "t", 0, 1)


@instant
async def test_counts_are_of_what_the_grant_covers() -> None:
    async with running() as hub:
        await send(hub, create("a", start=True), create("b"))
        assert hub.stats(ADA)["tasks"]["running"] == 1
        assert hub.stats(BOB)["tasks"]["running"] == 0
        assert "connections" not in hub.stats(ADA)
        everything = hub.stats(ADMIN)
        assert (everything["channels"], everything["store_ready"]) == (1, True)
        assert hub.open_channels(ADA) == ["user:ada", "public", "project:p"]
        assert "user:ada" in hub.open_channels(ADMIN)


@instant
async def test_children_add_up_in_the_middle_of_everything() -> None:
    async with running() as hub:
        await send(hub, create("p", total=None), *(create(f"c{n}", parent="p", start=True) for n in range(4)))
        link, _, _ = follow(hub, channel="user:ada")
        for done in range(10, 101, 10):
            await asyncio.gather(*(send(hub, tick(f"c{n}", done)) for n in range(4)))
        await asyncio.sleep(1)
        parent = held(link).records["p"]
        assert parent["children"]["points"] == 40_000
        assert parent["progress"]["percent"] == 100.0
