"""What reports make: each record once, with an id of its own, within its bounds, durable before it is said."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from headway.buses.memory import MemoryBus
from headway.errors import (
    Forbidden,
    InvalidField,
    KeyReused,
    QuotaReached,
    StoreUnavailable,
)
from headway.hub.hub import Hub, HubSettings
from headway.model import report as r
from headway.model.notification import Notification, NotificationStatus
from headway.model.task import Task, TaskState
from headway.ports.store import TaskQuery, Writes
from headway.stores.memory import MemoryStore
from tests.contract.store_records import make_note
from tests.hub.machine import recount
from tests.hub.scenes import codes, create, note, running, send, shown, tick
from tests.hub.world import ADA, ADMIN, BOB, SlowStore, instant, small_bounds

SMALL = HubSettings(bounds=small_bounds)


class TestCreate:
    @instant
    async def test_the_same_id_again_is_the_same_task(self) -> None:
        async with running() as hub:
            first, created = await hub.report(ADA, create("t", start=True))
            await send(hub, tick("t", 5))
            again, repeated = await hub.report(ADA, create("t"))
            assert (created, repeated) == (True, False)
            assert again.rev > first.rev > 0

    @instant
    async def test_two_at_once_with_one_key_are_one_task_and_both_are_durable(self) -> None:
        store = SlowStore()
        async with running(store) as hub:
            answers = await asyncio.gather(
                *(hub.report(ADA, create(f"t{n}", idempotency_key="k")) for n in range(3))
            )
            ids = {record.id for record, _ in answers}
            assert len(ids) == 1
            assert sum(created for _, created in answers) == 1
            assert (await store.task_by_key("user:ada", "k")).id in ids

    @instant
    async def test_a_key_of_a_removed_task_does_not_overwrite_another_task(self) -> None:
        async with running() as hub:
            await send(hub, create("a", idempotency_key="k"), r.Fail(task="a"), create("b", start=True))
            await send(hub, tick("b", 5))
            await hub.remove(ADA, "a")
            answer, created = await hub.report(ADA, create("b", idempotency_key="k"))
            assert not created
            assert hub.records.tasks["b"].progress.done == 5
            assert answer.id == "b"

    @instant
    async def test_an_id_belongs_to_one_channel(self) -> None:
        async with running() as hub:
            await send(hub, create("t"))
            with pytest.raises(KeyReused):
                await hub.report(ADA, create("t", channel="project:p"))

    @instant
    async def test_an_id_is_a_task_or_a_notification(self) -> None:
        async with running(settings=SMALL) as hub:
            await send(hub, create("t"), note("n"))
            assert codes(await send(hub, create("n"), note("t"))) == {0: 108, 1: 108}

    @instant
    async def test_an_id_may_be_used_again_after_a_removal(self) -> None:
        store = SlowStore()
        async with running(store) as hub:
            await send(hub, create("t"), r.Fail(task="t"))
            store.hold = True
            removing = asyncio.create_task(hub.remove(ADA, "t"))
            await asyncio.sleep(0.01)
            again = asyncio.create_task(send(hub, create("t")))
            await asyncio.sleep(0.01)
            store.hold = False
            store.release()
            await removing
            assert (await again).tasks == {"t": ("queued", 1)}
            await asyncio.sleep(1)
            assert (await store.task("t")).state is TaskState.QUEUED

    @instant
    async def test_a_parent_lives_in_the_same_channel_and_not_in_its_children(self) -> None:
        async with running() as hub:
            await send(hub, create("a"), create("b", parent="a"), r.Fail(task="a"))
            await hub.remove(ADA, "a")
            answer = await send(
                hub,
                create("a", parent="b"),
                create("c", parent="b", channel="project:p"),
                create("d", parent="nothing"),
                create("e", parent="e"),
            )
            assert codes(answer) == {0: 102, 1: 102, 2: 102, 3: 102}

    @instant
    async def test_who_has_the_id_of_a_removed_task_does_not_inherit_its_children(self) -> None:
        store = SlowStore()
        async with running(store) as hub:
            await send(hub, create("a", total=None), create("b", parent="a", start=True), r.Fail(task="a"))
            await hub.remove(ADA, "a")
            await asyncio.sleep(1)
            await send(hub, create("a", total=None), create("c", parent="a", start=True))
            await send(hub, tick("b", 50), r.Succeed(task="b"), tick("c", 10))
            parent = shown(hub, "a")
            assert parent is not None
            assert parent.children is not None
            assert (parent.children.count, parent.children.running, parent.children.points) == (1, 1, 1000)
            assert parent.children == await recount(hub, store, parent)

    @instant
    async def test_nesting_has_an_end(self) -> None:
        async with running() as hub:
            answer = await send(
                hub, create("t0"), *(create(f"t{n}", parent=f"t{n - 1}") for n in range(1, 60))
            )
            assert min(codes(answer)) == 33


class TestQuota:
    @instant
    async def test_those_that_come_at_once_find_no_more_room_than_there_is(self) -> None:
        async with running(settings=HubSettings(max_live_tasks=5)) as hub:
            answers = await asyncio.gather(
                *(hub.report(ADA, create(f"t{n}")) for n in range(20)), return_exceptions=True
            )
            assert Counter(type(answer) for answer in answers) == {tuple: 5, QuotaReached: 15}
            await send(hub, r.Fail(task=next(iter(hub.records.tasks))))
            answer = await send(hub, create("one more"), create("again"), create("and-again"))
            assert codes(answer) == {0: 102, 2: QuotaReached.code}

    @instant
    async def test_what_could_not_be_written_takes_no_room(self) -> None:
        store = SlowStore()
        async with running(store, HubSettings(max_live_tasks=1)) as hub:
            store.failing = 1
            with pytest.raises(StoreUnavailable):
                await hub.report(ADA, create("t"))
            assert (await send(hub, create("u"))).accepted == 1

    @instant
    async def test_what_nobody_waits_for_takes_room_until_it_has_come_to_nothing(self) -> None:
        store = SlowStore()
        async with running(store, HubSettings(max_live_tasks=2)) as hub:
            store.hold = True
            for n in range(4):
                creating = asyncio.create_task(hub.report(ADA, create(f"t{n}")))
                await asyncio.sleep(0.1)
                creating.cancel()
            await asyncio.sleep(0.1)
            assert set(hub.records.tasks) == {"t0", "t1"}
            store.hold = False
            store.release(fail=True)
            await asyncio.sleep(0.1)
            assert (await send(hub, create("u"), create("v"))).accepted == 2


class TestNotifications:
    @instant
    async def test_a_repeated_one_is_not_unread_again_even_when_it_was_let_go_of(self) -> None:
        store = SlowStore()
        await store.open()
        async with running(store, SMALL) as hub:
            await send(hub, note("n0"))
            await hub.read(ADA, ["n0"])
            for n in range(1, 9):
                await send(hub, note(f"n{n}"))
            assert "n0" not in hub.records.notifications
            answer, created = await hub.report(ADA, note("n0"))
            assert not created
            assert isinstance(answer, Notification)
            assert answer.status is NotificationStatus.READ
            assert (await store.notification("n0")).status is NotificationStatus.READ

    @instant
    async def test_an_id_that_another_channel_has_is_refused_even_when_that_is_not_in_memory(self) -> None:
        store = SlowStore()
        await store.open()
        await store.write(Writes(records=[make_note("n", channel="user:bob")]))
        async with running(store) as hub:
            with pytest.raises(KeyReused):
                await hub.report(ADA, note("n"))
            assert (await store.notification("n")).channel == "user:bob"

    @instant
    async def test_a_user_s_channel_needs_a_grant(self) -> None:
        async with running() as hub:
            with pytest.raises(Forbidden):
                await hub.report(ADA, note("n", user="bob"))
            assert (await hub.report(ADMIN, note("n", user="bob")))[0].channel == "user:bob"


class TestNumbers:
    async def test_tasks_are_numbered_from_1_over_all_channels_and_restarts(self) -> None:
        store = MemoryStore()
        hub = Hub(store, MemoryBus())
        await hub.start()
        first, _ = await hub.report(ADA, r.Create(task="a", title="A"))
        await hub.report(ADA, r.Create(task="a", title="again"))
        with pytest.raises(InvalidField):
            await hub.report(ADA, r.Create(task="b", title=""))
        second, _ = await hub.report(BOB, r.Create(task="c", title="C"))
        await hub.report(BOB, r.Succeed(task="c"))
        await hub.remove(BOB, "c")
        await hub.stop()

        hub = Hub(store, MemoryBus())
        await hub.start()
        third, _ = await hub.report(ADA, r.Create(task="d", title="D"))
        assert [task.number for task in (first, second, third) if isinstance(task, Task)] == [1, 2, 3]
        assert [task.id for task in (await hub.tasks(ADA, TaskQuery(None, number=3))).tasks] == ["d"]
        assert (await hub.tasks(BOB, TaskQuery(None, number=3))).tasks == ()
        await hub.stop()
