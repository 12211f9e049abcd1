"""What reports do: each by itself, repeated without harm, and within what its producer may."""

from __future__ import annotations

import pytest

from headway.errors import (
    IllegalTransition,
    NotFound,
)
from headway.hub.hub import HubSettings
from headway.model import report as r
from headway.model.grant import Ability, Grant
from tests.hub.machine import recount
from tests.hub.scenes import codes, create, note, running, send, shown, tick
from tests.hub.world import ADA, BOB, EVERYTHING, SlowStore, instant, small_bounds

SMALL = HubSettings(bounds=small_bounds)


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


class TestReading:
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
