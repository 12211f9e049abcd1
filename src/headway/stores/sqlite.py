"""The store in one SQLite file: what `headway serve` uses when nothing else is set.

Writes are collected on the event loop and committed in groups by one thread: while a group is being written, the
next one gathers. Reads run in a few threads of their own and, in WAL mode, do not wait for the writer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from headway.errors import ConfigurationError, StoreUnavailable
from headway.model.notification import Notification
from headway.model.task import Task
from headway.ports.store import (
    Document,
    LogEntry,
    NotificationPage,
    NotificationQuery,
    Opened,
    Page,
    Store,
    TaskQuery,
    Window,
    Writes,
)
from headway.stores import reads
from headway.stores.batch import Batch
from headway.stores.sqlite_file import SYNCHRONOUS, connect, unavailable
from headway.stores.sqlite_writer import Forget, Purge, Request, Reserve, SqliteWriter, Take, TrimLog

__all__ = ["SqliteStore"]

T = TypeVar("T")

_READERS = 4


class SqliteStore(Store):
    """Durable records in a SQLite file. Belongs to one event loop; may be opened again after `close`."""

    def __init__(self, path: Path | str, *, synchronous: str = "normal") -> None:
        """Name the file; nothing is touched before `open`.

        Args:
            path: the database file; its folder must exist.
            synchronous: `normal` survives a kill of the process, `full` a loss of power too.

        Raises:
            ConfigurationError: `synchronous` is neither.
        """
        if synchronous not in SYNCHRONOUS:
            raise ConfigurationError(f"synchronous is {' or '.join(SYNCHRONOUS)}, not {synchronous!r}")
        self._path = Path(path)
        self._synchronous = synchronous
        self._writer = SqliteWriter(self._path, synchronous)
        self._queue: deque[tuple[Request, asyncio.Future[int]]] = deque()
        self._active = False
        self._open = False
        self._idle = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None

    async def open(self) -> Opened:
        """See `Store.open`; a present database opens without Alembic."""
        self._loop = asyncio.get_running_loop()
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="headway-store-writer")
        self._read_threads = ThreadPoolExecutor(_READERS, thread_name_prefix="headway-store-reader")
        self._engine = self._readers()
        self._active = False
        self._idle.set()
        self._open = True
        self._closing = None
        try:
            await self._loop.run_in_executor(self._write_thread, self._writer.open)
            return await self._read(reads.read_opened)
        except StoreUnavailable as error:
            await self.close()
            raise ConfigurationError(error.message) from error
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """See `Store.close`."""
        if not self._open and self._closing is None:
            return
        self._open = False
        if self._closing is None:
            self._closing = self._loop.create_task(self._shut())
        await asyncio.shield(self._closing)

    async def _shut(self) -> None:
        await self._idle.wait()
        await self._loop.run_in_executor(self._write_thread, self._let_go)
        self._write_thread.shutdown()

    def _let_go(self) -> None:
        self._read_threads.shutdown()
        self._engine.dispose()
        # Last, so that it is this connection that folds the WAL into the database.
        self._writer.close()

    def write(self, writes: Writes) -> Coroutine[Any, Any, None]:
        """See `Store.write`. Takes its place in the order when called, not when awaited.

        Raises:
            InvalidField: a value cannot be stored in any database.
        """
        return _done(self._enqueue(Batch.of(writes)))

    def reserve(self, ceiling: int) -> Coroutine[Any, Any, None]:
        """See `Store.reserve`."""
        return _done(self._enqueue(Reserve(ceiling)))

    def trim_log(self, task_id: str, below: int) -> Coroutine[Any, Any, None]:
        """See `Store.trim_log`."""
        return _done(self._enqueue(TrimLog(task_id, below)))

    def forget(self, removed_before: int) -> Coroutine[Any, Any, int]:
        """See `Store.forget`."""
        return _count(self._enqueue(Forget(removed_before)))

    def take(self, kind: str, document_id: str) -> Coroutine[Any, Any, bool]:
        """See `Store.take`."""
        return _any(self._enqueue(Take(kind, document_id)))

    def purge(self, now: int) -> Coroutine[Any, Any, int]:
        """See `Store.purge`."""
        return _count(self._enqueue(Purge(now)))

    def _enqueue(self, request: Request) -> asyncio.Future[int]:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if not self._open:
            future.set_exception(self._closed())
            return future
        self._queue.append((request, future))
        if not self._active:
            self._active = True
            self._idle.clear()
            # Not at once: what else is asked in this turn of the loop belongs to the same group.
            self._loop.call_soon(self._begin)
        return future

    def _begin(self) -> None:
        group = list(self._queue)
        self._queue.clear()
        requests = [request for request, _ in group]
        # Its result comes back by one call_soon_threadsafe for the whole group.
        work = self._loop.run_in_executor(self._write_thread, self._writer.commit, requests)
        work.add_done_callback(lambda done: self._settle(group, done))

    def _settle(
        self, group: list[tuple[Request, asyncio.Future[int]]], done: asyncio.Future[list[int]]
    ) -> None:
        cause = done.exception()
        if cause is None:
            for (_, future), count in zip(group, done.result(), strict=True):
                # A caller that was cancelled is gone; its write is not.
                if not future.done():
                    future.set_result(count)
        else:
            # What waits behind may build on what failed, so it fails with it.
            for _, future in (*group, *self._queue):
                if not future.done():
                    error = unavailable(self._path, cause)
                    error.__cause__ = cause
                    future.set_exception(error)
            self._queue.clear()
        if self._queue:
            self._begin()
        else:
            self._active = False
            self._idle.set()

    async def window(self, channel: str, finished: int, newer_than: int, notifications: int) -> Window:
        """See `Store.window`."""
        return await self._read(reads.read_window, channel, finished, newer_than, notifications)

    async def task(self, task_id: str) -> Task | None:
        """See `Store.task`."""
        return await self._read(reads.read_task, task_id)

    async def notification(self, notification_id: str) -> Notification | None:
        """See `Store.notification`."""
        return await self._read(reads.read_notification, notification_id)

    async def notifications(self, query: NotificationQuery) -> NotificationPage:
        """See `Store.notifications`.

        Raises:
            InvalidField: `limit`, `skip` or `after` is out of bounds.
        """
        return await self._read(reads.read_notifications, query)

    async def aged_notifications(self, created_before: int, limit: int) -> tuple[Notification, ...]:
        """See `Store.aged_notifications`."""
        return await self._read(reads.read_aged_notifications, created_before, limit)

    async def task_by_key(self, channel: str, key: str) -> Task | None:
        """See `Store.task_by_key`."""
        return await self._read(reads.read_task_by_key, channel, key)

    async def tasks(self, query: TaskQuery) -> Page:
        """See `Store.tasks`.

        Raises:
            InvalidField: `limit` or `after` is out of bounds.
        """
        return await self._read(reads.read_tasks, query)

    async def log(self, task_id: str, offset: int, limit: int) -> tuple[LogEntry, ...]:
        """See `Store.log`."""
        return await self._read(reads.read_log, task_id, offset, limit)

    async def log_end(self, task_id: str) -> tuple[int, dict[str, int]]:
        """See `Store.log_end`."""
        return await self._read(reads.read_log_end, task_id)

    async def expired(self, finished_before: int, limit: int) -> tuple[Task, ...]:
        """See `Store.expired`."""
        return await self._read(reads.read_expired, finished_before, limit)

    async def document(self, kind: str, document_id: str) -> Document | None:
        """See `Store.document`."""
        return await self._read(reads.read_document, kind, document_id)

    async def documents(
        self, kind: str, owner: str | None = None, *, after: str = "", limit: int = 100
    ) -> tuple[Document, ...]:
        """See `Store.documents`."""
        return await self._read(reads.read_documents, kind, owner, after, limit)

    async def _read(self, read: Callable[..., T], *arguments: Any) -> T:
        if not self._open:
            raise self._closed()
        return await self._loop.run_in_executor(self._read_threads, self._snapshot, read, arguments)

    def _snapshot(self, read: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        try:
            with self._engine.begin() as connection:
                return read(connection, *arguments)
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise unavailable(self._path, cause, reading=True) from cause

    def _readers(self) -> Engine:
        engine = create_engine(
            "sqlite+pysqlite://",
            creator=lambda: connect(self._path, self._synchronous, reader=True),
            poolclass=QueuePool,
            pool_size=_READERS,
        )
        event.listen(engine, "begin", _begin_reading)
        return engine

    def _closed(self) -> StoreUnavailable:
        return StoreUnavailable(f"The database {self._path} is closed; open the store first")


async def _done(future: asyncio.Future[int]) -> None:
    await future


async def _count(future: asyncio.Future[int]) -> int:
    return await future


async def _any(future: asyncio.Future[int]) -> bool:
    return await future > 0


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
