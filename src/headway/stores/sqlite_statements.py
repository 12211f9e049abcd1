"""The SQL that the SQLite writer runs, compiled once from the tables: Core's cost per row is most of a row's cost.

Each is text with question marks, for rows whose values stand in the order of the table's columns.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.expression import ClauseElement

from headway.stores.schema import (
    documents,
    floors,
    log_lines,
    log_trims,
    meta,
    notifications,
    task_tags,
    tasks,
    tombstones,
)

__all__ = [
    "DROP_DOCUMENT",
    "FORGET",
    "FORGOTTEN",
    "INIT_META",
    "KEEP_NUMBER",
    "PURGE",
    "PUT_DOCUMENT",
    "PUT_LOG_LINE",
    "PUT_NOTIFICATION",
    "PUT_TAG",
    "PUT_TASK",
    "PUT_TOMBSTONE",
    "PUT_TRIM",
    "RAISE_CEILING",
    "RAISE_FLOOR",
    "READ_TRIM",
    "REMOVE",
    "REVIVE",
    "SET_KEY",
    "TRIM",
    "TRIMMED",
    "UNTAG",
]


def _compile(statement: ClauseElement, *order: str) -> str:
    compiled = statement.compile(dialect=sqlite.dialect(paramstyle="qmark"))
    if tuple(compiled.positiontup or ()) != order:  # type: ignore[attr-defined]
        raise AssertionError(f"{compiled} wants its values as {compiled.positiontup}")  # type: ignore[attr-defined]
    return str(compiled)


def _upsert(table: Table, columns: Sequence[Column[object]], *fixed: Column[object]) -> str:
    keys = [*table.primary_key.columns, *fixed]
    statement = sqlite.insert(table).values({column: bindparam(column.name) for column in columns})
    others = {column.name: statement.excluded[column.name] for column in columns if column not in keys}
    if others:
        statement = statement.on_conflict_do_update(
            index_elements=list(table.primary_key.columns), set_=others
        )
    else:
        statement = statement.on_conflict_do_nothing()
    return _compile(statement, *(column.name for column in columns))


def _all(table: Table) -> list[Column[object]]:
    return list(table.columns)


# A number never changes, and what is not set again is not indexed again.
PUT_TASK = _upsert(
    tasks, [column for column in tasks.columns if column.name != "idempotency_key"], tasks.c.number
)
PUT_TAG = _upsert(task_tags, _all(task_tags))
PUT_NOTIFICATION = _upsert(notifications, _all(notifications))
PUT_TOMBSTONE = _upsert(tombstones, _all(tombstones))
PUT_DOCUMENT = _upsert(documents, _all(documents))
PUT_LOG_LINE = _upsert(log_lines, _all(log_lines))
PUT_TRIM = _upsert(log_trims, _all(log_trims))

UNTAG = _compile(delete(task_tags).where(task_tags.c.task == bindparam("task")), "task")

REMOVE = tuple(
    _compile(delete(table).where(column == bindparam("id")), "id")
    for table, column in (
        (tasks, tasks.c.id),
        (task_tags, task_tags.c.task),
        (notifications, notifications.c.id),
        (log_lines, log_lines.c.task),
        (log_trims, log_trims.c.task),
    )
)

REVIVE = _compile(
    delete(tombstones).where(
        tombstones.c.channel == bindparam("channel"), tombstones.c.id == bindparam("id")
    ),
    "channel",
    "id",
)

_holder = tasks.alias("holder")
SET_KEY = _compile(
    # The first task that asked keeps a key, as the first answer to a repeated request does.
    update(tasks)
    .values(idempotency_key=bindparam("key"))
    .where(
        tasks.c.id == bindparam("task"),
        tasks.c.idempotency_key.is_(None),
        ~exists().where(
            _holder.c.channel == tasks.c.channel, _holder.c.idempotency_key == bindparam("same_key")
        ),
    ),
    "key",
    "task",
    "same_key",
)

INIT_META = _compile(
    sqlite.insert(meta).values(key=bindparam("key"), value=bindparam("value")).on_conflict_do_nothing(),
    "key",
    "value",
)
KEEP_NUMBER = _compile(
    # Before a task is removed: its number is not given to another one.
    update(meta)
    .values(value=select(cast(tasks.c.number, Text)).where(tasks.c.id == bindparam("id")).scalar_subquery())
    .where(
        meta.c.key == "number",
        cast(meta.c.value, BigInteger)
        < select(tasks.c.number).where(tasks.c.id == bindparam("same_id")).scalar_subquery(),
    ),
    "id",
    "key_1",
    "same_id",
)
RAISE_CEILING = _compile(
    update(meta)
    .values(value=bindparam("ceiling"))
    .where(meta.c.key == "ceiling", cast(meta.c.value, BigInteger) < bindparam("above")),
    "ceiling",
    "key_1",
    "above",
)

TRIMMED = _compile(
    select(log_lines.c.source, func.max(log_lines.c.seq), func.max(log_lines.c.offset))
    .where(log_lines.c.task == bindparam("task"), log_lines.c.offset < bindparam("below"))
    .group_by(log_lines.c.source),
    "task",
    "below",
)
READ_TRIM = _compile(
    select(log_trims.c.end, log_trims.c.sources).where(log_trims.c.task == bindparam("task")), "task"
)
TRIM = _compile(
    delete(log_lines).where(log_lines.c.task == bindparam("task"), log_lines.c.offset < bindparam("below")),
    "task",
    "below",
)

DROP_DOCUMENT = _compile(
    delete(documents).where(documents.c.kind == bindparam("kind"), documents.c.id == bindparam("id")),
    "kind",
    "id",
)
PURGE = _compile(delete(documents).where(documents.c.expires_at <= bindparam("now")), "now")

FORGOTTEN = _compile(
    select(tombstones.c.channel, func.max(tombstones.c.rev))
    .where(tombstones.c.removed_at < bindparam("before"))
    .group_by(tombstones.c.channel),
    "before",
)
FORGET = _compile(delete(tombstones).where(tombstones.c.removed_at < bindparam("before")), "before")

_floor = sqlite.insert(floors).values(channel=bindparam("channel"), rev=bindparam("rev"))
RAISE_FLOOR = _compile(
    _floor.on_conflict_do_update(
        index_elements=[floors.c.channel],
        set_={"rev": _floor.excluded.rev},
        where=_floor.excluded.rev > floors.c.rev,
    ),
    "channel",
    "rev",
)
