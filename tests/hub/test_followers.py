"""One client's subscriptions: opened, answered, ended, whatever happens in between."""

from __future__ import annotations

import asyncio

import pytest

from headway.errors import Forbidden, NotFound, SubscriptionLimit, UnknownSubscription
from headway.hub.followers import Only, Wanted
from headway.hub.hub import HubSettings
from headway.model import report as r
from headway.model.cursor import Cursor
from headway.model.grant import Ability, Grant
from tests.hub.scenes import create, follow, held, running, send, shown, tick
from tests.hub.world import ADA, BOB, SlowStore, TestLink, instant


@instant
async def test_a_channel_that_is_not_in_memory_is_answered_when_it_is_read() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t"), r.Fail(task="t"))
        await asyncio.sleep(700)
        link, follower, refused = follow(hub, channel="user:ada")
        assert link.messages == []
        assert not follower.caught_up
        await follower.opened()
        assert set(held(link).records) == {"t"}
        assert (refused, follower.caught_up) == ([], True)


@instant
async def test_who_follows_a_task_lacks_nothing_when_others_of_its_channel_go_on() -> None:
    async with running() as hub:
        await send(hub, create("t"), create("other"))
        link, follower, _ = follow(hub, task="t")
        await send(hub, tick("other", 1))
        found = [follower.caught_up]
        link.fill()
        await send(hub, tick("t", 1))
        found.append(follower.caught_up)
        link.drain()
        await asyncio.sleep(0.1)
        assert [*found, follower.caught_up] == [True, False, True]


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
async def test_a_fact_that_is_not_durable_is_in_no_answer() -> None:
    store = SlowStore()
    async with running(store) as hub:
        store.hold = True
        creating = asyncio.create_task(send(hub, create("t")))
        await asyncio.sleep(0.01)
        link, _, _ = follow(hub, task="t")
        whole, _, _ = follow(hub, channel="user:ada")
        assert held(link).records == held(whole).records == {}
        store.hold = False
        store.release()
        await creating
        await asyncio.sleep(1)
        assert set(held(link).records) == set(held(whole).records) == {"t"}


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
async def test_a_grant_that_covers_nothing_but_what_it_names_ends_what_was_followed_by_a_wider_one() -> None:
    async with running() as hub:
        await send(hub, create("t"))
        link, follower, _ = follow(hub, channel="user:ada")
        follower.subscribe(Wanted("log", b'"log"', task="t", log=0), lambda error: None)
        await follower.opened()
        ended: list[object] = []
        narrow = Grant("ada", channels=("user:ada",), can=frozenset((Ability.READ,)), narrow=True)
        follower.renew(narrow, lambda key, error: ended.append(key))
        link.messages.clear()
        await send(
            hub, r.Log(task="t", lines=(r.LogLine("secret"),)), r.Notify(id="n", title="secret", user="ada")
        )
        await asyncio.sleep(1)
        assert (ended, link.messages) == (["s", "log"], [])


@instant
async def test_a_grant_that_shrinks_while_a_subscription_opens_counts_for_it() -> None:
    async with running() as hub:
        link, follower, refused = follow(hub, channel="project:p")
        follower.renew(Grant("ada", can=frozenset((Ability.READ,))), lambda key, error: None)
        await follower.opened()
        link.messages.clear()
        await send(hub, create("secret", channel="project:p"))
        await asyncio.sleep(1)
        assert link.messages == []
        assert [type(error) for error in refused] == [Forbidden]


