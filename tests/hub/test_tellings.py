"""Telling people that a task is over: exactly once, in one write with the end, and only to those who asked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from headway.buses.memory import MemoryBus
from headway.errors import Forbidden, IllegalTransition, InvalidField, NotFound, Overloaded, StoreUnavailable
from headway.hub.hub import Hub
from headway.hub.wanted import Only
from headway.model import report as r
from headway.model.grant import Ability, Grant
from headway.model.notification import Notification, NotificationStatus, Severity
from headway.model.task import Telling
from headway.model.telling import telling_id
from headway.ports.store import NotificationQuery, Writes
from tests.contract.store_records import make_note, make_task
from tests.hub.scenes import create, follow, running, send, tick
from tests.hub.world import ADA, BOB, EVERYTHING, SlowStore, instant, unix_ms

ALWAYS, UNWATCHED, ONGOING = Telling
PROJECT = "project:p"
MEMBER = Grant("bob", channels=(PROJECT,), can=EVERYTHING)
READER = Grant("eve", channels=(PROJECT,), can=frozenset((Ability.READ,)))


async def inbox(hub: Hub, grant: Grant = ADA, channel: str = "") -> list[Notification]:
    page = await hub.inbox.page(grant, NotificationQuery(channel or grant.own_channel))
    return list(page.notifications)


def heard(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The notifications that came live."""
    return [message["notification"] for message in messages if "notification" in message]


class TestTheOwner:
    @instant
    @pytest.mark.parametrize(
        ("ending", "kind", "severity", "content"),
        [
            (
                r.Succeed(task="t", result={"link": "/r/1"}),
                "task.succeeded",
                Severity.SUCCESS,
                "Done after 0 s",
            ),
            (r.Fail(task="t", error="No space"), "task.failed", Severity.ERROR, "Failed: No space"),
            (r.Cancel(task="t"), "task.cancelled", Severity.WARNING, "Cancelled at 40 %"),
        ],
        ids=["succeeded", "failed", "cancelled"],
    )
    async def test_gets_one_notification_that_says_how_it_ended(
        self, ending: r.Report, kind: str, severity: Severity, content: str
    ) -> None:
        async with running() as hub:
            link, _, _ = follow(hub, channel="user:ada")
            await send(hub, create("t", notify=True, start=True), tick("t", 40))
            await send(hub, ending)
            await send(hub, ending)
            (told,) = await inbox(hub)
            assert (told.title, told.kind, told.severity, told.content) == ("Task t", kind, severity, content)
            assert (told.task, told.status, told.ongoing) == ("t", NotificationStatus.UNREAD, False)
            assert told.link == ("/r/1" if isinstance(ending, r.Succeed) else None)
            await asyncio.sleep(1)
            assert [note["id"] for note in heard(link.messages)] == [told.id]

    @instant
    async def test_is_told_in_the_write_of_the_end_or_not_at_all(self) -> None:
        store = SlowStore()
        async with running(store) as hub:
            await send(hub, create("t", notify=True, start=True))
            store.failing = 1
            with pytest.raises(StoreUnavailable):
                await send(hub, r.Succeed(task="t"))
            assert await inbox(hub) == []
            assert hub.records.tasks["t"].state == "running"
            await send(hub, r.Succeed(task="t"))
            assert len(await inbox(hub)) == 1

    @instant
    async def test_everything_in_one_batch_and_again(self) -> None:
        async with running() as hub:
            batch: list[r.Report] = [create("t", notify=True), r.Start(task="t"), r.Succeed(task="t")]
            await send(hub, *batch)
            await send(hub, *batch)
            assert [note.kind for note in await inbox(hub)] == ["task.succeeded"]

    @instant
    async def test_a_later_attempt_takes_the_place_of_the_earlier_one(self) -> None:
        async with running() as hub:
            await send(hub, create("t", notify=True), r.Fail(task="t", error="x"))
            (first,) = await inbox(hub)
            await hub.read(ADA, [first.id])
            await send(hub, r.Retry(task="t"), r.Succeed(task="t"))
            (second,) = await inbox(hub)
            assert (second.id, second.kind, second.status) == (first.id, "task.succeeded", "unread")
            assert second.data == {"state": "succeeded", "attempt": 2}
            assert second.rev > first.rev

    @instant
    async def test_who_asked_for_nothing_is_told_nothing(self) -> None:
        async with running() as hub:
            await send(hub, create("t"), create("u", notify=False), r.Succeed(task="t"), r.Succeed(task="u"))
            assert await inbox(hub) == []

    @instant
    async def test_what_notify_can_be(self) -> None:
        async with running() as hub:
            for word in ("sometimes", ""):
                with pytest.raises(InvalidField):
                    await hub.report(ADA, create("t", notify=word))
            task, _ = await hub.report(ADA, create("t", notify="unwatched"))
            assert task.notify is UNWATCHED  # type: ignore[union-attr]

    @instant
    async def test_of_a_project_the_project_is_told(self) -> None:
        async with running() as hub:
            await send(hub, create("t", channel=PROJECT, notify=True), r.Succeed(task="t"))
            assert await inbox(hub) == []
            assert len(await inbox(hub, channel=PROJECT)) == 1

    @instant
    async def test_an_id_that_somebody_has_taken_does_not_keep_it_from_being_told(self) -> None:
        store = SlowStore()
        await store.open()
        taken = telling_id("t", "user:ada"), telling_id("u", "user:ada")
        await store.write(
            Writes(records=[make_note(taken[0], channel="user:bob"), make_task(taken[1], channel="user:bob")])
        )
        async with running(store) as hub:
            await send(hub, create("t", notify=True), create("u", notify=True))
            await send(hub, r.Succeed(task="t"), r.Succeed(task="u"))
            told = await inbox(hub)
            assert {note.task for note in told} == {"t", "u"}
            assert not {note.id for note in told} & set(taken)


