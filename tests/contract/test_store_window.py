"""What `headway.ports.store` promises of windows and what they leave out, asked of every adapter."""

from __future__ import annotations

import asyncio

import pytest

from headway.model.notification import NotificationStatus
from headway.model.task import TaskState
from headway.ports.store import Record, Store, Window, Writes
from tests.contract.store_records import (
    make_note,
    make_task,
    make_tombstone,
    put,
    reopen,
    window,
    window_ids,
)

READ, ARCHIVED = NotificationStatus.READ, NotificationStatus.ARCHIVED
SUCCEEDED, FAILED = TaskState.SUCCEEDED, TaskState.FAILED


class TestWindow:
    async def test_it_holds_its_channel_alone_ordered_by_revision(self, store: Store) -> None:
        await put(
            store,
            make_task("d", 4),
            make_task("c", 3, SUCCEEDED),
            make_tombstone("b", 2),
            make_note("a", 1),
            make_task("other", 9, channel="user:bob"),
            make_note("other2", 10, channel="user:bob"),
            make_tombstone("other3", 11, channel="user:bob"),
        )
        assert await window_ids(store) == (["a", "b", "c", "d"], 0)

    async def test_every_unfinished_task_is_in_it(self, store: Store) -> None:
        states = [TaskState.QUEUED, TaskState.RUNNING, TaskState.PAUSED, TaskState.LOST]
        await put(store, *(make_task(state.value, rev, state) for rev, state in enumerate(states, 1)))
        assert await window_ids(store, 0, 10**15, 0) == ([state.value for state in states], 0)

    async def test_the_newest_finished_tasks_by_when_they_finished(self, store: Store) -> None:
        await put(
            store,
            make_task("a", 9, SUCCEEDED, finished_at=10),
            make_task("b", 2, FAILED, finished_at=30),
            make_task("c", 3, TaskState.CANCELLED, finished_at=20),
        )
        assert await window_ids(store, finished=2) == (["b", "c"], 9)
        assert await window_ids(store, finished=3) == (["b", "c", "a"], 0)
        assert await window_ids(store, finished=0) == ([], 9)

    async def test_finished_tasks_of_one_moment_by_revision(self, store: Store) -> None:
        await put(store, *(make_task(f"t{rev}", rev, SUCCEEDED) for rev in (1, 2, 3)))
        assert await window_ids(store, finished=2) == (["t2", "t3"], 1)

    async def test_a_finished_task_that_is_retried_is_unfinished(self, store: Store) -> None:
        await put(store, make_task("t", 1, FAILED, finished_at=10))
        await put(store, make_task("t", 2, TaskState.QUEUED, attempt=2))
        assert await window_ids(store, finished=0) == (["t"], 0)

    async def test_age_leaves_out_finished_tasks_read_notifications_and_tombstones(
        self, store: Store
    ) -> None:
        await put(
            store,
            make_task("old", 1, SUCCEEDED, finished_at=99),
            make_task("edge", 2, SUCCEEDED, finished_at=100),
            make_note("old-read", 3, READ, updated_at=99),
            make_note("edge-read", 4, READ, updated_at=100),
            make_note("unread", 5, updated_at=1),
            make_tombstone("old-gone", 6, 99),
            make_tombstone("edge-gone", 7, 100),
        )
        assert await window_ids(store, newer_than=100) == (["edge", "edge-read", "unread", "edge-gone"], 6)

    @pytest.mark.parametrize(
        "old",
        [
            make_task("x", 8, SUCCEEDED, finished_at=1),
            make_note("x", 8, READ, updated_at=1),
            make_tombstone("x", 8, 1),
        ],
        ids=["task", "notification", "tombstone"],
    )
    async def test_the_floor_is_the_highest_revision_left_out(self, store: Store, old: Record) -> None:
        await put(store, make_task("low", 3, SUCCEEDED, finished_at=2), old, make_task("live", 20))
        assert await window_ids(store, newer_than=100) == (["live"], 8)

    async def test_notifications_newest_first_unread_before_read(self, store: Store) -> None:
        await put(
            store,
            make_note("read-new", 9, READ, created_at=50),
            make_note("read-old", 8, READ, created_at=40),
            make_note("unread-old", 1, created_at=10),
            make_note("unread-new", 2, created_at=20),
        )
        assert await window_ids(store, notifications=1) == (["unread-new"], 9)
        assert await window_ids(store, notifications=2) == (["unread-old", "unread-new"], 9)
        assert await window_ids(store, notifications=3) == (["unread-old", "unread-new", "read-new"], 8)
        assert await window_ids(store, notifications=4) == (
            ["unread-old", "unread-new", "read-old", "read-new"],
            0,
        )

    async def test_archived_notifications_are_left_out(self, store: Store) -> None:
        await put(store, make_note("a", 1), make_note("b", 2, ARCHIVED), make_note("c", 3))
        assert await window_ids(store) == (["a", "c"], 2)


class TestForget:
    async def test_old_tombstones_go_for_good_and_raise_the_floor(self, store: Store) -> None:
        await put(
            store,
            make_tombstone("a", 5, 10),
            make_tombstone("b", 4, 20),
            make_tombstone("c", 6, 30),
            make_tombstone("d", 9, 10, "user:bob"),
        )
        assert await store.forget(30) == 3
        assert await window_ids(store) == (["c"], 5)
        assert (await window(store, "user:bob")).floor == 9
        assert await store.forget(30) == 0

    async def test_the_floor_never_sinks_and_outlives_the_store(self, store: Store) -> None:
        await put(store, make_tombstone("a", 5, 10))
        await store.forget(11)
        await put(store, make_tombstone("b", 4, 20))
        assert await store.forget(21) == 1
        await reopen(store)
        assert await window(store) == Window((), 5)

    async def test_it_sees_the_writes_before_it_and_not_those_after(self, store: Store) -> None:
        before = asyncio.ensure_future(store.write(Writes([make_tombstone("a", 1, 10)])))
        forgotten = asyncio.ensure_future(store.forget(100))
        after = asyncio.ensure_future(store.write(Writes([make_tombstone("b", 2, 10)])))
        await asyncio.gather(before, after)
        assert await forgotten == 1
        assert await window_ids(store) == (["b"], 1)
