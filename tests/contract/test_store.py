"""What `headway.ports.store` promises of opening, closing and writing, asked of every adapter."""

from __future__ import annotations

import asyncio

import pytest

from headway.errors import InvalidField, StoreUnavailable
from headway.model.cursor import Cursor
from headway.model.notification import NotificationStatus
from headway.model.progress import Progress, Step, StepPlan
from headway.model.task import Attempt, Children, TaskState
from headway.ports.store import Store, TaskQuery, Window, Writes
from tests.contract.store_records import (
    CHANNEL,
    listed,
    make_line,
    make_note,
    make_task,
    make_tombstone,
    put,
    reopen,
    window,
)

READ = NotificationStatus.READ
SUCCEEDED, FAILED = TaskState.SUCCEEDED, TaskState.FAILED


class TestOpen:
    async def test_an_epoch_is_made_once_and_fits_a_cursor(self, store: Store) -> None:
        first = await reopen(store)
        second = await reopen(store)
        assert first.epoch == second.epoch
        assert Cursor.parse(f"{first.epoch}.7") == (first.epoch, 7)

    async def test_a_new_store_has_given_out_no_revision(self, store: Store) -> None:
        opened = await reopen(store)
        assert opened.ceiling == 1
        assert opened.channels == ()

    async def test_channels_are_those_with_an_unfinished_task(self, store: Store) -> None:
        await put(
            store,
            make_task("a", 1, channel="user:a"),
            make_task("b", 1, TaskState.LOST, channel="project:b"),
            make_task("b2", 2, TaskState.QUEUED, channel="project:b"),
            make_task("c", 1, SUCCEEDED, channel="user:c"),
            make_note("d", 1, channel="user:d"),
        )
        assert (await reopen(store)).channels == ("project:b", "user:a")

    async def test_everything_is_there_after_opening_again(self, store: Store) -> None:
        task, note = make_task("t", 1), make_note("n", 2)
        await store.write(Writes([task, note], [make_line("t", 0)], {"t": "key"}))
        await reopen(store)
        assert await store.task("t") == task
        assert await store.notification("n") == note
        assert await store.task_by_key(CHANNEL, "key") == task
        assert await store.log("t", 0, 10) == (make_line("t", 0),)


class TestClose:
    async def test_it_finishes_what_was_asked(self, store: Store) -> None:
        writes = [asyncio.ensure_future(store.write(Writes([make_task("t0", 9)])))]
        # Two turns, so that the first is on its way and the others wait behind it.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        writes += [asyncio.ensure_future(store.write(Writes([make_task(f"t{n}", n)]))) for n in range(1, 6)]
        await asyncio.sleep(0)
        await store.close()
        await asyncio.gather(*writes)
        await store.open()
        assert [(await store.task(f"t{n}")) is not None for n in range(6)] == [True] * 6

    async def test_it_is_idempotent(self, store: Store) -> None:
        await asyncio.gather(store.close(), store.close())
        await store.close()

    async def test_afterwards_everything_says_that_it_is_closed(self, store: Store) -> None:
        await store.close()
        with pytest.raises(StoreUnavailable, match="closed"):
            await store.write(Writes([make_task("t")]))
        with pytest.raises(StoreUnavailable, match="closed"):
            await store.task("t")
        with pytest.raises(StoreUnavailable, match="closed"):
            await store.reserve(7)
        with pytest.raises(StoreUnavailable, match="closed"):
            await store.trim_log("t", 1)
        with pytest.raises(StoreUnavailable, match="closed"):
            await store.forget(1)
        await store.open()
        assert await store.task("t") is None


class TestReserve:
    async def test_the_ceiling_is_durable(self, store: Store) -> None:
        await store.reserve(1000)
        assert (await reopen(store)).ceiling == 1000

    async def test_a_lower_one_has_no_effect(self, store: Store) -> None:
        await store.reserve(1000)
        # As text, 999 would come after 1000.
        await store.reserve(999)
        assert (await reopen(store)).ceiling == 1000