class TestUnwatched:
    @instant
    @pytest.mark.parametrize(
        "what", [{"channel": "user:ada"}, {"task": "t"}, {"channel": "user:ada", "only": Only(kind="k")}]
    )
    async def test_who_watches_is_not_told(self, what: dict[str, Any]) -> None:
        async with running() as hub:
            await send(hub, create("t", kind="k", notify="unwatched"))
            _, follower, _ = follow(hub, **what)
            await send(hub, r.Succeed(task="t"))
            assert await inbox(hub) == []
            await send(hub, create("u", kind="k", notify="unwatched"))
            follower.leave()
            await send(hub, r.Succeed(task="u"))
            assert [note.task for note in await inbox(hub)] == ["u"]

    @instant
    async def test_who_watches_something_else_is_told(self) -> None:
        async with running() as hub:
            await send(hub, create("t", notify="unwatched"), create("other"))
            follow(hub, task="other")
            follow(hub, channel="public")
            follow(hub, channel="user:ada", only=Only(kind="k"))
            await send(hub, r.Succeed(task="t"))
            assert len(await inbox(hub)) == 1

    @instant
    async def test_that_another_watches_does_not_count(self) -> None:
        async with running() as hub:
            await send(hub, create("t", notify="unwatched"))
            follow(hub, Grant("root", can=frozenset((Ability.ADMIN,))), channel="user:ada")
            await send(hub, r.Succeed(task="t"))
            assert len(await inbox(hub)) == 1

    @instant
    async def test_of_a_project_anybody_who_watches_counts(self) -> None:
        async with running() as hub:
            await send(hub, *(create(t, channel=PROJECT, notify="unwatched") for t in "tuv"))
            await send(hub, r.Succeed(task="t"))
            _, follower, _ = follow(hub, MEMBER, task="u")
            await send(hub, r.Succeed(task="u"))
            follower.leave()
            follow(hub, MEMBER, channel=PROJECT)
            await send(hub, r.Succeed(task="v"))
            assert [note.task for note in await inbox(hub, channel=PROJECT)] == ["t"]


