"""The writer's side of SQLite: one connection, one transaction for a group of requests. Runs in one thread of its own."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path

import msgspec
from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from headway.ports.store import MOST_SOURCES
from headway.stores import sqlite_statements as sql
from headway.stores.batch import Batch
from headway.stores.migrations import upgrade
from headway.stores.sqlite_file import connect, create, unusable

__all__ = ["Forget", "Purge", "Request", "Reserve", "SqliteWriter", "Take", "TrimLog"]


class Reserve(msgspec.Struct, frozen=True):
    """See `Store.reserve`."""

    ceiling: int


class TrimLog(msgspec.Struct, frozen=True):
    """See `Store.trim_log`."""

    task: str
    below: int


class Forget(msgspec.Struct, frozen=True):
    """See `Store.forget`."""

    removed_before: int


class Take(msgspec.Struct, frozen=True):
    """See `Store.take`."""

    kind: str
    id: str


class Purge(msgspec.Struct, frozen=True):
    """See `Store.purge`."""

    now: int


Request = Batch | Reserve | TrimLog | Forget | Take | Purge


class SqliteWriter:
    """Writes groups of requests, each group in one transaction."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self._path = path
        self._synchronous = synchronous
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Make the file and bring it to the present schema.

        Raises:
            ConfigurationError: the file cannot be used.
        """
        create(self._path)
        try:
            self._migrate()
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            epoch = secrets.token_urlsafe(9)
            connection.executemany(sql.INIT_META, [("epoch", epoch), ("ceiling", "1"), ("number", "0")])
            connection.execute("COMMIT")
        except (sqlite3.Error, DBAPIError) as error:
            self.close()
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise unusable(self._path, cause) from cause

    def close(self) -> None:
        """Let go of the connection; the next group gets a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def commit(self, group: Iterable[Request]) -> list[int]:
        """Carry out a group in order, durably and as one; returns a count for each (of what it removed).

        Raises:
            sqlite3.Error: nothing of it was carried out.
        """
        try:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            counts = _carry_out(connection, group)
            connection.execute("COMMIT")
        except BaseException:
            # A connection that failed may hold a half-made transaction, or a file that is gone. Closing rolls back.
            self.close()
            raise
        return counts

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, self._synchronous)
        return self._connection

    def _migrate(self) -> None:
        engine = create_engine(
            "sqlite+pysqlite://",
            creator=lambda: connect(self._path, self._synchronous),
            poolclass=NullPool,
        )
        # The driver begins nothing by itself, so that the whole migration is one transaction.
        event.listen(engine, "begin", _begin)
        try:
            with engine.begin() as connection:
                upgrade(connection)
        finally:
            engine.dispose()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _carry_out(connection: sqlite3.Connection, group: Iterable[Request]) -> list[int]:
    counts: list[int] = []
    pending = Batch()
    for request in group:
        count = 0
        if isinstance(request, Batch):
            if not pending.takes(request):
                _put(connection, pending)
                pending = Batch()
            pending.absorb(request)
        elif isinstance(request, Reserve):
            ceiling = request.ceiling
            connection.execute(sql.RAISE_CEILING, (str(ceiling), "ceiling", ceiling))
        else:
            # These read what came before them.
            _put(connection, pending)
            pending = Batch()
            if isinstance(request, TrimLog):
                _trim(connection, request)
            elif isinstance(request, Forget):
                count = _forget(connection, request)
            elif isinstance(request, Take):
                count = connection.execute(sql.DROP_DOCUMENT, (request.kind, request.id)).rowcount
            else:
                count = connection.execute(sql.PURGE, (request.now,)).rowcount
        counts.append(count)
    _put(connection, pending)
    return counts


def _put(connection: sqlite3.Connection, batch: Batch) -> None:
    def many(statement: str, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            connection.executemany(statement, rows)

    gone = [(record,) for record in batch.removed]
    many(sql.KEEP_NUMBER, [(record, "number", record) for record in batch.removed])
    for statement in sql.REMOVE:
        many(statement, gone)
    many(sql.REVIVE, list(batch.revived))
    many(sql.PUT_TOMBSTONE, list(batch.tombstones.values()))
    many(sql.PUT_TASK, list(batch.tasks.values()))
    many(sql.UNTAG, [(task,) for task in batch.tags])
    many(sql.PUT_TAG, [(task, tag) for task, tags in batch.tags.items() for tag in tags])
    many(sql.PUT_NOTIFICATION, list(batch.notifications.values()))
    many(sql.PUT_LOG_LINE, list(chain.from_iterable(lines.values() for lines in batch.logs.values())))
    many(sql.DROP_DOCUMENT, list(batch.dropped))
    many(sql.PUT_DOCUMENT, list(batch.documents.values()))
    many(sql.SET_KEY, [(key, task, key) for task, key in batch.keys])


def _trim(connection: sqlite3.Connection, request: TrimLog) -> None:
    said = connection.execute(sql.TRIMMED, (request.task, request.below)).fetchall()
    if not said:
        return
    before = connection.execute(sql.READ_TRIM, (request.task,)).fetchone()
    end: int = 0 if before is None else before[0]
    sources: dict[str, int] = {} if before is None else msgspec.json.decode(before[1])
    for source, seq, offset in sorted(said, key=itemgetter(2)):
        end = max(end, offset + 1)
        if source is not None and seq is not None:
            sources[source] = max(seq, sources.pop(source, seq))
    newest = dict(list(sources.items())[-MOST_SOURCES:])
    connection.execute(sql.PUT_TRIM, (request.task, end, msgspec.json.encode(newest).decode()))
    connection.execute(sql.TRIM, (request.task, request.below))


def _forget(connection: sqlite3.Connection, request: Forget) -> int:
    before = (request.removed_before,)
    connection.executemany(sql.RAISE_FLOOR, connection.execute(sql.FORGOTTEN, before).fetchall())
    return connection.execute(sql.FORGET, before).rowcount
