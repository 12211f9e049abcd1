"""How many notifications are kept of each channel, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from headway.errors import StoreUnavailable
from headway.model import report as r
from headway.ports.store import NotificationPage, NotificationQuery, Tombstone, Writes
from tests.hub.scenes import create, follow, note, running, send
from tests.hub.test_inbox import AGE, KEPT, SMALL, listed, unread
from tests.hub.world import ADA, BOB, SlowStore, instant


class Clinging(SlowStore):
    """Removes nothing, as long as it clings."""

    clings = True

    def write(self, writes: Writes) -> Coroutine[Any, Any, None]:
        if self.clings and any(isinstance(record, Tombstone) for record in writes.records):
            raise StoreUnavailable
        return super().write(writes)


class Counting(SlowStore):
    """Says how often inboxes were counted, and holds one of them up until the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.counted = 0
        self.held = ""
        self.gate = asyncio.Event()

    async def notifications(self, query: NotificationQuery) -> NotificationPage:
        self.counted += bool(query.skip)
        if query.channel == self.held:
            await self.gate.wait()
        return await self._read(super().notifications(query))


class TestRetention:
    @instant
    async def test_the_oldest_go_first_and_every_view_hears_of_it(self) -> None:
        async with running(settings=SMALL) as hub:
            link, _, _ = follow(hub, channel="user:ada")
            for n in range(KEPT + 5):
                await hub.report(ADA, note(f"n{n:02}"))
                await asyncio.sleep(1)
            assert await listed(hub) == [f"n{n:02}" for n in reversed(range(5, KEPT + 5))]
            assert unread(link) == KEPT
            gone = [
                message["removed"]
                for message in link.messages
                if "removed" in message and "cursor" in message
            ]
            assert [which for which in gone if which][-5:] == [f"n{n:02}" for n in range(5)]

    @instant
    async def test_a_batch_of_more_than_are_kept_leaves_as_many_as_are_kept(self) -> None:
        async with running(settings=SMALL) as hub:
            await send(hub, *(note(f"n{n}") for n in range(500)))
            assert len(await listed(hub)) == KEPT
            assert await hub.inbox.unread(ADA, "user:ada") == KEPT

    @instant
    async def test_many_that_come_at_once_make_room_together(self) -> None:
        store = Counting()
        async with running(store, SMALL) as hub:
            await send(hub, *(note(f"n{n}") for n in range(KEPT)))
            before = store.counted
            await asyncio.gather(*(hub.report(ADA, note(f"m{n}")) for n in range(50)))
            assert len(await listed(hub)) == KEPT
            assert store.counted - before < 10

    @instant
    async def test_those_whose_producers_gave_up_count_too(self) -> None:
        store = SlowStore()
        async with running(store, SMALL) as hub:
            for n in range(KEPT * 3):
                store.hold = True
                reporting = asyncio.create_task(hub.report(ADA, note(f"n{n:02}")))
                await asyncio.sleep(0.1)
                reporting.cancel()
                store.hold = False
                store.release()
                await asyncio.sleep(0.1)
            assert len(await listed(hub)) == KEPT

    @instant
    async def test_one_inbox_does_not_wait_for_another(self) -> None:
        store = Counting()
        async with running(store, SMALL) as hub:
            await send(hub, *(note(f"n{n}") for n in range(KEPT)))
            await send(hub, *(note(f"b{n}") for n in range(KEPT)), grant=BOB)
            store.held = "user:ada"
            waiting = asyncio.create_task(hub.report(ADA, note("one-more")))
            await asyncio.sleep(1)
            await hub.report(BOB, note("another"))
            assert not waiting.done()
            store.gate.set()
            await waiting
            assert len(await listed(hub)) == len(await listed(hub, BOB)) == KEPT

    @instant
    async def test_others_keep_theirs(self) -> None:
        async with running(settings=SMALL) as hub:
            await send(hub, note("b"), grant=BOB)
            await send(hub, *(note(f"n{n}") for n in range(20)))
            assert await listed(hub, BOB) == ["b"]

    @instant
    async def test_what_could_not_go_goes_with_the_next_one(self) -> None:
        store = Clinging()
        async with running(store, SMALL) as hub:
            await send(hub, *(note(f"n{n}") for n in range(KEPT + 1)))
            assert len(await listed(hub)) == KEPT + 1
            store.clings = False
            await send(hub, note("more"))
            assert len(await listed(hub)) == KEPT

    @instant
    async def test_old_ones_go_unless_they_have_become_news(self) -> None:
        async with running(settings=SMALL) as hub:
            await send(hub, note("old"), create("t", notify="ongoing", start=True))
            await asyncio.sleep(AGE)
            await send(hub, note("new"), r.Succeed(task="t"))
            await asyncio.sleep(60)
            assert len(await listed(hub)) == 2
            assert "old" not in await listed(hub)
            assert await hub.inbox.unread(ADA, "user:ada") == 2
