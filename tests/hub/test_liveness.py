"""Silence is shown, and taken back when the worker speaks again."""

from __future__ import annotations

import asyncio

import pytest

from headway.errors import StoreUnavailable
from headway.hub.hub import Hub, HubSettings
from headway.model import report as r
from headway.model.task import TaskState
from tests.hub.machine import recount
from tests.hub.scenes import create, running, send, shown, tick
from tests.hub.world import SlowStore, instant

SETTINGS = HubSettings(lost_after=10.0)


def state(hub: Hub, task: str = "t") -> TaskState | None:
    found = shown(hub, task)
    return None if found is None else found.state


@instant
async def test_a_silent_task_is_lost_not_before_its_time_and_comes_back() -> None:
    async with running(settings=SETTINGS) as hub:
        await send(hub, create("t", start=True))
        await asyncio.sleep(9.9)
        assert state(hub) is TaskState.RUNNING
        await asyncio.sleep(0.3)
        assert state(hub) is TaskState.LOST
        await send(hub, r.Beat(task="t"))
        assert state(hub) is TaskState.RUNNING
        await asyncio.sleep(9.9)
        assert state(hub) is TaskState.RUNNING
        await asyncio.sleep(0.3)
        assert state(hub) is TaskState.LOST
        await send(hub, tick("t", 5))
        assert state(hub) is TaskState.RUNNING


@instant
async def test_a_task_whose_end_could_not_be_written_is_still_watched() -> None:
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("t", start=True))
        await asyncio.sleep(9)
        store.hold = True
        ending = asyncio.create_task(send(hub, r.Succeed(task="t")))
        # Its turn comes while the end is on its way.
        await asyncio.sleep(5)
        store.hold = False
        store.release(fail=True)
        with pytest.raises(StoreUnavailable):
            await ending
        assert state(hub) is TaskState.RUNNING
        await asyncio.sleep(30)
        assert state(hub) is TaskState.LOST


@instant
async def test_who_speaks_is_not_lost() -> None:
    async with running(settings=SETTINGS) as hub:
        await send(hub, create("t", start=True))
        for _ in range(10):
            await asyncio.sleep(8)
            await send(hub, r.Beat(task="t"))
            assert state(hub) is TaskState.RUNNING


@instant
async def test_a_task_has_a_patience_of_its_own_and_a_paused_or_queued_one_needs_none() -> None:
    async with running(settings=SETTINGS) as hub:
        await send(
            hub,
            create("slow", start=True, lost_after=100.0),
            create("paused", start=True),
            r.Pause(task="paused"),
            create("queued"),
        )
        await asyncio.sleep(50)
        states = [state(hub, task) for task in ("slow", "paused", "queued")]
        assert states == [TaskState.RUNNING, TaskState.PAUSED, TaskState.QUEUED]
        await asyncio.sleep(60)
        assert state(hub, "slow") is TaskState.LOST


@instant
async def test_a_cancelled_task_stops_being_about_to_stop() -> None:
    async with running(settings=SETTINGS) as hub:
        await send(hub, create("t", start=True), tick("t", 5), r.Cancel(task="t"))
        assert shown(hub, "t").stopping  # type: ignore[union-attr]
        await asyncio.sleep(11)
        assert not shown(hub, "t").stopping  # type: ignore[union-attr]


@instant
async def test_after_a_restart_workers_have_time_to_find_the_server() -> None:
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("t", start=True))
    await asyncio.sleep(100)
    async with running(store, SETTINGS) as hub:
        await asyncio.sleep(9)
        assert state(hub) is TaskState.RUNNING
        await asyncio.sleep(2)
        assert state(hub) is TaskState.LOST


@instant
async def test_a_loss_that_cannot_be_written_is_tried_again() -> None:
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("t", start=True))
        await asyncio.sleep(1)
        store.failing = 1
        await asyncio.sleep(10)
        assert state(hub) is TaskState.RUNNING
        await asyncio.sleep(6)
        assert state(hub) is TaskState.LOST


@instant
async def test_a_worker_that_speaks_while_its_parent_is_looked_for_is_not_lost() -> None:
    """The parent has finished long ago and is read from the store, which takes its time."""
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("p", total=None), create("c", parent="p", start=True), r.Succeed(task="p"))
        del hub.records.tasks["p"]
        wheel_time = asyncio.get_running_loop().time
        started = wheel_time()
        await asyncio.sleep(0)
        watching = hub._liveness
        watching._turn("c")
        task = hub.records.tasks["c"]
        losing = asyncio.create_task(watching._lose(task))
        await asyncio.sleep(0.0005)
        assert wheel_time() > started
        await send(hub, tick("c", 70))
        await losing
        assert (state(hub, "c"), shown(hub, "c").progress.done) == (TaskState.RUNNING, 70)  # type: ignore[union-attr]


@instant
async def test_a_lost_child_is_counted_by_a_parent_that_was_let_go_of() -> None:
    store = SlowStore()
    async with running(store, SETTINGS) as hub:
        await send(hub, create("p", total=None), create("c", parent="p", start=True), r.Succeed(task="p"))
        del hub.records.tasks["p"]
        await asyncio.sleep(11)
        await send(hub, tick("c", 1))
        parent = shown(hub, "p")
        assert parent is not None
        assert parent.children == await recount(hub, store, parent)


@instant
async def test_a_patient_task_that_has_ended_is_soon_forgotten() -> None:
    async with running() as hub:
        await send(
            hub, create("t", start=True, lost_after=86_400.0), create("u", start=True, lost_after=86_400.0)
        )
        await send(hub, r.Succeed(task="t"))
        await asyncio.sleep(100)
        assert hub._liveness._watched == {"u"}
