"""What is written behind: soon, the newest alone, again after a failure, and whoever waits for it."""

from __future__ import annotations

import asyncio

from headway.model import report as r
from tests.hub.scenes import create, running, send, shown, tick
from tests.hub.world import ADA, SlowStore, instant


def line(text: str) -> r.Log:
    return r.Log(task="t", lines=(r.LogLine(text),))


@instant
async def test_ticks_are_written_behind_soon_and_only_the_newest() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True))
        before = store.written
        for done in range(20):
            await send(hub, tick("t", done))
        await asyncio.sleep(0.5)
        assert store.written == before + 1
        assert (await store.task("t")).progress.done == 19


@instant
async def test_ticks_that_could_not_be_written_are_tried_again() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True))
        store.failing = 2
        await send(hub, tick("t", 5), r.Log(task="t", lines=(r.LogLine("x"),)))
        await asyncio.sleep(4)
        assert (await store.task("t")).progress.done == 5
        assert [entry.text for entry in await store.log("t", 0, 10)] == ["x"]


@instant
async def test_the_store_is_asked_in_the_order_of_revisions() -> None:
    """A tick that is written behind must not be overwritten by the fact before it."""
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True))
        for done in range(1, 60, 2):
            await send(hub, tick("t", done))
            await asyncio.sleep(0.245)
            await asyncio.gather(send(hub, r.Pause(task="t")), send(hub, tick("t", done + 1)))
            await send(hub, r.Resume(task="t"))
        await asyncio.sleep(1)
        assert await store.task("t") == shown(hub, "t")


@instant
async def test_who_gives_up_waiting_for_a_write_takes_nothing_of_it_away() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True))
        store.hold = True
        await send(hub, tick("t", 5), line("x"))
        await asyncio.sleep(1)
        # It is being written; two who want to read from the store wait for that, and one of them goes.
        reading = [asyncio.create_task(hub.log(ADA, "t", -1, 10)) for _ in range(2)]
        await asyncio.sleep(0.01)
        reading[0].cancel()
        await asyncio.sleep(0.01)
        store.hold = False
        store.release(fail=True)
        await reading[1]
        await asyncio.sleep(3)
        assert (await store.task("t")).progress.done == 5
        assert [entry.text for entry in await store.log("t", 0, 10)] == ["x"]


@instant
async def test_who_gives_up_a_write_that_is_its_own_takes_nothing_of_it_away() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True))
        store.hold = True
        await send(hub, tick("t", 5), line("x"))
        reading = asyncio.create_task(hub.log(ADA, "t", -1, 10))
        await asyncio.sleep(0.01)
        reading.cancel()
        await asyncio.sleep(0.01)
        store.hold = False
        store.release(fail=True)
        await asyncio.sleep(3)
        assert (await store.task("t")).progress.done == 5
        assert [entry.text for entry in await store.log("t", 0, 10)] == ["x"]


@instant
async def test_what_is_owed_is_known_while_it_is_written() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True))
        channel = hub.records.channels["user:ada"]
        await send(hub, tick("t", 5))
        store.hold = True
        flushes = [asyncio.create_task(hub.log(ADA, "t", -1, 10)) for _ in range(2)]
        await asyncio.sleep(0.01)
        await send(hub, tick("t", 6))
        # The next turn comes while the first write is still going on.
        await asyncio.sleep(1)
        store.release()
        await asyncio.sleep(0.2)
        assert hub._ledger.owes(channel)
        store.hold = False
        store.release()
        await asyncio.gather(*flushes)
        await asyncio.sleep(1)
        assert not hub._ledger.owes(channel)
        assert await store.task("t") == shown(hub, "t")
