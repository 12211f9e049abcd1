"""The inbox: whatever is done with notifications, by whom, from how many devices, the store and every view agree."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from headway.buses.memory import MemoryBus
from headway.errors import Forbidden, InvalidField, NotFound, StoreUnavailable
from headway.hub.hub import Hub, HubSettings
from headway.hub.log import Bounds
from headway.hub.upkeep import Retention
from headway.model.grant import Ability, Grant
from headway.model.notification import Notification, NotificationStatus, keyed_id
from headway.ports.store import NotificationQuery
from tests.hub.scenes import follow, held, note, running, send
from tests.hub.world import ADA, ADMIN, BOB, InstantLoop, SlowStore, TestLink, View, instant, unix_ms

UNREAD, READ, ARCHIVED = NotificationStatus
KEPT = 8
AGE = 1000.0
SMALL = HubSettings(
    bounds=Bounds(finished=3, notifications=3, age=60.0),
    retention=Retention(notifications=KEPT, notification_age=AGE),
)


READER = Grant("eve", channels=("project:p", "public"), can=frozenset((Ability.READ,)))


async def listed(hub: Hub, grant: Grant = ADA, **query: Any) -> list[str]:
    page = await hub.inbox.page(grant, NotificationQuery(**{"channel": grant.own_channel, **query}))
    return [found.id for found in page.notifications]


def unread(link: TestLink) -> int:
    """What the client behind a link holds for the number of unread ones."""
    return int(next(message["unread"] for message in reversed(link.messages) if "unread" in message))


class TestFiling:
    @instant
    async def test_all_are_read_also_those_that_are_not_at_hand(self) -> None:
        async with running(settings=HubSettings(bounds=SMALL.bounds)) as hub:
            await send(hub, *(note(f"n{n}") for n in range(450)))
            await asyncio.sleep(60)
            link, _, _ = follow(hub, channel="user:ada")
            assert unread(link) == 450
            assert len(hub.records.notifications) < 10
            assert await hub.read(ADA, None) == 450
            assert await hub.read(ADA, None) == 0
            await asyncio.sleep(1)
            assert unread(link) == 0
            assert await listed(hub, statuses=frozenset((UNREAD,))) == []

    @instant
    async def test_those_on_their_way_to_the_store_are_read_too(self) -> None:
        store = SlowStore()
        async with running(store) as hub:
            await send(hub, note("a"))
            store.hold = True
            coming = asyncio.create_task(send(hub, note("b")))
            await asyncio.sleep(1)
            reading = asyncio.create_task(hub.read(ADA, None))
            await asyncio.sleep(1)
            store.hold = False
            store.release()
            await coming
            assert await reading == 2
            assert await hub.inbox.unread(ADA, "user:ada") == 0

    @instant
    async def test_what_was_archived_is_not_read_and_can_come_back(self) -> None:
        async with running() as hub:
            await send(hub, note("a"), note("b"))
            assert await hub.file(ADA, ["a", "a"], ARCHIVED) == 1
            assert await hub.read(ADA, ["a"]) == 0
            assert await hub.read(ADA, None) == 1
            assert await hub.file(ADA, ["a", "b"], UNREAD) == 2
            assert await hub.file(ADA, None, ARCHIVED) == 2
            assert await listed(hub, statuses=frozenset((ARCHIVED,))) == ["b", "a"]

    @instant
    async def test_others_and_strangers(self) -> None:
        async with running() as hub:
            await send(hub, note("n"), note("p", channel="project:p"))
            for grant in (BOB, READER):
                assert await hub.file(grant, ["n", "nothing"], READ) == 0
                with pytest.raises(NotFound):
                    await hub.inbox.one(grant, "n")
                with pytest.raises(NotFound):
                    await hub.inbox.remove(grant, "n")
                with pytest.raises(Forbidden):
                    await hub.inbox.page(grant, NotificationQuery("user:ada"))
                with pytest.raises(Forbidden):
                    await hub.inbox.unread(grant, "user:ada")
            # What is shared is marked by those who may act there.
            assert await listed(hub, READER, channel="project:p") == ["p"]
            assert await hub.file(READER, ["p"], READ) == 0
            with pytest.raises(Forbidden):
                await hub.inbox.file_all(READER, "project:p", READ)
            assert await hub.file(ADA, ["p"], READ) == 1
            assert await hub.inbox.file_all(ADMIN, "user:ada", READ) == 1

    @instant
    async def test_nothing_is_marked_when_it_cannot_be_written(self) -> None:
        store = SlowStore()
        async with running(store) as hub:
            await send(hub, note("n"))
            store.failing = 1
            with pytest.raises(StoreUnavailable):
                await hub.read(ADA, None)
            assert await hub.inbox.unread(ADA, "user:ada") == 1
            assert await hub.read(ADA, None) == 1

    @instant
    async def test_removed_for_good(self) -> None:
        async with running() as hub:
            await send(hub, note("a"), note("b"))
            link, _, _ = follow(hub, channel="user:ada")
            await hub.inbox.remove(ADA, "a")
            with pytest.raises(NotFound):
                await hub.inbox.remove(ADA, "a")
            await asyncio.sleep(1)
            assert link.messages[-1]["removed"] == "a"
            assert (unread(link), set(held(link).records)) == (1, {"b"})
            with pytest.raises(NotFound):
                await hub.inbox.one(ADA, "a")


class TestKeys:
    @instant
    async def test_the_same_key_twice_is_one_notification_and_one_event(self) -> None:
        async with running() as hub:
            link, _, _ = follow(hub, channel="user:ada")
            first, created = await hub.report(ADA, note("a", idempotency_key="k"))
            again, created_again = await hub.report(ADA, note("b", idempotency_key="k"))
            assert (created, created_again, again) == (True, False, first)
            assert first.id == keyed_id("user:ada", "k")
            await send(hub, note("c", idempotency_key="k"), note("d", idempotency_key="l"))
            await asyncio.sleep(1)
            assert len([message for message in link.messages if "notification" in message]) == 2

    @instant
    async def test_a_key_says_nothing_in_another_channel(self) -> None:
        async with running() as hub:
            for grant in (ADA, BOB):
                assert (await hub.report(grant, note("a", idempotency_key="k")))[1]
            assert (await hub.report(ADA, note("a", channel="project:p", idempotency_key="k")))[1]

    @instant
    async def test_two_at_once_are_one(self) -> None:
        async with running(SlowStore()) as hub:
            answers = await asyncio.gather(
                *(hub.report(ADA, note(f"n{n}", idempotency_key="k")) for n in range(5))
            )
            assert sum(created for _, created in answers) == 1
            assert await hub.inbox.unread(ADA, "user:ada") == 1


class TestLists:
    @instant
    async def test_a_query_out_of_bounds(self) -> None:
        async with running() as hub:
            with pytest.raises(InvalidField):
                await listed(hub, limit=0)


IDS = st.sampled_from([f"n{n}" for n in range(12)])


class _Inbox(RuleBasedStateMachine):
    """A dictionary of statuses against a hub that can be killed, with two devices that come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=InstantLoop)
        self.store = SlowStore()
        self.hub: Hub | None = None
        self.model: dict[str, tuple[int, NotificationStatus]] = {}
        self.links: list[TestLink] = []
        self.views: list[View] = []

    def teardown(self) -> None:
        if self.hub is not None:
            self.runner.run(self.hub.stop())
        self.runner.close()

    @initialize()
    def start(self) -> None:
        self.runner.run(self._start())

    async def _start(self) -> None:
        self.hub = Hub(self.store, MemoryBus(), SMALL, clock=unix_ms)
        await self.hub.start()
        self.links, old = [], self.views
        self.views = old or [View(), View()]
        for view in self.views:
            link = TestLink()
            view.answers = 0
            follow(self.hub, link=link, cursor=view.cursor, channel="user:ada")
            self.links.append(link)
        await self._settle()

    async def _settle(self) -> None:
        # Nothing is created twice within a millisecond, so that it is known which is the oldest.
        await asyncio.sleep(0.5)

    @rule(which=IDS)
    def notify(self, which: str) -> None:
        async def do() -> None:
            assert self.hub is not None
            _, created = await self.hub.report(ADA, note(which))
            assert created == (which not in self.model)
            self.model.setdefault(which, (unix_ms(), UNREAD))
            while len(self.model) > KEPT:
                del self.model[min(self.model, key=lambda known: self.model[known][0])]
            await self._settle()

        self.runner.run(do())

    @rule(which=st.none() | st.lists(IDS, max_size=4), status=st.sampled_from(NotificationStatus))
    def file(self, which: list[str] | None, status: NotificationStatus) -> None:
        if which is None and status is UNREAD:
            return

        async def do() -> None:
            assert self.hub is not None
            changed = 0
            for known in set(self.model if which is None else which) & self.model.keys():
                at, before = self.model[known]
                if before is not status and not (status is READ and before is ARCHIVED):
                    self.model[known] = (at, status)
                    changed += 1
            assert await self.hub.file(ADA, which, status) == changed
            await self._settle()

        self.runner.run(do())

    @rule(which=IDS)
    def remove(self, which: str) -> None:
        async def do() -> None:
            assert self.hub is not None
            try:
                await self.hub.inbox.remove(ADA, which)
                assert which in self.model
            except NotFound:
                assert which not in self.model
            self.model.pop(which, None)
            await self._settle()

        self.runner.run(do())

    @rule(seconds=st.sampled_from([1.0, 70.0, 600.0]))
    def wait(self, seconds: float) -> None:
        async def do() -> None:
            await asyncio.sleep(seconds)
            # A round of upkeep later, at the most.
            oldest = unix_ms() - AGE * 1000
            assert self.hub is not None
            await self.hub._upkeep.round()
            self.model = {known: (at, status) for known, (at, status) in self.model.items() if at >= oldest}
            await self._settle()

        self.runner.run(do())

    @rule()
    def kill(self) -> None:
        async def do() -> None:
            assert self.hub is not None
            assert self.hub._upkeep_task is not None
            self.hub._upkeep_task.cancel()
            self.hub.wheel.stop()
            self.store.lose()
            self._read()
            await self._start()

        self.runner.run(do())

    @invariant()
    def everything_agrees(self) -> None:
        if self.hub is None:
            return
        self._read()
        count = sum(status is UNREAD for _, status in self.model.values())

        async def check() -> None:
            assert self.hub is not None
            page = await self.hub.inbox.page(ADA, NotificationQuery("user:ada"))
            assert page.total == len(self.model)
            assert {found.id: found.status for found in page.notifications} == {
                known: status for known, (_, status) in self.model.items()
            }
            assert [found.id for found in page.notifications] == sorted(
                self.model, key=lambda known: self.model[known][0], reverse=True
            )
            assert await self.hub.inbox.unread(ADA, "user:ada") == count

        self.runner.run(check())
        for link, view in zip(self.links, self.views, strict=True):
            if link.messages:
                assert unread(link) == count
            for known, record in view.records.items():
                if known in self.model:
                    assert record["status"] == self.model[known][1]
            log = self.hub.records.channels["user:ada"].log
            shown = {entry.record.id for entry in log.all() if isinstance(entry.record, Notification)}
            assert shown <= view.records.keys()

    def _read(self) -> None:
        for link, view in zip(self.links, self.views, strict=True):
            for message in link.messages[getattr(link, "seen", 0) :]:
                view.apply(message)
            link.seen = len(link.messages)  # type: ignore[attr-defined]


TestInbox = _Inbox.TestCase
TestInbox.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
