"""Records in memory: loaded once, let go of when nothing needs them, and never older than what is stored."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from headway.errors import StoreUnavailable
from headway.hub.hub import HubSettings
from headway.hub.log import Bounds
from headway.hub.records import Records
from headway.model import report as r
from headway.model.notification import NotificationStatus
from headway.model.task import Children, TaskState
from headway.ports.store import Window, Writes
from headway.stores.memory import MemoryStore
from tests.contract.store_records import make_note, make_task
from tests.hub.scenes import create, follow, held, running, send, shown, tick
from tests.hub.world import ADA, SlowStore, instant, small_bounds, unix_ms

SMALL = HubSettings(bounds=small_bounds)


class CountingStore(SlowStore):
    windows = 0
    broken = False

    async def window(self, channel: str, finished: int, newer_than: int, notifications: int) -> Window:
        self.windows += 1
        if self.broken:
            raise StoreUnavailable
        return await super().window(channel, finished, newer_than, notifications)


async def opened(store: SlowStore) -> Records:
    records = Records(store, Bounds(), unix_ms)
    await records.open(await store.open())
    return records


@instant
async def test_a_channel_is_read_once_however_many_ask_and_whoever_gives_up() -> None:
    store = CountingStore()
    records = await opened(store)
    asking = [asyncio.create_task(records.channel("user:ada")) for _ in range(3)]
    await asyncio.sleep(0)
    asking[0].cancel()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert found[1] is found[2] is records.loaded("user:ada")
    assert store.windows == 1


@instant
async def test_a_channel_that_could_not_be_read_is_read_again() -> None:
    store = CountingStore()
    records = await opened(store)
    store.broken = True
    with pytest.raises(StoreUnavailable):
        await records.channel("user:ada")
    store.broken = False
    assert (await records.channel("user:ada")).name == "user:ada"


@instant
async def test_a_restart_goes_on_above_every_cursor_and_shows_the_first_change() -> None:
    store = SlowStore()
    async with running(store) as hub:
        link, _, _ = follow(hub, channel="user:ada")
        await send(hub, create("t", start=True))
        await asyncio.sleep(1)
        last = held(link).cursor
    async with running(store) as hub:
        link, _, _ = follow(hub, channel="user:ada", cursor=last)
        await asyncio.sleep(1)
        await send(hub, tick("t", 5))
        await asyncio.sleep(1)
    answer, change = link.messages
    assert (answer["type"], answer["reset"], answer["tasks"]) == ("snapshot", False, [])
    assert (change["type"], change["task"]["progress"]["done"]) == ("change", 5)


@instant
async def test_a_parent_is_counted_anew_when_it_is_loaded_and_its_percent_is_not() -> None:
    store = SlowStore()
    await store.open()
    wrong = Children(count=2, weight=2, points=9_999, running=2)
    parent = make_task("p", 5, children=wrong)
    parent = make_task("p", 5, children=wrong, progress=type(parent.progress)(0, None, 50.0, ""))
    finished = make_task("a", 3, TaskState.SUCCEEDED, parent="p")
    await store.write(Writes(records=[parent, finished, make_task("b", 4, parent="p")]))
    records = await opened(store)
    loaded = records.tasks["p"]
    assert loaded.children == Children(count=2, weight=2, points=10_000, running=1, succeeded=1)
    assert loaded.progress.percent == 50.0


@instant
async def test_what_is_trimmed_stays_while_somebody_follows_it_or_it_has_to_be_written() -> None:
    store = SlowStore()
    async with running(store, SMALL) as hub:
        await send(hub, create("followed"), r.Succeed(task="followed"))
        await send(hub, create("p", total=None), create("c", parent="p", start=True), r.Succeed(task="p"))
        link, _, _ = follow(hub, task="followed")
        await send(hub, tick("c", 50))
        for n in range(8):
            await send(hub, create(f"t{n}"), r.Succeed(task=f"t{n}"))
        assert "followed" in hub.records.tasks
        assert shown(hub, "t0") is None
        await asyncio.sleep(1)
        stored = await store.task("p")
        assert stored.children.points == 5000
        late, _, _ = follow(hub, task="followed")
        assert late.messages[0]["tasks"][0]["state"] == "succeeded"
        assert link.ended is None


@instant
async def test_who_was_full_while_what_it_holds_was_let_go_of_begins_anew() -> None:
    async with running(settings=SMALL) as hub:
        await send(hub, create("t", start=True))
        link, _, _ = follow(hub, channel="user:ada")
        link.fill()
        await send(hub, r.Succeed(task="t"))
        for n in range(9):
            await send(hub, create(f"t{n}"), r.Succeed(task=f"t{n}"))
        assert shown(hub, "t") is None
        link.drain()
        await asyncio.sleep(1)
        view = held(link)
        assert view.resets == 2
        assert "t" not in view.records


@instant
async def test_a_task_that_is_being_removed_is_not_found_in_the_store() -> None:
    store = SlowStore()
    async with running(store, SMALL) as hub:
        await send(hub, create("t"), r.Fail(task="t"))
        reading = asyncio.create_task(hub.records.find("t"))
        store.hold = True
        removing = asyncio.create_task(hub.remove(ADA, "t"))
        await asyncio.sleep(0.01)
        assert await hub.records.find("t") is None
        store.release()
        store.hold = False
        await removing
        assert await hub.records.find("t") is None
        await reading


@instant
async def test_an_evicted_channel_comes_back_as_it_was() -> None:
    store = SlowStore()
    async with running(store) as hub:
        await send(hub, create("t"), r.Succeed(task="t"), r.Notify(id="n", title="Note"))
        await asyncio.sleep(700)
        assert hub.records.loaded("user:ada") is None
        assert hub.records.tasks == {}
        assert hub.records.notifications == {}
        link, _, _ = follow(hub, channel="user:ada")
        await asyncio.sleep(1)
        assert set(held(link).records) == {"t", "n"}
        await send(hub, create("u"))
        await asyncio.sleep(1)
        assert set(held(link).records) == {"t", "n", "u"}


@instant
async def test_keys_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    records = await opened(SlowStore())
    monkeypatch.setattr("headway.hub.records._REMEMBERED_KEYS", 2)
    for n in range(3):
        records.remember_key("user:ada", f"k{n}", f"t{n}")
    assert [records.known_key("user:ada", f"k{n}") for n in range(3)] == [None, "t1", "t2"]


@instant
async def test_an_old_notification_is_found_in_the_store() -> None:
    store = SlowStore()
    await store.open()
    await store.write(Writes(records=[make_note("n", channel="user:bob")]))
    records = await opened(store)
    found = await records.find_notification("n")
    assert found is not None
    assert await records.find_notification("m") is None


@instant
async def test_what_was_not_sent_yet_is_not_let_go_of() -> None:
    async with running(MemoryStore(), SMALL) as hub:
        link, _, _ = follow(hub, channel="user:ada")
        await asyncio.sleep(1)
        for batch in range(5):
            # More than are kept at hand, within the time of one flush.
            await send(hub, *(r.Notify(id=f"n{batch}-{n}", title="N") for n in range(20)))
        await asyncio.sleep(60)
        assert len(held(link).records) == 100
        assert [message["reset"] for message in link.messages if message["type"] == "snapshot"] == [True]
        assert len(hub.records.channels["user:ada"].log) < 10


@instant
async def test_who_comes_back_gets_everything_that_it_missed_and_who_is_new_the_newest() -> None:
    async with running(settings=HubSettings(bounds=replace(small_bounds, hot=50))) as hub:
        link, follower, _ = follow(hub, channel="user:ada")
        await asyncio.sleep(1)
        follower.leave()
        view = held(link)
        await send(hub, *(r.Notify(id=f"n{n:02}", title="N") for n in range(40)))
        await hub.file(ADA, ["n39"], NotificationStatus.ARCHIVED)
        await asyncio.sleep(1)
        back, _, _ = follow(hub, cursor=view.cursor, channel="user:ada")
        assert back.messages[0]["reset"] is False
        assert len(held(back).records) == 40
        new, _, _ = follow(hub, channel="user:ada")
        assert set(held(new).records) == {"n37", "n38"}
        assert (back.messages[0]["unread"], new.messages[0]["unread"]) == (39, 39)
