"""Documents that every process has in memory: there after a restart, in step, and gone where they could not be written."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from headway.buses.memory import MemoryBus
from headway.errors import StoreUnavailable
from headway.server.identity.shelf import Shelf
from headway.stores.memory import MemoryStore
from tests.hub.world import SlowStore, instant


class Thing(msgspec.Struct, frozen=True):
    text: str


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