class TestOngoing:
    @instant
    async def test_it_is_there_at_once_and_becomes_the_message_with_one_event_each(self) -> None:
        async with running() as hub:
            link, _, _ = follow(hub, channel="user:ada")
            await send(hub, create("t", notify="ongoing", start=True))
            (there,) = await inbox(hub)
            assert (there.ongoing, there.task, there.kind) == (True, "t", "task.ongoing")
            await asyncio.sleep(1)
            await hub.read(ADA, [there.id])
            await asyncio.sleep(1)
            await send(hub, tick("t", 50))
            await send(hub, r.Succeed(task="t"))
            await asyncio.sleep(1)
            (told,) = await inbox(hub)
            assert (told.id, told.ongoing, told.status) == (there.id, False, "unread")
            assert told.created_at > there.created_at
            notes = heard(link.messages)
            assert [(note.get("ongoing", False), note["status"]) for note in notes] == [
                (True, "unread"),
                (True, "read"),
                (False, "unread"),
            ]
            unread = [message["unread"] for message in link.messages if "unread" in message]
            assert unread == [0, 1, 0, 1]

    @instant
    async def test_asked_for_later_changed_and_taken_back(self) -> None:
        async with running() as hub:
            await send(hub, create("t", start=True))
            await hub.tellings.ask(ADA, "t", ONGOING)
            await hub.tellings.ask(ADA, "t", ONGOING)
            assert [note.ongoing for note in await inbox(hub)] == [True]
            await hub.tellings.ask(ADA, "t", ALWAYS)
            assert await inbox(hub) == []
            await hub.tellings.ask(ADA, "t", ONGOING)
            assert await hub.tellings.asked(ADA, "t") is ONGOING
            await hub.tellings.ask(ADA, "t", None)
            await hub.tellings.ask(ADA, "t", None)
            assert await inbox(hub) == []
            assert await hub.tellings.asked(ADA, "t") is None
            await send(hub, r.Succeed(task="t"))
            assert await inbox(hub) == []


