"""When a group cannot be written: another program holds the lock, or the disk is full."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headway.errors import ConfigurationError, StoreUnavailable
from headway.ports.store import TaskQuery, Writes
from headway.stores.sqlite import SqliteStore
from tests.contract.store_records import make_task
from tests.stores.locks import exclusive_lock


class TestLocked:
    async def test_it_fails_soon_with_a_sentence_that_says_what_to_do(
        self, store: SqliteStore, path: Path
    ) -> None:
        with exclusive_lock(path):
            began = time.monotonic()
            with pytest.raises(
                StoreUnavailable, match=r"another program holds its lock\. End that program"
            ) as caught:
                await store.write(Writes([make_task("t")]))
            assert time.monotonic() - began < 5
        assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
        assert str(path) in caught.value.message

    async def test_all_that_waits_behind_fails_too_and_has_no_effect(
        self, store: SqliteStore, path: Path
    ) -> None:
        await store.write(Writes([make_task("before")]))
        with exclusive_lock(path):
            writes = [asyncio.ensure_future(store.write(Writes([make_task("first", 2)])))]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            writes += [asyncio.ensure_future(store.write(Writes([make_task(f"t{n}", n)]))) for n in range(20)]
            reserved = asyncio.ensure_future(store.reserve(99))
            results = await asyncio.gather(*writes, reserved, return_exceptions=True)
        assert [type(result) for result in results] == [StoreUnavailable] * 22
        assert all(isinstance(result.__cause__, sqlite3.Error) for result in results)  # type: ignore[union-attr]
        assert [task.id for task in (await store.tasks(TaskQuery(None))).tasks] == ["before"]

        await store.write(Writes([make_task("after", 3)]))
        assert await store.task("after") == make_task("after", 3)
        await store.close()
        assert (await store.open()).ceiling == 1

    async def test_each_failure_is_an_error_of_its_own(self, store: SqliteStore, path: Path) -> None:
        # One exception raised in many tasks would gather their tracebacks.
        with exclusive_lock(path):
            writes = [asyncio.ensure_future(store.write(Writes([make_task(name)]))) for name in "ab"]
            await asyncio.wait(writes)
        first, second = (write.exception() for write in writes)
        assert isinstance(first, StoreUnavailable)
        assert first is not second

    async def test_readers_go_on(self, store: SqliteStore, path: Path) -> None:
        await store.write(Writes([make_task("t")]))
        with exclusive_lock(path):
            waiting = asyncio.ensure_future(store.write(Writes([make_task("t", 2)])))
            assert await store.task("t") == make_task("t")
            assert not waiting.done()
            with pytest.raises(StoreUnavailable):
                await waiting

    async def test_closing_ends_although_the_last_write_fails(self, store: SqliteStore, path: Path) -> None:
        with exclusive_lock(path):
            waiting = asyncio.ensure_future(store.write(Writes([make_task("t")])))
            await asyncio.sleep(0)
            await store.close()
            with pytest.raises(StoreUnavailable, match="lock"):
                await waiting

    async def test_a_database_that_is_locked_cannot_be_opened(self, path: Path, store: SqliteStore) -> None:
        await store.close()
        with exclusive_lock(path), pytest.raises(ConfigurationError, match="another program holds its lock"):
            await store.open()


class TestFull:
    async def test_a_full_database_fails_the_group_and_loses_nothing(self, store: SqliteStore) -> None:
        connection = store._writer._connection
        assert connection is not None
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages + 40}").fetchone()

        acknowledged, error = await write_until_full(store)
        assert "disk is full. Free some space" in error.message
        assert isinstance(error.__cause__, sqlite3.OperationalError)
        await assert_just(store, acknowledged)

        # The new connection has no such limit, as if space had been freed.
        after = make_task("after", meta={"blob": "x" * 3000})
        await store.write(Writes([after]))
        assert await store.task("after") == after

    @pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a file system")
    async def test_a_full_disk_fails_until_there_is_space(self, tmp_path: Path) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(disk)]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("may not mount")
        try:
            await _fill(disk)
        finally:
            subprocess.run(["umount", str(disk)], check=True)


async def _fill(disk: Path) -> None:
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(500_000))
    store = SqliteStore(disk / "headway.db")
    await store.open()
    acknowledged, error = await write_until_full(store)
    assert re.search(r"its disk is full\. Free some space|disk reported an error\. Check", error.message)
    await assert_just(store, acknowledged)
    ballast.unlink()
    await store.write(Writes([make_task("after")]))
    await store.close()
    await store.open()
    assert await store.task("after") == make_task("after")
    await assert_just(store, acknowledged)
    await store.close()


async def write_until_full(store: SqliteStore) -> tuple[int, StoreUnavailable]:
    """How many tasks were acknowledged, and what the next one got."""
    for n in range(1, 2000):
        try:
            await store.write(Writes([make_task(f"t{n}", n, meta={"blob": "x" * 2000})]))
        except StoreUnavailable as error:
            return n - 1, error
    raise AssertionError("never full")


async def assert_just(store: SqliteStore, acknowledged: int) -> None:
    """All that was acknowledged is there, and nothing else."""
    assert acknowledged > 10
    for n in range(1, acknowledged + 1):
        assert await store.task(f"t{n}") is not None
    assert await store.task(f"t{acknowledged + 1}") is None
