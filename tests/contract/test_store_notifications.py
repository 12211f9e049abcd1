"""What `headway.ports.store` promises of notifications in lists, asked of every adapter."""

from __future__ import annotations

import pytest

from headway.errors import InvalidField
from headway.model.notification import NotificationStatus
from headway.ports.store import NotificationQuery, Store
from tests.contract.store_records import CHANNEL, make_note, make_tombstone, put, reopen, window

UNREAD, READ, ARCHIVED = NotificationStatus


async def listed(store: Store, **query: object) -> list[str]:
    page = await store.notifications(NotificationQuery(CHANNEL, **query))  # type: ignore[arg-type]
    return [note.id for note in page.notifications]


class TestNotifications:
    async def test_newest_first_by_creation_then_by_id(self, store: Store) -> None:
        await put(
            store,
            make_note("b", 1, created_at=5),
            make_note("a", 2, created_at=5),
            make_note("c", 3, created_at=4),
            make_note("d", 4, created_at=9, channel="user:bob"),
        )
        assert await listed(store) == ["b", "a", "c"]

    async def test_the_whole_record_comes_back(self, store: Store) -> None:
        note = make_note("a", kind="report", data={"n": [1, None]}, link="/r")
        await put(store, note)
        assert (await store.notifications(NotificationQuery(CHANNEL))).notifications == (note,)

    async def test_by_status_and_kind(self, store: Store) -> None:
        await put(
            store,
            make_note("a", 1, kind="x"),
            make_note("b", 2, READ, kind="x"),
            make_note("c", 3, ARCHIVED, kind="X"),
            make_note("d", 4, ARCHIVED),
        )
        assert await listed(store, statuses=frozenset((UNREAD,))) == ["a"]
        assert await listed(store, statuses=frozenset((READ, ARCHIVED))) == ["d", "c", "b"]
        assert await listed(store, kind="x") == ["b", "a"]
        assert await listed(store, kind="x", statuses=frozenset((READ,))) == ["b"]
        assert await listed(store, kind="") == ["d"]
        assert await listed(store, kind="y") == []

    async def test_a_changed_status_is_the_one_that_counts(self, store: Store) -> None:
        await put(store, make_note("a", 1))
        await put(store, make_note("a", 2, READ))
        assert await listed(store, statuses=frozenset((UNREAD,))) == []
        assert await listed(store, statuses=frozenset((READ,))) == ["a"]

    async def test_pages_hold_each_once_and_say_how_many_there_are(self, store: Store) -> None:
        await put(store, *(make_note(f"n{n}", n, created_at=n // 3) for n in range(10)))
        seen: list[str] = []
        after = None
        while True:
            page = await store.notifications(NotificationQuery(CHANNEL, after=after, limit=4))
            assert page.total == 10
            seen += [note.id for note in page.notifications]
            after = page.next
            if after is None:
                break
        assert seen == [f"n{n}" for n in reversed(range(10))]

    async def test_total_counts_what_the_filter_lets_pass(self, store: Store) -> None:
        await put(store, make_note("a", 1), make_note("b", 2, READ), make_note("c", 3, READ))
        page = await store.notifications(NotificationQuery(CHANNEL, statuses=frozenset((READ,)), limit=1))
        assert (page.total, page.next is None) == (2, False)
        page = await store.notifications(NotificationQuery("user:nobody"))
        assert page.total == 0

    async def test_kinds_can_be_left_out(self, store: Store) -> None:
        kinds = {"a": "alert", "b": "", "c": "weather", "d": "report"}
        notes = [make_note(name, n, kind=kind) for n, (name, kind) in enumerate(kinds.items(), 1)]
        await put(store, *notes)
        assert await listed(store, other_than=frozenset(("alert", "report"))) == ["c", "b"]
        page = await store.notifications(NotificationQuery(CHANNEL, other_than=frozenset(("alert",))))
        assert page.total == 3

    async def test_skipping_begins_further_down(self, store: Store) -> None:
        await put(store, *(make_note(f"n{n}", n, created_at=n) for n in range(5)))
        assert await listed(store, skip=2, limit=2) == ["n2", "n1"]
        assert await listed(store, skip=5) == []

    @pytest.mark.parametrize(
        "query",
        [{"limit": 0}, {"limit": 201}, {"skip": -1}, {"skip": 2**64}, {"after": "n"}, {"after": "1."}],
    )
    async def test_what_is_out_of_bounds_is_refused(self, store: Store, query: dict[str, object]) -> None:
        with pytest.raises(InvalidField):
            await listed(store, **query)

    async def test_what_was_removed_is_not_listed(self, store: Store) -> None:
        await put(store, make_note("a", 1), make_note("b", 2), make_tombstone("a", 3))
        assert await listed(store) == ["b"]

    async def test_they_survive_reopening(self, store: Store) -> None:
        await put(store, make_note("a", 1, kind="x"))
        await reopen(store)
        assert await listed(store, kind="x") == ["a"]


class TestAged:
    async def test_the_oldest_of_all_channels_first(self, store: Store) -> None:
        await put(
            store,
            make_note("b", 1, created_at=5),
            make_note("c", 2, READ, created_at=4, channel="user:bob"),
            make_note("a", 3, ARCHIVED, created_at=5),
            make_note("d", 4, created_at=6),
        )
        assert [note.id for note in await store.aged_notifications(6, 10)] == ["c", "a", "b"]
        assert [note.id for note in await store.aged_notifications(6, 1)] == ["c"]
        assert await store.aged_notifications(4, 10) == ()


class TestUnreadBeyondTheWindow:
    async def test_the_window_names_the_unread_that_it_leaves_out(self, store: Store) -> None:
        await put(
            store,
            *(make_note(f"n{n}", n, created_at=n) for n in range(1, 6)),
            make_note("read", 6, READ),
            make_note("bob", 7, channel="user:bob"),
        )
        assert (await window(store, notifications=2)).unread == ("n3", "n2", "n1")
        assert (await window(store, notifications=5)).unread == ()
        assert len((await window(store, notifications=0)).unread) == 5
