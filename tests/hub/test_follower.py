"""One client: what it follows is opened, replaced and ended, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from headway.errors import Forbidden, InternalError, NotFound, SubscriptionLimit, UnknownSubscription
from headway.hub.hub import HubSettings
from headway.hub.wanted import Wanted
from headway.model import report as r
from headway.model.grant import Ability, Grant
from headway.ports.store import LogEntry, Window
from tests.hub.scenes import create, follow, running, send
from tests.hub.world import BOB, SlowStore, TestLink, instant


@instant
async def test_what_is_left_while_it_opens_is_never_answered_and_leaves_nothing_behind() -> None:
    async with running() as hub:
        link, follower, refused = follow(hub, channel="user:ada")
        follower.unsubscribe("s")
        other, gone, _ = follow(hub, channel="user:ada")
        gone.leave()
        await asyncio.sleep(1)
        await send(hub, create("t"))
        assert link.messages == other.messages == []
        assert refused == []
        assert not hub.records.channels["user:ada"].followed


@instant
async def test_the_same_key_again_replaces_what_was_followed() -> None:
    async with running() as hub:
        await send(hub, create("t"), r.Notify(id="n", title="Note"))
        link, follower, _ = follow(hub, channel="user:ada")
        follower.subscribe(Wanted("s", b'"s"', task="t"), lambda error: pytest.fail(str(error)))
        link.messages.clear()
        await send(hub, r.Notify(id="m", title="Note"), r.Start(task="t"))
        await asyncio.sleep(1)
        assert [message["task"]["id"] for message in link.messages] == ["t"]


@instant
async def test_refusals_say_why() -> None:
    async with running(settings=HubSettings(max_subscriptions=2)) as hub:
        await send(hub, create("t"))
        link, follower, refused = follow(hub, BOB, channel="user:ada")
        follower.subscribe(Wanted(1, b"1", task="t"), refused.append)
        follower.subscribe(Wanted(2, b"2", task="nothing"), refused.append)
        await asyncio.sleep(1)
        assert [type(error) for error in refused] == [Forbidden, NotFound, NotFound]
        refused.clear()
        for key in (3, 4, 5):
            follower.subscribe(Wanted(key, b"3", channel="user:bob"), refused.append)
        assert [type(error) for error in refused] == [SubscriptionLimit]
        with pytest.raises(UnknownSubscription):
            follower.unsubscribe(1)
        await asyncio.sleep(1)
        assert all(not message["tasks"] for message in link.messages)


@instant
async def test_a_link_that_drains_while_its_log_is_read_is_answered() -> None:
    async with running() as hub:
        await send(hub, create("t"))
        link = TestLink()
        link.fill()
        _, follower, _ = follow(hub, link=link, task="t", log=0)
        await asyncio.sleep(0.0001)
        link.drain()
        await follower.opened()
        await asyncio.sleep(1)
        assert [message["type"] for message in link.messages] == ["snapshot"]


@instant
async def test_a_link_that_is_to_be_reached_in_another_way_is() -> None:
    class Detour(TestLink):
        __test__ = False
        short = True

        @property
        def way(self) -> Callable[[bytes], bool]:
            return self._short if self.short else self.deliver

        def _short(self, data: bytes) -> bool:
            shortly.append(data)
            return True

    shortly: list[bytes] = []
    async with running() as hub:
        link = Detour()
        _, follower, _ = follow(hub, link=link, channel="user:ada")
        await follower.opened()
        link.messages.clear()
        await send(hub, create("a"))
        await asyncio.sleep(1)
        assert (len(shortly), link.messages) == (1, [])
        link.short = False
        follower.rerouted()
        await send(hub, create("b"))
        await asyncio.sleep(1)
        assert [message["task"]["id"] for message in link.messages] == ["b"]


@instant
async def test_another_grant_ends_what_it_does_not_cover() -> None:
    async with running() as hub:
        link, follower, _ = follow(hub, channel="project:p")
        follower.subscribe(Wanted("own", b'"own"', channel="user:ada"), lambda error: None)
        await follower.opened()
        ended: list[object] = []
        follower.renew(Grant("ada", can=frozenset((Ability.READ,))), lambda key, error: ended.append(key))
        link.messages.clear()
        await send(hub, create("secret", channel="project:p"), create("t"))
        await asyncio.sleep(1)
        assert ended == ["s"]
        assert [message["task"]["id"] for message in link.messages] == ["t"]


@instant
async def test_a_grant_that_shrinks_while_a_subscription_opens_counts_for_it() -> None:
    async with running() as hub:
        link, follower, refused = follow(hub, channel="project:p")
        follower.renew(Grant("ada", can=frozenset((Ability.READ,))), lambda key, error: None)
        await follower.opened()
        await send(hub, create("secret", channel="project:p"))
        await asyncio.sleep(1)
        assert link.messages == []
        assert [type(error) for error in refused] == [Forbidden]


@instant
async def test_a_grant_that_becomes_narrow_while_a_subscription_opens_counts_for_it() -> None:
    async with running() as hub:
        link, follower, refused = follow(hub, channel="project:p")
        narrow = Grant("ada", channels=("project:p",), can=frozenset((Ability.READ,)), narrow=True)
        follower.renew(narrow, lambda key, error: None)
        await follower.opened()
        secret = r.Notify(id="secret", title="Note", channel="project:p")
        await send(hub, secret, create("t", channel="project:p"))
        await asyncio.sleep(1)
        assert refused == []
        assert [message["type"] for message in link.messages] == ["snapshot", "change"]
        assert link.messages[1]["task"]["id"] == "t"


@instant
async def test_a_grant_that_shrinks_while_a_log_is_read_ends_it() -> None:
    class Paged(SlowStore):
        def __init__(self) -> None:
            super().__init__()
            self.asked, self.gate = asyncio.Event(), asyncio.Event()

        async def log(self, task_id: str, offset: int, limit: int) -> tuple[LogEntry, ...]:
            self.asked.set()
            await self.gate.wait()
            return await super().log(task_id, offset, limit)

    store = Paged()
    async with running(store) as hub:
        await send(hub, create("t", channel="project:p", start=True))
        for _ in range(5):
            await send(hub, r.Log(task="t", lines=(r.LogLine("line"),) * 500))
        link, follower, refused = follow(hub, task="t", log=0)
        await store.asked.wait()
        follower.renew(Grant("ada", can=frozenset((Ability.READ,))), lambda key, error: refused.append(error))
        link.messages.clear()
        await send(hub, r.TickReport(task="t", done=5))
        store.gate.set()
        await follower.opened()
        await asyncio.sleep(1)
        assert link.messages == []
        assert [type(error) for error in refused] == [NotFound]
        assert not hub.records.channels["project:p"].followed


@instant
async def test_a_subscription_that_breaks_while_it_opens_is_refused_and_holds_nobody_up() -> None:
    class Broken(SlowStore):
        async def window(self, channel: str, finished: int, newer_than: int, notifications: int) -> Window:
            raise RuntimeError("a fault in a store")

    async with running(Broken()) as hub:
        _, follower, refused = follow(hub, channel="user:ada")
        await follower.opened()
        assert [type(error) for error in refused] == [InternalError]
