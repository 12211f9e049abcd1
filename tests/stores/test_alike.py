"""Whatever is written in whatever groups, both stores answer every read alike."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway.model.notification import NotificationStatus
from headway.model.task import TaskState
from headway.ports.store import LogEntry, NotificationQuery, Opened, Record, Store, TaskQuery, Writes
from headway.stores.memory import MemoryStore
from headway.stores.sqlite import SqliteStore
from tests.contract.store_records import make_note, make_task, make_tombstone

CHANNELS = ("public", "user:ada", "user:Ada", "project:x")
TASKS = tuple(f"t{n}" for n in range(6))
NOTES = tuple(f"n{n}" for n in range(4))
KEYS = ("k1", "k2")
TIMES = st.integers(0, 20)
TITLES = st.sampled_from(("Import", "straße", "ImpORT 100%", "a_b", "ÄÖ"))


def channel_of(record: str) -> str:
    return CHANNELS[int(record[1:]) % len(CHANNELS)]


class Put(msgspec.Struct):
    """A write whose records get their revisions when it is made."""

    records: list[dict[str, Any]]
    logs: list[LogEntry]
    keys: dict[str, str]


task_fields = st.fixed_dictionaries(
    {
        "id": st.sampled_from(TASKS),
        "state": st.sampled_from(TaskState),
        "title": TITLES,
        "kind": st.sampled_from(("", "dedup")),
        "tags": st.lists(st.sampled_from("xyz"), max_size=3).map(tuple),
        "parent": st.sampled_from((None, *TASKS)),
        "created_at": TIMES,
        "updated_at": TIMES,
        "finished_at": st.none() | TIMES,
        "meta": st.none() | st.dictionaries(st.text("ab", max_size=2), st.integers(), max_size=2),
    }
)
note_fields = st.fixed_dictionaries(
    {
        "id": st.sampled_from(NOTES),
        "status": st.sampled_from(NotificationStatus),
        "kind": st.sampled_from(("", "report")),
        "created_at": TIMES,
        "updated_at": TIMES,
    }
)
tombstone_fields = st.fixed_dictionaries({"id": st.sampled_from(TASKS + NOTES), "removed_at": TIMES})
log_lines = st.builds(
    LogEntry,
    task=st.sampled_from(TASKS),
    offset=st.integers(0, 6),
    at=TIMES,
    level=st.just("info"),
    text=TITLES,
    source=st.sampled_from((None, "a", "b")),
    seq=st.none() | st.integers(0, 9),
)
puts = st.builds(
    Put,
    records=st.lists(task_fields | note_fields | tombstone_fields, max_size=5),
    logs=st.lists(log_lines, max_size=3),
    keys=st.dictionaries(st.sampled_from(TASKS), st.sampled_from(KEYS), max_size=2),
)
requests = st.one_of(
    puts,
    puts,
    puts,
    st.tuples(st.just("trim_log"), st.sampled_from(TASKS), st.integers(0, 8)),
    st.tuples(st.just("forget"), TIMES),
    st.tuples(st.just("reserve"), st.integers(0, 3000)),
)
groups = st.lists(st.lists(requests, min_size=1, max_size=5), min_size=1, max_size=6)

queries = st.builds(
    TaskQuery,
    channels=st.none() | st.lists(st.sampled_from((*CHANNELS, "user:*", "*")), max_size=2).map(tuple),
    tasks=st.lists(st.sampled_from(TASKS), max_size=2).map(tuple),
    channel=st.sampled_from((None, None, *CHANNELS)),
    states=st.frozensets(st.sampled_from(TaskState), max_size=4),
    kind=st.sampled_from((None, None, "", "dedup")),
    tag=st.sampled_from((None, None, "x")),
    parent=st.sampled_from((None, None, "t1")),
    text=st.sampled_from((None, None, "import", "SS", "%", "_", "ä")),
    limit=st.integers(1, 4),
)
windows = st.tuples(st.integers(0, 4), TIMES, st.integers(0, 4))


def make_record(fields: dict[str, Any], rev: int) -> Record:
    rest = dict(fields)
    record, channel = rest.pop("id"), channel_of(fields["id"])
    if "removed_at" in rest:
        return make_tombstone(record, rev, rest["removed_at"], channel)
    if "status" in rest:
        return make_note(record, rev, rest.pop("status"), channel=channel, **rest)
    return make_task(record, rev, rest.pop("state"), channel=channel, **rest)


async def play(store: Store, script: list[list[Any]]) -> list[Any]:
    rev = 0
    answers: list[Any] = []
    for group in script:
        asked: list[Awaitable[Any]] = []
        for request in group:
            if isinstance(request, Put):
                records = [make_record(fields, rev := rev + 1) for fields in request.records]
                asked.append(store.write(Writes(records, request.logs, request.keys)))
            else:
                asked.append(getattr(store, request[0])(*request[1:]))
        answers += await asyncio.gather(*asked)
    return answers


async def read(store: Store, ask: list[TaskQuery], bounds: list[tuple[int, int, int]]) -> list[Any]:
    found: list[Any] = [await store.task(task) for task in TASKS]
    found += [await store.notification(note) for note in NOTES]
    for task in TASKS:
        found += [await store.log_end(task), await store.log(task, 0, 99), await store.log(task, 2, 2)]
    for channel in CHANNELS:
        found += [await store.task_by_key(channel, key) for key in KEYS]
        found += [await store.window(channel, *bound) for bound in bounds]
        for statuses in (frozenset[NotificationStatus](), frozenset((NotificationStatus.READ,))):
            for kind in (None, "", "report"):
                other = frozenset(("report", "x")) if kind is None else frozenset[str]()
                wanted = NotificationQuery(
                    channel, statuses, kind, limit=2, skip=len(statuses), other_than=other
                )
                found.append(listed := await store.notifications(wanted))
                if listed.next is not None:
                    found.append(
                        await store.notifications(msgspec.structs.replace(wanted, after=listed.next))
                    )
    found.append(await store.aged_notifications(10, 3))
    for when in (0, 10, 99):
        found += [await store.expired(when, 3)]
    for query in ask:
        page = await store.tasks(query)
        found.append(page)
        while page.next is not None:
            page = await store.tasks(msgspec.structs.replace(query, after=page.next))
            found.append(page)
    return found


def known(opened: Opened) -> tuple[int, tuple[str, ...]]:
    return opened.ceiling, opened.channels


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that is migrated already: each example begins with a copy."""
    path = tmp_path_factory.mktemp("empty") / "headway.db"

    async def make() -> None:
        store = SqliteStore(path)
        await store.open()
        await store.close()

    asyncio.run(make())
    return path


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    script=groups,
    ask=st.lists(queries, min_size=1, max_size=4),
    bounds=st.lists(windows, min_size=1, max_size=3),
)
def test_both_stores_answer_alike(
    empty: Path, script: list[list[Any]], ask: list[TaskQuery], bounds: list[tuple[int, int, int]]
) -> None:
    async def compare(path: Path) -> None:
        memory, sqlite = MemoryStore(), SqliteStore(path)
        await memory.open()
        await sqlite.open()
        try:
            assert await play(sqlite, script) == await play(memory, script)
            assert await read(sqlite, ask, bounds) == await read(memory, ask, bounds)
        finally:
            await sqlite.close()
            await memory.close()
        assert known(await sqlite.open()) == known(await memory.open())
        await sqlite.close()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "headway.db"
        shutil.copy(empty, path)
        asyncio.run(compare(path))