class TestWrite:
    async def test_a_record_comes_back_as_it_was(self, store: Store) -> None:
        full = make_task(
            "full",
            2**53 - 1,
            FAILED,
            title="Größe \N{PILE OF POO}",
            progress=Progress(
                done=1.5,
                total=3,
                percent=50.0,
                message="half",
                step=Step(1, 2, "Resize"),
                detail={"gpu": [1]},
            ),
            tags=("b", "a"),
            meta={"file": "a.csv", "rows": 3, "deep": {"list": [None, True, 1.5]}},
            parent="group",
            steps=(StepPlan("Resize", 3.0), StepPlan("Save")),
            children=Children(count=1),
            result=["anything"],
            error="It broke",
            earlier=(Attempt(1, FAILED, 10.0),),
            lost_after=30.0,
        )
        note = make_note("n", 3, READ, content="text", data={"a": 1}, link="/x", task="full")
        await put(store, full, make_task("small"), note)
        assert await store.task("full") == full
        assert await store.task("small") == make_task("small")
        assert await store.notification("n") == note

    async def test_what_is_not_there_is_none(self, store: Store) -> None:
        assert await store.task("nobody") is None
        assert await store.notification("nobody") is None
        assert await store.task_by_key(CHANNEL, "nothing") is None
        assert await store.log("nobody", 0, 10) == ()
        assert await store.log_end("nobody") == (0, {})
        assert await window(store) == Window((), 0)

    async def test_ids_are_exact(self, store: Store) -> None:
        await put(store, make_task("Abc", 1), make_task("abc", 2))
        assert (await store.task("Abc")) == make_task("Abc", 1)
        assert await store.task("ABC") is None

    async def test_writing_again_replaces(self, store: Store) -> None:
        await put(store, make_task("t", 1, tags=("old", "both"), parent="p", title="Old"))
        newer = make_task("t", 2, SUCCEEDED, tags=("both", "new"), title="New", created_at=200)
        await put(store, newer)
        assert await store.task("t") == newer
        assert (await window(store)).records == (newer,)
        assert await listed(store, TaskQuery(None, tag="old")) == []
        assert await listed(store, TaskQuery(None, tag="new")) == ["t"]
        assert await listed(store, TaskQuery(None, tag="both")) == ["t"]
        assert await listed(store, TaskQuery(None, text="old")) == []
        assert await listed(store, TaskQuery(None, parent="p")) == []

    async def test_the_last_version_in_one_write_counts(self, store: Store) -> None:
        await put(
            store, make_task("t", 1, tags=("x",)), make_note("n", 2), make_task("t", 3), make_note("n", 4)
        )
        assert (await window(store)).records == (make_task("t", 3), make_note("n", 4))
        assert await listed(store, TaskQuery(None, tag="x")) == []

    async def test_writes_take_effect_in_the_order_of_the_calls(self, store: Store) -> None:
        # When: the coroutines are awaited in another order
        calls = [store.write(Writes([make_task("t", rev)])) for rev in range(1, 21)]
        for call in reversed(calls):
            await call
        # Then
        assert await store.task("t") == make_task("t", 20)

    async def test_many_concurrent_writers_keep_their_order(self, store: Store) -> None:
        async def writer(name: str) -> None:
            for rev in range(1, 31):
                await store.write(Writes([make_task(name, rev)]))

        await asyncio.gather(*(writer(f"t{n}") for n in range(20)))
        for n in range(20):
            assert await store.task(f"t{n}") == make_task(f"t{n}", 30)

    async def test_a_write_whose_caller_gave_up_still_counts(self, store: Store) -> None:
        waiting = asyncio.ensure_future(store.write(Writes([make_task("t")])))
        await asyncio.sleep(0)
        waiting.cancel()
        await put(store, make_task("later", 2))
        assert await store.task("t") == make_task("t")

    async def test_a_record_is_kept_as_it_was_when_it_was_written(self, store: Store) -> None:
        meta = {"a": 1}
        await put(store, make_task("t", meta=meta))
        meta["a"] = 2
        assert await store.task("t") == make_task("t", meta={"a": 1})

    @pytest.mark.parametrize(
        "writes",
        [
            Writes([make_task("bad", title="\ud800")]),
            Writes([make_task("bad", 2**63)]),
            Writes([make_note("bad", created_at=2**63)]),
            Writes([make_tombstone("bad", 1, -(2**64))]),
            Writes([], [make_line("bad", 0, "\ud800")]),
            Writes([], [make_line("bad", 0, source="s", seq=2**63)]),
        ],
    )
    async def test_what_no_database_takes_is_refused_to_its_own_caller(
        self, store: Store, writes: Writes
    ) -> None:
        innocent = asyncio.ensure_future(store.write(Writes([make_task("good")])))
        with pytest.raises(InvalidField):
            await store.write(writes)
        await innocent
        assert await store.task("good") == make_task("good")
        assert await store.task("bad") is None
