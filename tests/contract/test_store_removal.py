"""What `headway.ports.store` promises of idempotency keys, tombstones and expiry, asked of every adapter."""

from __future__ import annotations

import asyncio

from headway.model.task import Task, TaskState
from headway.ports.store import Store, TaskQuery, Window, Writes
from tests.contract.store_records import (
    CHANNEL,
    listed,
    make_line,
    make_note,
    make_task,
    make_tombstone,
    put,
    window,
)

SUCCEEDED, FAILED = TaskState.SUCCEEDED, TaskState.FAILED


class TestKeys:
    async def test_a_key_finds_its_task_in_its_channel(self, store: Store) -> None:
        a, b = make_task("a", channel="user:a"), make_task("b", channel="user:b")
        await store.write(Writes([a, b], keys={"a": "same", "b": "same"}))
        assert await store.task_by_key("user:a", "same") == a
        assert await store.task_by_key("user:b", "same") == b
        assert await store.task_by_key("user:c", "same") is None

    async def test_it_stays_when_the_task_changes(self, store: Store) -> None:
        await store.write(Writes([make_task("t", 1)], keys={"t": "key"}))
        await put(store, make_task("t", 2))
        assert await store.task_by_key(CHANNEL, "key") == make_task("t", 2)

    async def test_the_first_task_keeps_it(self, store: Store) -> None:
        await store.write(Writes([make_task("first", 1)], keys={"first": "key"}))
        await store.write(Writes([make_task("second", 2)], keys={"second": "key"}))
        assert await store.task_by_key(CHANNEL, "key") == make_task("first", 1)
        assert await store.task("second") == make_task("second", 2)

    async def test_a_task_keeps_its_first_key(self, store: Store) -> None:
        await store.write(Writes([make_task("t")], keys={"t": "one"}))
        await store.write(Writes([make_task("t")], keys={"t": "two"}))
        assert await store.task_by_key(CHANNEL, "one") == make_task("t")
        assert await store.task_by_key(CHANNEL, "two") is None

    async def test_it_goes_with_the_task(self, store: Store) -> None:
        await store.write(Writes([make_task("a", 1)], keys={"a": "key"}))
        await put(store, make_tombstone("a", 2))
        assert await store.task_by_key(CHANNEL, "key") is None
        await store.write(Writes([make_task("b", 3)], keys={"b": "key"}))
        assert await store.task_by_key(CHANNEL, "key") == make_task("b", 3)

    async def test_a_key_that_was_asked_for_too_early_is_not_given_later(self, store: Store) -> None:
        await store.write(Writes([make_task("a", 1)], keys={"a": "key"}))
        # One group: b asks while a has the key, then a goes.
        await asyncio.gather(
            store.write(Writes([make_task("b", 2)], keys={"b": "key"})),
            store.write(Writes([make_tombstone("a", 3)])),
        )
        assert await store.task_by_key(CHANNEL, "key") is None


class TestTombstone:
    async def test_it_replaces_the_record_and_all_that_belongs_to_it(self, store: Store) -> None:
        await store.write(
            Writes(
                [make_task("t", 1, tags=("x",)), make_note("n", 2)], [make_line("t", 0), make_line("u", 0)]
            )
        )
        await put(store, make_tombstone("t", 3), make_tombstone("n", 4))
        assert await store.task("t") is None
        assert await store.notification("n") is None
        assert await store.log("t", 0, 10) == ()
        assert await store.log_end("t") == (0, {})
        assert await store.log_end("u") == (1, {})
        assert await listed(store, TaskQuery(None, tag="x")) == []
        assert await window(store) == Window((make_tombstone("t", 3), make_tombstone("n", 4)), 0)

    async def test_a_record_that_comes_back_replaces_it(self, store: Store) -> None:
        await put(store, make_task("t", 1), make_note("n", 2))
        await put(store, make_tombstone("t", 3), make_tombstone("n", 4))
        await put(store, make_task("t", 5), make_note("n", 6))
        assert await window(store) == Window((make_task("t", 5), make_note("n", 6)), 0)
        assert await listed(store, TaskQuery(None)) == ["t"]

    async def test_the_order_within_one_write_counts(self, store: Store) -> None:
        await put(store, make_task("a", 1), make_tombstone("a", 2), make_tombstone("b", 3), make_task("b", 4))
        assert (await window(store)).records == (make_tombstone("a", 2), make_task("b", 4))
        assert await store.task("a") is None

    async def test_an_id_taken_again_elsewhere_leaves_it_where_it_was(self, store: Store) -> None:
        await put(store, make_tombstone("t", 3))
        await put(store, make_task("t", 1, channel="user:bob"))
        assert (await window(store)).records == (make_tombstone("t", 3),)
        assert (await window(store, "user:bob")).records == (make_task("t", 1, channel="user:bob"),)

    async def test_of_something_unknown_it_is_kept_too(self, store: Store) -> None:
        await put(store, make_tombstone("t", 3))
        assert (await window(store)).records == (make_tombstone("t", 3),)


class TestExpired:
    async def test_finished_tasks_oldest_first(self, store: Store) -> None:
        await put(
            store,
            make_task("c", 1, SUCCEEDED, finished_at=30),
            make_task("a", 2, FAILED, finished_at=10),
            make_task("b", 3, TaskState.CANCELLED, finished_at=20),
            make_task("edge", 4, SUCCEEDED, finished_at=40),
            make_task("running", 5),
        )

        async def ids(before: int, limit: int) -> list[str]:
            found: tuple[Task, ...] = await store.expired(before, limit)
            return [task.id for task in found]

        assert await ids(40, 10) == ["a", "b", "c"]
        assert await ids(40, 2) == ["a", "b"]
        assert await ids(41, 10) == ["a", "b", "c", "edge"]

    async def test_a_finished_task_that_does_not_say_when_counts_from_its_last_change(
        self, store: Store
    ) -> None:
        await put(store, make_task("t", 1, SUCCEEDED, finished_at=None, updated_at=50))
        assert await store.expired(50, 10) == ()
        assert [task.id for task in await store.expired(51, 10)] == ["t"]
