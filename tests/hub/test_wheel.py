"""Turns: never early, at most a slot late, soonest first, and no one's failure is another's."""

from __future__ import annotations

import asyncio
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.hub.wheel import Wheel
from tests.hub.world import InstantLoop, instant


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30), st.floats(0, 10_000))
def test_no_turn_is_early_and_none_more_than_a_slot_late(delays: list[float], start: float) -> None:
    turns: list[tuple[float, float]] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, InstantLoop)
        loop.now = start
        wheel = Wheel(loop)
        for delay in delays:
            due = loop.time() + delay
            wheel.schedule(delay, lambda due=due: turns.append((due, loop.time())))  # type: ignore[misc]
        await asyncio.sleep(101)

    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        runner.run(scenario())
    assert len(turns) == len(delays)
    for due, when in turns:
        assert due - 1e-6 <= when <= due + 0.0101
    assert [when for _, when in turns] == sorted(when for _, when in turns)


@instant
async def test_a_turn_can_ask_for_another_and_for_a_sooner_one() -> None:
    wheel = Wheel(asyncio.get_running_loop())
    order: list[str] = []
    wheel.schedule(5, lambda: order.append("late"))

    def first() -> None:
        order.append("first")
        wheel.schedule(1, lambda: order.append("second"))

    wheel.schedule(1, first)
    await asyncio.sleep(6)
    assert order == ["first", "second", "late"]


@instant
async def test_a_turn_that_fails_is_logged_and_the_others_of_its_slot_have_theirs() -> None:
    wheel = Wheel(asyncio.get_running_loop())
    done = asyncio.Event()
    logging.disable(logging.CRITICAL)
    try:
        wheel.schedule(0.5, lambda: 1 / 0)
        wheel.schedule(0.5, done.set)
        await asyncio.sleep(1)
    finally:
        logging.disable(logging.NOTSET)
    assert done.is_set()


@instant
async def test_after_stop_there_are_no_turns_and_no_new_ones() -> None:
    wheel = Wheel(asyncio.get_running_loop())
    turns: list[str] = []
    wheel.schedule(1, lambda: turns.append("before"))
    wheel.stop()
    wheel.schedule(1, lambda: turns.append("after"))
    await asyncio.sleep(3)
    assert turns == []


@pytest.mark.parametrize("slot", [29, 57, 58, 113, 1001])
def test_a_slot_whose_time_divides_badly_has_its_turn_at_once(slot: int) -> None:
    """0.29 / 0.01 is below 29: the turn must not be asked for again and again until time moves on."""
    calls = 0

    async def scenario() -> None:
        nonlocal calls
        loop = asyncio.get_running_loop()
        assert isinstance(loop, InstantLoop)
        wheel = Wheel(loop)
        loop.now = (slot - 1) * 0.01
        turned = asyncio.Event()
        arm = wheel._arm

        def counted() -> None:
            nonlocal calls
            calls += 1
            assert calls < 5, "the wheel spins"
            arm()

        wheel.schedule(0.0, turned.set)
        handle, wheel._handle = wheel._handle, None
        assert handle is not None
        handle.cancel()
        loop.now = wheel._due[0] * 0.01
        wheel._run()
        assert turned.is_set()

    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        runner.run(scenario())
