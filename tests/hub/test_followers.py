"""Subscriptions as all clients share them: read when they must be, joined to feeds, answered from where each one stands."""

from __future__ import annotations

import asyncio

import pytest

from headway.hub.wanted import Wanted
from headway.model import report as r
from headway.model.cursor import Cursor
from headway.model.grant import Ability, Grant
from headway.ports.store import LogEntry
from tests.hub.scenes import create, follow, held, running, send, shown, tick
from tests.hub.world import ADA, ADMIN, BOB, SlowStore, instant


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
async def test_what_is_open_is_counted_for_each_user_and_for_all() -> None:
    async with running() as hub:
        for follower in [follow(hub, channel="user:ada")[1], follow(hub, BOB, channel="public")[1]]:
            follower.subscribe(Wanted("none", b"", task="none"), lambda error: None)
            await follower.opened()
        _, leaving, _ = follow(hub, channel="user:ada")
        assert [hub.stats(grant)["subscriptions"] for grant in (ADA, BOB, ADMIN)] == [2, 1, 3]
        leaving.leave()
        assert [hub.stats(grant)["subscriptions"] for grant in (ADA, BOB, ADMIN)] == [1, 1, 2]


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


@instant
async def test_a_log_that_is_put_away_while_it_is_opened_is_followed_all_the_same() -> None:
    class PuttingAway(SlowStore):
        async def log(self, task_id: str, offset: int, limit: int) -> tuple[LogEntry, ...]:
            hub._logs.drop(task_id)
            return await super().log(task_id, offset, limit)

    async with running(PuttingAway()) as hub:
        await send(hub, create("t", start=True))
        for start in range(0, 3000, 500):
            lines = tuple(r.LogLine(f"l{n}") for n in range(start, start + 500))
            await send(hub, r.Log(task="t", lines=lines, source="w", seq=start))
        await asyncio.sleep(1)
        link, follower, _ = follow(hub, task="t", log=0)
        await follower.opened()
        await send(hub, r.Log(task="t", lines=(r.LogLine("l3000"),), source="w", seq=3000))
        await asyncio.sleep(1)
        texts = [e["text"] for m in link.messages if m["type"] == "log" for e in m["entries"]]
        assert texts == [f"l{n}" for n in range(3001)]
