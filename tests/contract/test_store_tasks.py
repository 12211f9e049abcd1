"""What `headway.ports.store` promises of lists of tasks, asked of every adapter."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from headway.errors import InvalidField
from headway.model.task import TaskState
from headway.ports.store import Store, TaskQuery
from tests.contract.store_records import (
    listed,
    make_task,
    make_tombstone,
    put,
)

SUCCEEDED, FAILED = TaskState.SUCCEEDED, TaskState.FAILED


class TestTasks:
    async def test_newest_first_by_creation_then_id(self, store: Store) -> None:
        await put(
            store,
            make_task("b", 1, created_at=5),
            make_task("a", 2, created_at=5),
            make_task("B", 3, created_at=5),
            make_task("z", 4, created_at=1),
            make_task("0", 5, created_at=9),
        )
        assert await listed(store, TaskQuery(None)) == ["0", "b", "a", "B", "z"]

    async def test_pages_hold_each_task_once(self, store: Store) -> None:
        await put(store, *(make_task(f"t{n:02}", n, created_at=n // 4) for n in range(23)))
        seen: list[str] = []
        after: str | None = None
        sizes = []
        while True:
            page = await store.tasks(TaskQuery(None, after=after, limit=5))
            seen += [task.id for task in page.tasks]
            sizes.append(len(page.tasks))
            after = page.next
            if after is None:
                break
        assert sizes == [5, 5, 5, 5, 3]
        assert seen == [f"t{n:02}" for n in reversed(range(23))]

    async def test_a_full_last_page_has_no_next(self, store: Store) -> None:
        await put(store, make_task("a", 1), make_task("b", 2))
        assert (await store.tasks(TaskQuery(None, limit=2))).next is None
        assert (await store.tasks(TaskQuery(None, limit=1))).next is not None

    @pytest.mark.parametrize("limit", [0, 201])
    async def test_a_limit_out_of_bounds_is_refused(self, store: Store, limit: int) -> None:
        with pytest.raises(InvalidField, match="limit"):
            await store.tasks(TaskQuery(None, limit=limit))

    @pytest.mark.parametrize("after", ["", "x", "1", "1.", "99999999999999999999.a", "1.a b", "1.a\n"])
    async def test_an_after_that_is_none_is_refused(self, store: Store, after: str) -> None:
        with pytest.raises(InvalidField, match="after"):
            await store.tasks(TaskQuery(None, after=after))

    async def test_patterns_and_single_tasks_make_visible(self, store: Store) -> None:
        await put(
            store,
            make_task("public", 1, channel="public", created_at=1),
            make_task("ada", 2, channel="user:ada", created_at=2),
            make_task("adam", 3, channel="user:adam", created_at=3),
            make_task("Ada", 4, channel="user:Ada", created_at=4),
            make_task("p", 5, channel="project:ada", created_at=5),
        )
        every = ["p", "Ada", "adam", "ada", "public"]
        assert await listed(store, TaskQuery(None)) == every
        assert await listed(store, TaskQuery(("*",))) == every
        assert await listed(store, TaskQuery(())) == []
        assert await listed(store, TaskQuery(("user:ada",))) == ["ada"]
        assert await listed(store, TaskQuery(("user:*",))) == ["Ada", "adam", "ada"]
        assert await listed(store, TaskQuery(("User:*",))) == []
        assert await listed(store, TaskQuery(("user:ada", "public"))) == ["ada", "public"]
        assert await listed(store, TaskQuery((), tasks=("p", "nobody"))) == ["p"]
        assert await listed(store, TaskQuery(("project:*",), tasks=("ada",))) == ["p", "ada"]
        assert await listed(store, TaskQuery(("user:*",), channel="user:ada")) == ["ada"]
        assert await listed(store, TaskQuery(("user:*",), channel="project:ada")) == []

    async def test_each_filter_selects(self, store: Store) -> None:
        await put(
            store,
            make_task("a", 1, kind="dedup", parent="p", tags=("x", "y"), created_at=1),
            make_task("b", 2, SUCCEEDED, parent="q", tags=("y",), created_at=2),
            make_task("c", 3, FAILED, kind="dedup", created_at=3),
        )
        assert await listed(store, TaskQuery(None, states=frozenset((SUCCEEDED, FAILED)))) == ["c", "b"]
        assert await listed(store, TaskQuery(None, kind="dedup")) == ["c", "a"]
        assert await listed(store, TaskQuery(None, parent="p")) == ["a"]
        assert await listed(store, TaskQuery(None, tag="y")) == ["b", "a"]
        assert await listed(store, TaskQuery(None, kind="dedup", tag="y")) == ["a"]
        assert await listed(store, TaskQuery(None, tag="y", limit=1)) == ["b"]

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("IMPORT", ["a"]),
            ("größe", ["b"]),
            ("GRÖSSE", ["b"]),
            ("strasse", ["c"]),
            ("100%", ["d"]),
            ("0%_", []),
            ("_", ["e"]),
            ("/", ["e"]),
            ("", ["e", "d", "c", "b", "a"]),
            ("a" * 60_000, []),
        ],
    )
    async def test_text_is_part_of_the_title_and_case_does_not_count(
        self, store: Store, text: str, found: list[str]
    ) -> None:
        titles = {"a": "Importing", "b": "Größe ändern", "c": "STRAẞE", "d": "To 100% done", "e": "a_b/c"}
        await put(
            store,
            *(
                make_task(name, n, title=title, created_at=n)
                for n, (name, title) in enumerate(titles.items())
            ),
        )
        assert await listed(store, TaskQuery(None, text=text)) == found


class TestNumbers:
    async def test_a_task_is_found_by_its_number(self, store: Store) -> None:
        await put(store, make_task("a", 1, number=1), make_task("b", 2, number=2), make_task("c", 3))
        assert await listed(store, TaskQuery(None, number=2)) == ["b"]
        assert await listed(store, TaskQuery((), number=2)) == []
        assert await listed(store, TaskQuery(None, number=3)) == []

    async def test_it_stays_when_the_task_changes(self, store: Store) -> None:
        task = make_task("a", 1, number=7)
        await put(store, task)
        await put(store, replace(task, rev=2, title="Later"))
        assert await listed(store, TaskQuery(None, number=7)) == ["a"]

    async def test_the_highest_is_known_for_ever(self, store: Store) -> None:
        await put(store, make_task("a", 1, SUCCEEDED, number=1), make_task("b", 2, SUCCEEDED, number=2))
        await put(store, make_tombstone("b", 3))
        await store.close()
        assert (await store.open()).number == 2
        await put(store, make_tombstone("a", 4), make_task("c", 5, number=3))
        await store.close()
        assert (await store.open()).number == 3
