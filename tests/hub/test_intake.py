"""What reports do: each by itself, repeated without harm, and within what its producer may."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from headway.buses.memory import MemoryBus
from headway.errors import Forbidden, IllegalTransition, InvalidField, KeyReused, NotFound
from headway.hub.hub import Hub, HubSettings
from headway.model import report as r
from headway.model.grant import Ability, Grant
from headway.model.notification import Notification, NotificationStatus
from headway.model.task import Task, TaskState
from headway.ports.store import TaskQuery, Writes
from headway.stores.memory import MemoryStore
from tests.contract.store_records import make_note
from tests.hub.machine import recount
from tests.hub.scenes import create, running, send, shown, tick
from tests.hub.world import ADA, ADMIN, BOB, EVERYTHING, SlowStore, instant, small_bounds

SMALL = HubSettings(bounds=small_bounds)


def note(note_id: str, **fields: Any) -> r.Notify:
    return r.Notify(id=note_id, title=f"Note {note_id}", **fields)


def codes(answer: r.BatchAnswer) -> dict[int, int]:
    return {rejected.index: rejected.code for rejected in answer.rejected}


class TestBatch:
    @instant
    async def test_one_that_is_refused_does_not_touch_the_others(self) -> None:
        async with running() as hub:
            answer = await send(
                hub,
                create("t", start=True),
                tick("nothing", 1),
                tick("t", 50),
                tick("t", 40),
                create("../x"),
                note("n", user="ada", channel="public"),
                note("m", user="no such/name"),
                r.Succeed(task="t", result=7),
            )
            assert codes(answer) == {1: 104, 3: 109, 4: 102, 5: 102, 6: 102}
            assert answer.accepted == 3
            assert answer.tasks == {"t": ("succeeded", 1)}
            assert hub.records.tasks["t"].result == 7

    @instant
    async def test_a_worker_that_comes_too_late_is_told_and_not_refused(self) -> None:
        async with running() as hub:
            await send(hub, create("t", start=True), r.Cancel(task="t"))
            answer = await send(hub, tick("t", 5), r.Beat(task="t"), r.Result(task="t", result=1))
            assert answer.rejected == []
            assert answer.tasks == {"t": ("cancelled", 1)}
            with pytest.raises(IllegalTransition):
                await hub.report(ADA, tick("t", 5))
            with pytest.raises(NotFound):
                await hub.report(BOB, tick("t", 5))

    @instant
    async def test_reports_of_an_earlier_attempt_change_nothing(self) -> None:
        async with running() as hub:
            await send(hub, create("t", start=True), r.Fail(task="t"), r.Retry(task="t"), r.Start(task="t"))
            answer = await send(hub, tick("t", 9, attempt=1), r.Succeed(task="t", attempt=1))
            assert answer.tasks == {"t": ("running", 2)}
            assert hub.records.tasks["t"].progress.done == 0

    @instant
    async def test_states_are_said_only_of_tasks_that_the_producer_may_publish_to(self) -> None:
        async with running() as hub:
            await send(hub, create("t"))
            answer = await send(hub, tick("t", 1), r.Cancel(task="t"), grant=BOB)
            assert (codes(answer), answer.tasks) == ({0: 104, 1: 104}, {})

    @instant
    async def test_a_grant_for_one_task_publishes_to_that_one_alone(self) -> None:
        async with running() as hub:
            await send(hub, create("t"), create("u"))
            worker = Grant("w", tasks=("t",), can=frozenset((Ability.PUBLISH,)))
            answer = await send(hub, tick("t", 1), tick("u", 1), tick("t", 2), grant=worker)
            assert (codes(answer), answer.tasks) == ({1: 104}, {"t": ("running", 1)})

    @instant
    async def test_whoever_may_not_use_a_channel_does_not_make_us_hold_it(self) -> None:
        async with running() as hub:
            answer = await send(
                hub, *(create(f"t{n}", channel=f"project:{n}") for n in range(5)), note("n", user="bob")
            )
            assert set(codes(answer).values()) == {105}
            assert set(hub.records.channels) <= {"user:ada"}


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


class TestChildren:
    @instant
    async def test_a_retry_takes_back_what_the_child_had_counted(self) -> None:
        store = SlowStore()
        async with running(store) as hub:
            await send(
                hub, create("p", total=None), create("a", parent="p", weight=3), create("b", parent="p")
            )
            await send(hub, tick("a", 50), r.Fail(task="b"), tick("a", 60), r.Retry(task="b"))
            parent = shown(hub, "p")
            assert parent is not None
            assert parent.children is not None
            assert (parent.children.points, parent.children.weight) == (18_000, 4)
            assert parent.children == await recount(hub, store, parent)
            assert parent.progress.percent == 70.0

    @instant
    async def test_a_parent_that_was_let_go_of_is_found_again(self) -> None:
        store = SlowStore()
        async with running(store, SMALL) as hub:
            await send(hub, create("g", total=None), create("p", parent="g"), create("c", parent="p"))
            await send(hub, r.Succeed(task="p"), r.Succeed(task="g"))
            for n in range(12):
                await send(hub, create(f"t{n}"), r.Succeed(task=f"t{n}"))
            assert "p" not in hub.records.tasks
            await send(hub, tick("c", 40))
            await send(hub, r.Fail(task="c"))
            parent = shown(hub, "p")
            assert parent is not None
            assert parent.children == await recount(hub, store, parent)

    @instant
    async def test_a_removed_child_counts_no_longer(self) -> None:
        store = SlowStore()
        async with running(store) as hub:
            await send(hub, create("p", total=None), create("a", parent="p"), create("b", parent="p"))
            await send(hub, r.Fail(task="a"))
            await hub.remove(ADA, "a")
            parent = shown(hub, "p")
            assert parent is not None
            assert parent.children == await recount(hub, store, parent)
            assert parent.children is not None
            assert (parent.children.count, parent.children.failed) == (1, 0)


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

    @instant
    async def test_reading_counts_what_was_unread_and_keeps_to_the_own_channel(self) -> None:
        async with running(settings=SMALL) as hub:
            await send(hub, *(note(f"n{n}") for n in range(6)))
            await send(hub, note("bobs"), grant=BOB)
            # The oldest are beyond what is at hand.
            assert await hub.read(ADA, ["n0", "n0", "bobs", "nothing"]) == 1
            assert await hub.read(ADA, ["n0"]) == 0
            assert "n0" in {version.record.id for version in hub.records.channels["user:ada"].log.all()}
            assert await hub.read(BOB, None) == 1
            assert await hub.read(Grant("bob", can=EVERYTHING), None) == 0


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
