"""What reports need is read first: from channels that may be used alone, and as it is when that is done."""

from __future__ import annotations

import asyncio

from headway.hub.hub import HubSettings
from headway.model import report as r
from tests.hub.scenes import codes, create, note, running, send, tick
from tests.hub.world import ADA, SlowStore, instant, small_bounds

SMALL = HubSettings(bounds=small_bounds)


@instant
async def test_whoever_may_not_use_a_channel_does_not_make_us_hold_it() -> None:
    async with running() as hub:
        answer = await send(
            hub, *(create(f"t{n}", channel=f"project:{n}") for n in range(5)), note("n", user="bob")
        )
        assert set(codes(answer).values()) == {105}
        assert set(hub.records.channels) <= {"user:ada"}


class TestRemovedMeanwhile:
    """A request that looks up much takes a moment, and what it has found can be gone by then."""

    @staticmethod
    def slow() -> list[r.Report]:
        """Reports that have to be looked up one by one."""
        return [create(f"new{n}", idempotency_key=f"k{n}") for n in range(20)]

    @instant
    async def test_a_task_does_not_come_back(self) -> None:
        store = SlowStore()
        async with running(store, SMALL) as hub:
            await send(hub, create("t"), r.Fail(task="t"))
            for n in range(12):
                await send(hub, create(f"t{n}"), r.Succeed(task=f"t{n}"))
            assert "t" not in hub.records.tasks
            answer, _ = await asyncio.gather(send(hub, r.Retry(task="t"), *self.slow()), hub.remove(ADA, "t"))
            assert codes(answer) == {0: 104}
            await asyncio.sleep(1)
            assert await store.task("t") is None

    @instant
    async def test_a_parent_does_not_come_back_by_its_child(self) -> None:
        store = SlowStore()
        async with running(store, SMALL) as hub:
            await send(hub, create("p", total=None), create("c", parent="p"), r.Fail(task="p"))
            for n in range(12):
                await send(hub, create(f"t{n}"), r.Succeed(task=f"t{n}"))
            assert "p" not in hub.records.tasks
            answer, _ = await asyncio.gather(send(hub, tick("c", 5), *self.slow()), hub.remove(ADA, "p"))
            assert codes(answer) == {}
            await asyncio.sleep(1)
            assert await store.task("p") is None