@instant
async def test_a_feed_that_was_emptied_begins_again_where_the_next_one_stands() -> None:
    async with running() as hub:
        await send(hub, create("t", start=True))
        first, leaving, _ = follow(hub, channel="user:ada")
        await send(hub, tick("t", 1))
        await send(hub, tick("t", 2))
        leaving.leave()
        channel = hub.records.channels["user:ada"]
        assert not channel.followed
        second, _, _ = follow(hub, channel="user:ada", cursor=held(first).cursor)
        await send(hub, tick("t", 3))
        await asyncio.sleep(1)
        assert held(first).records["t"]["progress"]["done"] == 1
        dones = [m["task"]["progress"]["done"] for m in second.messages if m["type"] == "change"]
        assert second.messages[0]["tasks"][0]["progress"]["done"] == 2
        assert dones[-1] == 3
        assert len(dones) == len(set(dones))


@pytest.mark.parametrize("foreign", [Cursor("elsewhere", 1), Cursor("", 10**9)])
def test_a_cursor_that_is_not_ours_gives_everything(foreign: Cursor) -> None:
    @instant
    async def scenario() -> None:
        async with running() as hub:
            await send(hub, create("t"))
            cursor = foreign if foreign.epoch else Cursor(hub.records.epoch, foreign.rev)
            link, _, _ = follow(hub, channel="user:ada", cursor=cursor)
            (answer,) = link.messages
            assert (answer["reset"], len(answer["tasks"])) == (True, 1)

    scenario()


@instant
async def test_a_filter_lets_pass_what_it_names_and_every_removal() -> None:
    async with running() as hub:
        await send(hub, create("p", total=None), create("a", kind="x", tags=("q",), parent="p"), create("b"))
        for only, ids in [
            (Only(kind="x"), {"a"}),
            (Only(tag="q"), {"a"}),
            (Only(parent="p"), {"a"}),
            (Only(kind="x", tag="z"), set()),
            (Only(), {"a", "b", "p"}),
        ]:
            link, _, _ = follow(hub, channel="user:ada", only=only)
            assert set(held(link).records) == ids
        link, _, _ = follow(hub, channel="user:ada", only=Only(kind="x"))
        await send(hub, r.Notify(id="n", title="Note"), r.Fail(task="a"))
        await hub.remove(ADA, "a")
        await asyncio.sleep(1)
        assert held(link).records == {}
        assert all("notification" not in message for message in link.messages)


@instant
async def test_a_log_is_told_from_its_offset_and_goes_on() -> None:
    store = SlowStore()
    async with running(store) as hub:
        lines = tuple(r.LogLine(f"l{n}") for n in range(5))
        await send(hub, create("t", start=True), r.Log(task="t", lines=lines, source="w", seq=0))
        link, follower, _ = follow(hub, task="t", log=2)
        await follower.opened()
        more = (r.LogLine("l5"),)
        await send(hub, r.Log(task="t", lines=more, source="w", seq=5))
        await asyncio.sleep(1)
        told = [message for message in link.messages if message["type"] == "log"]
        assert [(m["offset"], m["next"]) for m in told] == [(2, 5), (5, 6)]
        assert [entry["text"] for m in told for entry in m["entries"]] == ["l2", "l3", "l4", "l5"]


@instant
async def test_lines_that_are_no_longer_at_hand_come_from_the_store() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t", start=True))
        for start in range(0, 3000, 500):
            lines = tuple(r.LogLine(f"l{n}") for n in range(start, start + 500))
            await send(hub, r.Log(task="t", lines=lines, source="w", seq=start))
        await asyncio.sleep(1)
        link, follower, _ = follow(hub, task="t", log=0)
        await follower.opened()
        texts = [e["text"] for m in link.messages if m["type"] == "log" for e in m["entries"]]
        assert texts == [f"l{n}" for n in range(3000)]


@instant
async def test_two_followers_of_one_kind_share_a_feed_and_others_do_not() -> None:
    async with running() as hub:
        await send(hub, create("t"))
        follow(hub, channel="user:ada")
        follow(hub, channel="user:ada")
        assert len(hub.records.channels["user:ada"].feeds) == 1
        follow(hub, channel="user:ada", pace=1.0)
        assert len(hub.records.channels["user:ada"].feeds) == 2
        assert shown(hub, "t") is not None
