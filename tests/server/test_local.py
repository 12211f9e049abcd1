"""What is reported in the server's own process: from its loop, from threads, and while it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import headway
from headway.model.grant import Ability, Grant
from headway.model.task import TaskState
from headway.ports.store import TaskQuery
from headway.server.app import Headway
from headway.server.settings import load_settings
from headway.worker import delivery
from headway.worker.discovery import Settings


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A process that has reported nothing yet, whatever tests before this one left in it."""
    monkeypatch.setenv("HEADWAY_RUNTIME_DIR", str(tmp_path / "runtime"))
    before = delivery._process
    delivery._process = delivery._Process(Settings())
    yield
    delivery._process.settings.enabled = False
    delivery._process.given = None
    delivery._process.courier.hurry()
    delivery._process = before


EVERYTHING = Grant("local", can=frozenset(Ability))


def make(folder: Path) -> Headway:
    return Headway(load_settings(None, data=folder))


async def states(hw: Headway) -> dict[str, TaskState]:
    page = await hw.hub.tasks(EVERYTHING, TaskQuery(channels=None, limit=100))
    return {task.title: task.state for task in page.tasks}


async def in_the_loop(title: str) -> None:
    async with headway.task(title, total=3, channel="user:ada") as task:
        for _ in range(3):
            task.advance()
            await asyncio.sleep(0)


def in_a_thread(title: str) -> None:
    for _ in headway.track(range(3), title):
        pass


async def test_the_loop_and_threads_reach_the_hub(tmp_path: Path) -> None:
    hw = make(tmp_path)
    async with hw.lifespan():
        await asyncio.gather(
            *(in_the_loop(f"loop {n}") for n in range(5)),
            *(asyncio.to_thread(in_a_thread, f"thread {n}") for n in range(5)),
        )
        assert await asyncio.to_thread(headway.flush)
        assert delivery.stats().server == "the server in this process"
        assert await states(hw) == {
            f"{place} {n}": TaskState.SUCCEEDED for place in ("loop", "thread") for n in range(5)
        }


async def test_what_was_reported_last_is_kept_when_it_stops(tmp_path: Path) -> None:
    hw = make(tmp_path)
    async with hw.lifespan():
        await in_the_loop("just before the end")
    async with hw.lifespan():
        assert await states(hw) == {"just before the end": TaskState.SUCCEEDED}


async def test_flushing_in_the_loop_itself_ends(tmp_path: Path) -> None:
    hw = make(tmp_path)
    async with hw.lifespan():
        await in_the_loop("mine")
        # The loop cannot take a batch while it waits here: this gives up, and nothing is lost.
        assert not headway.flush(0.2)
        assert await asyncio.to_thread(headway.flush)
        assert await states(hw) == {"mine": TaskState.SUCCEEDED}


async def test_the_one_that_was_started_last_gets_the_reports(tmp_path: Path) -> None:
    first, second = make(tmp_path / "1"), make(tmp_path / "2")
    async with first.lifespan():
        async with second.lifespan():
            await in_the_loop("to the second")
            assert await asyncio.to_thread(headway.flush)
            assert (await states(first), list(await states(second))) == ({}, ["to the second"])
        await in_the_loop("to the first")
        assert await asyncio.to_thread(headway.flush)
        assert list(await states(first)) == ["to the first"]


async def test_the_one_that_was_started_first_may_stop_first(tmp_path: Path) -> None:
    first, second = make(tmp_path / "1"), make(tmp_path / "2")
    await first.start()
    await second.start()
    await first.stop()
    await in_the_loop("to the second")
    await second.stop()
    async with second.lifespan():
        assert list(await states(second)) == ["to the second"]


def test_a_loop_that_ended_without_stopping_holds_nobody(tmp_path: Path) -> None:
    hw = make(tmp_path)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(hw.start())
    # It does not run any more, and was never stopped.
    headway.notify("ada", "Is anybody there?")
    assert not headway.flush(0.3)
    loop.run_until_complete(hw.stop())
    loop.close()


@pytest.fixture(autouse=True)
def _no_other_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_RUNTIME_DIR", str(tmp_path / "runtime"))
    for name in ("HEADWAY_URL", "HEADWAY_TOKEN", "HEADWAY_SPOOL"):
        monkeypatch.delenv(name, raising=False)
