"""Groups of writes, readers beside the writer, and a kill in the middle."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from headway.ports.store import TaskQuery, Writes
from headway.stores.schema import metadata
from headway.stores.sqlite import SqliteStore
from tests.contract.store_records import CHANNEL, make_line, make_note, make_task, make_tombstone
from tests.stores.locks import exclusive_lock


def transactions(store: SqliteStore) -> list[str]:
    """From now on, every COMMIT of the writer."""
    seen: list[str] = []
    connection = store._writer._connection
    assert connection is not None
    connection.set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    return seen


class TestGroups:
    async def test_what_is_asked_in_one_turn_is_one_transaction(self, store: SqliteStore) -> None:
        commits = transactions(store)
        await asyncio.gather(*(store.write(Writes([make_task(f"t{n}", n)])) for n in range(500)))
        assert len(commits) == 1

    async def test_what_gathers_while_one_is_written_is_the_next_one(
        self, store: SqliteStore, path: Path
    ) -> None:
        commits = transactions(store)
        with exclusive_lock(path) as other:
            first = asyncio.ensure_future(store.write(Writes([make_task("first")])))
            # Two turns: one for the call, one for the group to begin.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            behind = [store.write(Writes([make_task(f"t{n}", n)])) for n in range(500)]
            other.execute("ROLLBACK")
            await asyncio.gather(first, *behind)
        assert len(commits) == 2


class TestRemoval:
    async def test_a_removed_record_leaves_no_row_but_its_tombstone(
        self, store: SqliteStore, path: Path
    ) -> None:
        task = make_task("t", 1, tags=("x",))
        await store.write(
            Writes([task, make_note("n", 2)], [make_line("t", 0), make_line("t", 1)], {"t": "key"})
        )
        await store.trim_log("t", 1)
        await store.write(Writes([make_tombstone("t", 3), make_tombstone("n", 4)]))
        with closing(sqlite3.connect(path)) as connection:
            rows = {
                table.name: connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]
                for table in metadata.sorted_tables
            }
        assert {name for name, count in rows.items() if count} == {"meta", "tombstones"}


class TestKill:
    async def test_acknowledged_writes_survive_kill_9(self, path: Path) -> None:
        code = f"""
import asyncio
from headway.ports.store import Writes
from headway.stores.schema import metadata
from headway.stores.sqlite import SqliteStore
from tests.contract.store_records import make_task

async def main():
    store = SqliteStore({str(path)!r})
    await store.open()
    rev = 0
    while True:
        rev += 1
        await store.write(Writes([make_task("changing", rev), make_task(f"t{{rev}}", rev)]))
        print(rev, flush=True)

asyncio.run(main())
"""
        root = Path(__file__).parents[2]
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root)
        assert child.stdout is not None
        with child.stdout:
            for line in child.stdout:
                if int(line) >= 200:
                    break
            child.send_signal(signal.SIGKILL)
            acknowledged = max([200, *(int(line) for line in child.stdout if line.endswith("\n"))])
        assert child.wait() == -signal.SIGKILL

        store = SqliteStore(path)
        await store.open()
        changing = await store.task("changing")
        assert changing is not None
        assert changing.rev >= acknowledged
        for rev in range(1, changing.rev + 1):
            assert await store.task(f"t{rev}") == make_task(f"t{rev}", rev)
        assert await store.task(f"t{changing.rev + 1}") is None
        await store.close()


class TestReaders:
    async def test_many_readers_beside_a_writer_see_whole_transactions(self, store: SqliteStore) -> None:
        done = asyncio.Event()

        async def write() -> None:
            for rev in range(1, 101):
                await store.write(Writes([make_task("a", 2 * rev), make_task("b", 2 * rev + 1)]))
            done.set()

        async def read() -> int:
            reads, last = 0, 0
            while not done.is_set():
                revs = [record.rev for record in (await store.window(CHANNEL, 10, 0, 10)).records]
                assert revs in ([], [revs[0], revs[0] + 1] if revs else [])
                assert not revs or revs[0] >= last
                last = revs[0] if revs else 0
                reads += 1
            return reads

        results = await asyncio.gather(write(), *(read() for _ in range(8)))
        assert all(reads for reads in results[1:])

    async def test_reads_cannot_write(self, store: SqliteStore) -> None:
        with store._engine.begin() as connection, pytest.raises(Exception, match="readonly"):
            connection.exec_driver_sql("DELETE FROM tasks")

    async def test_no_read_looks_at_a_whole_table_or_sorts_one(self, store: SqliteStore, path: Path) -> None:
        # Given: the statements that reads really run
        ran: list[tuple[str, Any]] = []

        def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            ran.append((statement, parameters))

        event.listen(store._engine, "before_cursor_execute", note)
        await store.window(CHANNEL, 9, 5, 9)
        await store.task("t")
        await store.notification("n")
        await store.task_by_key(CHANNEL, "key")
        await store.tasks(TaskQuery(None, after="5.x"))
        await store.tasks(TaskQuery((CHANNEL,), channel=CHANNEL))
        await store.tasks(TaskQuery(None, parent="p"))
        await store.log("t", 5, 9)
        await store.log_end("t")
        await store.expired(5, 9)
        # When
        with closing(sqlite3.connect(path)) as connection:
            plans = {
                sql: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]
                for sql, parameters in ran
                if sql.startswith("SELECT")
            }
        # Then
        assert len(plans) > 12
        for sql, plan in plans.items():
            slow = [step for step in plan if step.startswith("SCAN") and "USING INDEX ix_" not in step]
            # A group of sources is few; a sorted table is not.
            slow += [step for step in plan if "TEMP B-TREE FOR ORDER BY" in step]
            assert slow == [], sql