class TestOthers:
    @instant
    async def test_each_who_asked_is_told_in_an_inbox_of_their_own(self) -> None:
        async with running() as hub:
            await send(hub, create("t", channel=PROJECT, start=True))
            await hub.tellings.ask(MEMBER, "t", ALWAYS)
            await hub.tellings.ask(READER, "t", ONGOING)
            assert (await hub.tellings.asked(MEMBER, "t"), await hub.tellings.asked(ADA, "t")) == (
                ALWAYS,
                None,
            )
            assert (await hub.task(ADA, "t")).notify is None
            await send(hub, r.Succeed(task="t"))
            await send(hub, r.Succeed(task="t"))
            for grant in (MEMBER, READER):
                (told,) = await inbox(hub, grant)
                assert (told.kind, told.task) == ("task.succeeded", "t")
            assert await inbox(hub) == []
            assert await inbox(hub, channel=PROJECT) == []
            assert await hub.tellings.asked(MEMBER, "t") is None

    @instant
    async def test_what_was_asked_survives_a_kill(self) -> None:
        store = SlowStore()
        hub = Hub(store, MemoryBus(), clock=unix_ms)
        await hub.start()
        await send(hub, create("t", channel=PROJECT, start=True), create("u", channel=PROJECT))
        await hub.tellings.ask(MEMBER, "t", ALWAYS)
        await hub.tellings.ask(MEMBER, "u", ALWAYS)
        await hub.tellings.ask(MEMBER, "u", None)
        store.lose()
        async with running(store) as again:
            await send(again, r.Fail(task="t", error="x"), r.Fail(task="u", error="x"))
            assert [note.task for note in await inbox(again, MEMBER)] == ["t"]
            assert await store.documents("wish") == ()

    @instant
    async def test_who_watches_need_not_be_told(self) -> None:
        async with running() as hub:
            await send(hub, create("t", channel=PROJECT))
            await hub.tellings.ask(MEMBER, "t", UNWATCHED)
            await hub.tellings.ask(READER, "t", UNWATCHED)
            follow(hub, MEMBER, channel=PROJECT)
            await send(hub, r.Succeed(task="t"))
            assert await inbox(hub, MEMBER) == []
            assert len(await inbox(hub, READER)) == 1

    @instant
    async def test_who_is_let_in_no_more_is_not_told_either(self) -> None:
        # Given two who asked and had everything taken back since, and one who came again and asked anew.
        store = SlowStore()
        since: dict[str, float] = {}
        hub = Hub(store, MemoryBus(), clock=unix_ms, revoked=lambda user, at: at <= since.get(user, 0.0))
        await hub.start()
        again = replace(READER, user="cy")
        await send(hub, create("t", channel=PROJECT, start=True))
        for grant, telling in ((MEMBER, ALWAYS), (READER, ONGOING), (again, ALWAYS)):
            await hub.tellings.ask(grant, "t", telling)
        await asyncio.sleep(1)
        since |= dict.fromkeys(("bob", "eve", "cy"), hub.clock() / 1000)
        await asyncio.sleep(1)
        await hub.tellings.ask(again, "t", ALWAYS)
        asked = [await hub.tellings.asked(grant, "t") for grant in (MEMBER, READER, again)]
        # When
        await send(hub, r.Succeed(task="t", result={"secret": 1}))
        # Then nothing is said to the two, not even that there was a task, and nothing is kept for them.
        told = [len(await inbox(hub, grant)) for grant in (MEMBER, READER, again)]
        assert (asked, told) == ([None, None, ALWAYS], [0, 0, 1])
        assert await store.documents("wish") == ()
        await hub.stop()

    @instant
    async def test_a_wish_that_could_not_be_written_is_none(self) -> None:
        store = SlowStore()
        async with running(store) as hub:
            await send(hub, create("t", channel=PROJECT))
            store.failing = 1
            with pytest.raises(StoreUnavailable):
                await hub.tellings.ask(MEMBER, "t", ALWAYS)
            assert await hub.tellings.asked(MEMBER, "t") is None

    @instant
    async def test_an_end_that_could_not_be_written_leaves_the_wish(self) -> None:
        store = SlowStore()
        async with running(store) as hub:
            await send(hub, create("t", channel=PROJECT))
            await hub.tellings.ask(MEMBER, "t", ALWAYS)
            store.failing = 1
            with pytest.raises(StoreUnavailable):
                await send(hub, r.Succeed(task="t"))
            assert await inbox(hub, MEMBER) == []
            await send(hub, r.Succeed(task="t"))
            assert len(await inbox(hub, MEMBER)) == 1

    @instant
    async def test_there_is_an_end_to_how_many(self) -> None:
        async with running() as hub:
            await send(hub, create("t", channel=PROJECT))
            for n in range(200):
                await hub.tellings.ask(replace(READER, user=f"u{n}"), "t", ALWAYS)
            with pytest.raises(Overloaded):
                await hub.tellings.ask(READER, "t", ALWAYS)
            await hub.tellings.ask(replace(READER, user="u7"), "t", ONGOING)


class TestRefusals:
    @instant
    async def test_a_task_of_others_is_not_there(self) -> None:
        async with running() as hub:
            await send(hub, create("t"))
            for task in ("t", "nothing"):
                with pytest.raises(NotFound):
                    await hub.tellings.ask(BOB, task, ALWAYS)
                with pytest.raises(NotFound):
                    await hub.tellings.asked(BOB, task)

    @instant
    async def test_who_may_not_read_may_not_ask(self) -> None:
        async with running() as hub:
            await send(hub, create("t"))
            with pytest.raises(Forbidden):
                await hub.tellings.ask(Grant("ada", can=frozenset((Ability.PUBLISH,))), "t", ALWAYS)

    @instant
    async def test_of_what_is_over_nothing_can_be_asked_and_taking_back_is_fine(self) -> None:
        async with running() as hub:
            await send(hub, create("t", notify=True), r.Succeed(task="t"))
            with pytest.raises(IllegalTransition):
                await hub.tellings.ask(ADA, "t", ALWAYS)
            await hub.tellings.ask(ADA, "t", None)
            assert len(await inbox(hub)) == 1
