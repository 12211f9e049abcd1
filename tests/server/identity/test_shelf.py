"""Documents that every process has in memory: there after a restart, in step, and gone where they could not be written."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from headway.buses.memory import MemoryBus
from headway.errors import StoreUnavailable
from headway.ports.store import Document
from headway.server.identity.shelf import Shelf
from headway.stores.memory import MemoryStore
from tests.hub.world import SlowStore, instant


class Thing(msgspec.Struct, frozen=True):
    text: str


class LateStore(MemoryStore):
    """Answers what it has read only when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[asyncio.Event] = []

    async def document(self, kind: str, document_id: str) -> Document | None:
        found = await super().document(kind, document_id)
        self.reads.append(asyncio.Event())
        await self.reads[-1].wait()
        return found


async def settled(shelf: Shelf[Thing]) -> None:
    await asyncio.gather(*shelf._reloading)


async def test_what_is_put_is_in_every_process_and_there_after_a_restart() -> None:
    store, bus = MemoryStore(), MemoryBus()
    await store.open()
    here, there = Shelf(store, bus, "thing", Thing), Shelf(store, bus, "thing", Thing)
    for number in range(3):
        await here.put(f"t{number}", Thing(f"{number}"))
    await settled(there)
    await here.take("t1")
    await settled(there)
    again = Shelf(store, MemoryBus(), "thing", Thing)
    await again.open()
    assert here.items == there.items == again.items == {"t0": Thing("0"), "t2": Thing("2")}
    for shelf in (here, there):
        await shelf.close()


@instant
async def test_what_is_being_written_counts_and_what_could_not_be_is_gone() -> None:
    store = SlowStore()
    await store.open()
    shelf = Shelf(store, MemoryBus(), "thing", Thing)
    store.hold = True
    putting = asyncio.create_task(shelf.put("t", Thing("x")))
    await asyncio.sleep(0.01)
    assert set(shelf.items) == {"t"}
    store.release(fail=True)
    with pytest.raises(StoreUnavailable):
        await putting
    assert shelf.items == {}


@instant
async def test_what_was_read_before_it_was_taken_does_not_come_back() -> None:
    store = LateStore()
    await store.open()
    shelf = Shelf(store, MemoryBus(), "thing", Thing)
    await shelf.put("t", Thing("x"))
    await asyncio.sleep(0.01)
    await shelf.take("t")
    await asyncio.sleep(0.01)
    for read in reversed(store.reads):
        read.set()
        await asyncio.sleep(0.01)
    for read in store.reads:
        read.set()
    await settled(shelf)
    assert shelf.items == {}
