"""What `headway.ports.bus` promises, asked of every adapter that needs no server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.buses.memory import MemoryBus
from headway.errors import StoreUnavailable


class Notebook:
    """What is durable: the highest ceiling. It can be slow, and out of order."""

    def __init__(self) -> None:
        self.ceiling = 1
        self.reserved = 0
        self.failing = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def reserve(self, ceiling: int) -> None:
        await self.gate.wait()
        if self.failing:
            raise StoreUnavailable
        self.reserved += 1
        self.ceiling = max(self.ceiling, ceiling)


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
async def bus(notebook: Notebook) -> AsyncIterator[MemoryBus]:
    bus = MemoryBus(block=10)
    await bus.open(notebook.ceiling, notebook.reserve)
    yield bus
    await bus.close()


async def test_revisions_of_a_channel_strictly_increase(bus: MemoryBus) -> None:
    last = 0
    for count in [1, 3, 1, 50, 2, 7] * 5:
        first = await bus.stamp("user:ada", count)
        assert first > last
        last = first + count - 1


async def test_nothing_is_given_out_that_was_not_reserved_before(bus: MemoryBus, notebook: Notebook) -> None:
    for count in [1, 9, 25, 1, 100]:
        first = await bus.stamp("user:ada", count)
        assert first + count <= notebook.ceiling


@given(st.lists(st.lists(st.integers(1, 30), max_size=6), min_size=1, max_size=5), st.integers(1, 20))
def test_a_restart_goes_on_above_all_that_was_given_out(lives: list[list[int]], block: int) -> None:
    async def scenario() -> None:
        notebook, last = Notebook(), 0
        for counts in lives:
            bus = MemoryBus(block)
            await bus.open(notebook.ceiling, notebook.reserve)
            for count in counts:
                first = await bus.stamp("user:ada", count)
                assert first > last
                last = first + count - 1
                await asyncio.sleep(0)
            await bus.close()

    asyncio.run(scenario())


async def test_while_revisions_are_left_a_stamp_does_not_wait(bus: MemoryBus, notebook: Notebook) -> None:
    notebook.gate.clear()
    stamping = bus.stamp("user:ada", 5)
    with pytest.raises(StopIteration):
        stamping.send(None)


async def test_who_finds_no_revisions_is_told_and_nothing_is_taken(
    bus: MemoryBus, notebook: Notebook
) -> None:
    first = await bus.stamp("user:ada", 1)
    notebook.failing = True
    with pytest.raises(StoreUnavailable):
        await bus.stamp("user:ada", 100)
    # What was reserved before is still there.
    assert await bus.stamp("user:ada", 1) == first + 1
    notebook.failing = False
    assert await bus.stamp("user:ada", 100) == first + 2


async def test_many_at_once_get_revisions_of_their_own(bus: MemoryBus, notebook: Notebook) -> None:
    notebook.gate.clear()
    asking = [asyncio.create_task(bus.stamp(f"user:{n % 3}", 4)) for n in range(50)]
    await asyncio.sleep(0)
    notebook.gate.set()
    taken = [rev for first in await asyncio.gather(*asking) for rev in range(first, first + 4)]
    assert len(set(taken)) == 200
    assert max(taken) < notebook.ceiling


async def test_one_who_gives_up_takes_nothing_from_the_others(bus: MemoryBus, notebook: Notebook) -> None:
    notebook.gate.clear()
    asking = [asyncio.create_task(bus.stamp("user:ada", 30)) for _ in range(3)]
    await asyncio.sleep(0)
    asking[0].cancel()
    notebook.gate.set()
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert abs(int(results[1]) - int(results[2])) == 30  # type: ignore[arg-type]


async def test_it_reserves_ahead_so_that_nobody_waits_later(notebook: Notebook) -> None:
    bus = MemoryBus(block=1000)
    await bus.open(1, notebook.reserve)
    for _ in range(5000):
        stamping = bus.stamp("user:ada", 1)
        with pytest.raises(StopIteration):
            stamping.send(None)
        await asyncio.sleep(0)
    await bus.close()
    assert notebook.reserved <= 12


async def test_a_failed_reservation_ahead_is_tried_again(bus: MemoryBus, notebook: Notebook) -> None:
    notebook.failing = True
    for _ in range(8):
        await bus.stamp("user:ada", 1)
        await asyncio.sleep(0)
    notebook.failing = False
    first = await bus.stamp("user:ada", 1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert notebook.ceiling > first + 10


async def test_closing_twice_is_closing_once(bus: MemoryBus, notebook: Notebook) -> None:
    notebook.gate.clear()
    await bus.stamp("user:ada", 8)
    await bus.close()
    await bus.close()


async def test_what_is_announced_is_heard_by_all_who_listen_and_in_order(bus: MemoryBus) -> None:
    first: list[str] = []
    second: list[str] = []
    bus.listen("revoked", first.append)
    bus.listen("revoked", second.append)
    bus.listen("other", lambda _: pytest.fail("it was not for this subject"))
    for text in ("a", "b", "c"):
        await bus.announce("revoked", text)
    assert first == second == ["a", "b", "c"]
    await bus.announce("nobody listens", "d")
