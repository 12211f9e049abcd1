"""Loops that become tasks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

import headway
from headway.model.report import Cancel, Create, Fail, Stopped, Succeed, TickReport
from tests.worker.far_end import FarEnd


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        await asyncio.sleep(0)
        yield number


def ending(far: FarEnd) -> list[object]:
    assert headway.flush(10)
    return [report for report in far.reports if isinstance(report, Succeed | Fail | Cancel | Stopped)]


def test_the_final_count_is_exact(far: FarEnd) -> None:
    assert sum(headway.track(range(100_000), "Adding", unit="numbers")) == sum(range(100_000))

    assert isinstance(ending(far)[0], Succeed)
    assert far.of(Create)[0].total == 100_000
    assert far.of(Create)[0].unit == "numbers"
    assert far.of(TickReport)[-1].done == 100_000


def test_a_total_that_was_a_guess_becomes_what_was_counted(far: FarEnd) -> None:
    list(headway.track(iter(range(7)), "Guess", 10))
    ending(far)
    assert (far.of(TickReport)[-1].done, far.of(TickReport)[-1].total) == (7, 7)


def test_each_iteration_is_a_task_and_the_title_comes_from_the_caller(far: FarEnd) -> None:
    tracked = headway.track([1, 2])
    assert list(tracked) == list(tracked)
    ending(far)
    creates = far.of(Create)
    assert len({create.task for create in creates}) == 2
    assert creates[0].title == "Test each iteration is a task and the title comes from the caller"


def test_break_and_return_end_it_with_what_was_reached(far: FarEnd) -> None:
    for number in headway.track(range(10)):
        if number == 3:
            break

    def find() -> int | None:
        for number in headway.track(range(10)):
            if number == 4:
                return number
        return None

    find()
    assert [type(report) for report in ending(far)] == [Succeed, Succeed]
    assert [(tick.done, tick.total) for tick in far.of(TickReport) if tick.total] == [(3, 3), (4, 4)]


def bad(number: int) -> None:
    if number == 2:
        raise ValueError("bad row")


def test_an_exception_in_the_body_fails_it(far: FarEnd) -> None:
    def plain() -> None:
        for number in headway.track(range(5)):
            bad(number)

    def kept() -> None:
        rows = headway.track(range(5))
        for number in rows:
            if number == 2:
                raise ValueError

    def enumerated() -> None:
        for _, number in enumerate(headway.track(range(5))):
            bad(number)

    def caught() -> None:
        try:
            for number in headway.track(range(5)):
                bad(number)
        except ValueError:
            pass

    def through_a_generator() -> None:
        def rows() -> Iterator[int]:
            yield from headway.track(range(5))

        for number in rows():
            bad(number)

    def with_finally() -> None:
        for number in headway.track(range(5)):
            try:
                bad(number)
            finally:
                pass

    for body in (plain, kept, enumerated, caught, through_a_generator, with_finally):
        with contextlib.suppress(ValueError):
            body()

    endings = ending(far)
    assert [type(report) for report in endings] == [Fail] * 6
    assert all("test_track.py, line" in report.error for report in endings if isinstance(report, Fail))
    assert far.of(TickReport)[-1].done == 2


def test_a_generator_around_it_that_is_left_by_break_has_succeeded(far: FarEnd) -> None:
    def rows() -> Iterator[int]:
        for number in headway.track(range(5)):
            yield number * 2

    for number in rows():
        if number == 4:
            break
    assert any(number == 4 for number in rows())
    assert [type(report) for report in ending(far)] == [Succeed, Succeed]


def test_an_exception_of_the_iterable_is_known_by_its_message(far: FarEnd) -> None:
    def rows() -> Iterator[int]:
        yield 1
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        list(headway.track(rows()))
    assert [report.error for report in ending(far) if isinstance(report, Fail)] == ["OSError: disk gone"]


def test_in_the_body_the_task_is_the_ambient_one_and_loops_nest(far: FarEnd) -> None:
    inner = None
    with headway.task("Outer") as outer:
        for _ in headway.track([1], "Loop"):
            inner = headway.current()
            assert inner is not None
            assert inner is not outer
            headway.progress(message="inside")
        assert headway.current() is outer
    assert headway.current() is None
    ending(far)
    assert inner is not None
    assert far.of(Create)[1].parent == outer.id
    assert "inside" in {tick.message for tick in far.of(TickReport) if tick.task == inner.id}


def test_loops_side_by_side_leave_no_task_behind() -> None:
    for _ in zip(headway.track([1, 2, 3]), headway.track([1, 2]), strict=False):
        pass
    assert headway.current() is None


def test_cancelling_stops_the_loop_at_its_next_item(far: FarEnd) -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    def job(speaks: bool) -> None:
        for _ in headway.track(endless(), "Loop", id="loop"):
            with contextlib.suppress(Exception):
                if speaks:
                    headway.progress(message="working")

    far.states = {"loop": ("cancelled", 1)}
    for speaks in (False, True):
        with pytest.raises(headway.Cancelled) as raised:
            job(speaks)
        assert raised.value.task == "loop"
    assert [type(report) for report in ending(far)] == [Stopped, Stopped]


def test_cancelling_the_task_around_stops_the_loop_inside(far: FarEnd) -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    def job() -> None:
        with headway.task("Outer", id="outer") as outer:
            for index, _ in enumerate(headway.track(endless(), "Inner", id="inner")):
                far.states = {"outer": ("cancelled", 1)}
                with contextlib.suppress(headway.Cancelled):
                    outer.message(f"tell me {index}")

    with pytest.raises(headway.Cancelled):
        job()
    stopped = [report.task for report in ending(far) if isinstance(report, Stopped)]
    assert stopped == ["inner", "outer"]


def test_pausing_holds_the_loop_until_it_is_resumed(far: FarEnd) -> None:
    def rows() -> Iterator[int]:
        for number in range(1000):
            if number == 1:
                far.until(lambda: far.requests)
            yield number

    far.states = {"loop": ("paused", 1)}
    count = 0
    for _ in headway.track(rows(), "Loop", id="loop"):
        count += 1
        handle = headway.current()
        assert handle is not None
        if count == 1:
            while not handle.paused:
                far.until(lambda: far.requests)
            requests = far.requests
            far.states = {}
    assert count == 1000
    assert far.requests > requests


async def test_asynchronous_loops(far: FarEnd) -> None:
    async for _ in headway.track(numbers(50), "All"):
        assert headway.current() is not None
    async for number in headway.track(numbers(50), "Some"):
        if number == 3:
            break

    async def fails() -> None:
        async for number in headway.track(numbers(50), "Bad"):
            await asyncio.sleep(0)
            bad(number)

    with pytest.raises(ValueError, match="bad row"):
        await fails()
    assert headway.current() is None

    endings = await asyncio.to_thread(ending, far)
    assert [type(report) for report in endings] == [Succeed, Succeed, Fail]
    last = {tick.task: tick.done for tick in far.of(TickReport)}
    assert list(last.values()) == [50, 3, 2]


async def test_a_cancelled_coroutine_cancels_its_task(far: FarEnd) -> None:
    async def job() -> None:
        async with headway.task("Job", id="job"):
            await asyncio.sleep(60)

    running = asyncio.create_task(job())
    await asyncio.to_thread(far.until, lambda: far.batches)
    await asyncio.to_thread(headway.flush, 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await asyncio.to_thread(ending, far) == [
        Cancel("job", attempt=1),
        Stopped("job", attempt=1),
    ]


async def test_an_asynchronous_loop_waits_without_holding_others_up(far: FarEnd) -> None:
    far.states = {"loop": ("paused", 1)}
    others = 0

    async def job() -> int:
        count = 0
        async for _ in headway.track(numbers(500), "Loop", id="loop"):
            count += 1
            handle = headway.current()
            while count == 1 and handle is not None and not handle.paused:
                await asyncio.sleep(0.001)
        return count

    running = asyncio.create_task(job())
    while not running.done():
        await asyncio.sleep(0.001)
        others += 1
        if others == 100:
            assert not running.done()
            far.states = {}
    assert await running == 500
    assert others > 100
