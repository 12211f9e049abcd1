"""What `headway.ports.store` promises of logs, asked of every adapter."""

from __future__ import annotations

import asyncio

from headway.ports.store import MOST_SOURCES, LogEntry, Store, Writes
from tests.contract.store_records import (
    make_line,
    make_tombstone,
    put,
    reopen,
)


class TestLog:
    async def test_lines_come_in_order_from_an_offset(self, store: Store) -> None:
        lines = [make_line("t", n, f"line {n}", source="s", seq=n) for n in range(12)]
        await store.write(Writes(logs=[*reversed(lines), make_line("u", 0)]))
        assert await store.log("t", 0, 100) == tuple(lines)
        assert await store.log("t", 9, 100) == tuple(lines[9:])
        assert await store.log("t", 2, 3) == tuple(lines[2:5])
        assert await store.log("t", 12, 3) == ()

    async def test_a_line_without_a_source_comes_back_as_it_was(self, store: Store) -> None:
        entry = LogEntry(task="t", offset=0, at=1, level="error", text="Zeile\n\t2")
        await store.write(Writes(logs=[entry]))
        assert await store.log("t", 0, 1) == (entry,)

    async def test_the_end_tells_the_next_offset_and_the_highest_seq_of_each_source(
        self, store: Store
    ) -> None:
        await store.write(
            Writes(
                logs=[
                    make_line("t", 0, source="a", seq=7),
                    make_line("t", 1, source="b", seq=0),
                    make_line("t", 2, source="a", seq=5),
                    make_line("t", 3),
                    make_line("t", 4, source="c"),
                ]
            )
        )
        assert await store.log_end("t") == (5, {"a": 7, "b": 0})

    async def test_trimming_keeps_the_offsets_of_the_others(self, store: Store) -> None:
        await store.write(Writes(logs=[make_line("t", n) for n in range(6)]))
        await store.write(Writes(logs=[make_line("u", 0)]))
        await store.trim_log("t", 4)
        assert [entry.offset for entry in await store.log("t", 0, 10)] == [4, 5]
        assert await store.log_end("t") == (6, {})
        assert await store.log("u", 0, 10) == (make_line("u", 0),)

    async def test_the_end_survives_trimming_everything(self, store: Store) -> None:
        await store.write(Writes(logs=[make_line("t", n, source="a", seq=n + 5) for n in range(3)]))
        await store.trim_log("t", 2)
        await store.trim_log("t", 99)
        await store.trim_log("nobody", 99)
        await reopen(store)
        assert await store.log("t", 0, 10) == ()
        assert await store.log_end("t") == (3, {"a": 7})
        assert await store.log_end("nobody") == (0, {})
        await store.write(Writes(logs=[make_line("t", 3, source="b", seq=1)]))
        assert await store.log_end("t") == (4, {"a": 7, "b": 1})

    async def test_a_new_task_of_a_removed_id_begins_at_0(self, store: Store) -> None:
        await store.write(Writes(logs=[make_line("t", 0, source="a", seq=1)]))
        await store.trim_log("t", 1)
        await put(store, make_tombstone("t", 2))
        assert await store.log_end("t") == (0, {})

    async def test_trimming_sees_the_writes_before_it(self, store: Store) -> None:
        write = store.write(Writes(logs=[make_line("t", 0)]))
        trim = store.trim_log("t", 1)
        after = store.write(Writes(logs=[make_line("t", 1)]))
        await asyncio.gather(after, trim, write)
        assert await store.log("t", 0, 10) == (make_line("t", 1),)

    async def test_the_source_that_spoke_last_comes_last(self, store: Store) -> None:
        said = ["z", "b", "a", "z", "c", "b"]
        lines = [make_line("t", n, source=source, seq=n) for n, source in enumerate(said)]
        await store.write(Writes(logs=lines))
        for below in (0, 3, 6):
            await store.trim_log("t", below)
            assert list((await store.log_end("t"))[1]) == ["a", "z", "c", "b"]

    async def test_of_very_many_sources_those_that_spoke_last_are_remembered(self, store: Store) -> None:
        count = MOST_SOURCES + 5
        for begin in (0, count):
            entries = [make_line("t", begin + n, source=f"s{begin + n}", seq=n) for n in range(count)]
            await store.write(Writes(logs=entries))
            await store.trim_log("t", begin + count)
        end, sources = await store.log_end("t")
        assert end == 2 * count
        assert set(sources) == {f"s{n}" for n in range(2 * count - MOST_SOURCES, 2 * count)}
