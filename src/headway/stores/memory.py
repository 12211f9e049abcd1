"""The store in memory: for tests and for servers whose records need not outlive them.

It does what the others do, without a database: also after `close`, as long as the object lives.
"""

from __future__ import annotations

import secrets
from collections.abc import Coroutine
from typing import Any, NoReturn

import msgspec

from headway.errors import StoreUnavailable
from headway.model.channel import allows
from headway.model.notification import Notification, NotificationStatus
from headway.model.task import Task
from headway.ports.store import (
    MOST_SOURCES,
    Document,
    LogEntry,
    NotificationPage,
    NotificationQuery,
    Opened,
    Page,
    Record,
    Store,
    TaskQuery,
    Tombstone,
    Window,
    Writes,
)
from headway.stores.batch import Batch
from headway.stores.listing import check_limit, finished_at, fold, page_after, page_next

__all__ = ["MemoryStore"]

_encode = msgspec.json.Encoder().encode
_task = msgspec.json.Decoder(Task).decode
_notification = msgspec.json.Decoder(Notification).decode


class _Log:
    """One task's log: the lines that are kept, and what is known of its end beyond them."""

    __slots__ = ("lines", "trimmed")

    def __init__(self) -> None:
        self.lines: dict[int, LogEntry] = {}
        self.trimmed: tuple[int, dict[str, int]] = (0, {})

    def end(self, below: int | None = None) -> tuple[int, dict[str, int]]:
        """The end of the log, looking at lines below an offset alone when there is one."""
        end, sources = self.trimmed[0], dict(self.trimmed[1])
        for offset, line in sorted(self.lines.items()):
            if below is None or offset < below:
                end = max(end, offset + 1)
                if line.source is not None and line.seq is not None:
                    sources[line.source] = max(line.seq, sources.pop(line.source, line.seq))
        return end, sources


class MemoryStore(Store):
    """Records that live as long as this object."""

    def __init__(self) -> None:
        self._epoch = secrets.token_urlsafe(9)
        self._ceiling = 1
        self._number = 0
        self._is_open = False
        self._tasks: dict[str, Task] = {}
        self._notifications: dict[str, Notification] = {}
        self._tombstones: dict[tuple[str, str], Tombstone] = {}
        self._floors: dict[str, int] = {}
        self._logs: dict[str, _Log] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._held: dict[str, tuple[str, str]] = {}
        self._documents: dict[tuple[str, str], Document] = {}

    async def open(self) -> Opened:
        """See `Store.open`."""
        self._is_open = True
        busy = {task.channel for task in self._tasks.values() if not task.state.terminal}
        return Opened(self._epoch, self._ceiling, tuple(sorted(busy)), self._number)

    async def close(self) -> None:
        """See `Store.close`."""
        self._is_open = False

    def write(self, writes: Writes) -> Coroutine[Any, Any, None]:
        """See `Store.write`. Takes its place in the order when called, not when awaited.

        Raises:
            InvalidField: a value cannot be stored in any database.
        """
        # What a database would refuse is refused here too.
        Batch.of(writes)
        if not self._is_open:
            return _fail(self._closed())
        for record in writes.records:
            self._put(record)
        for entry in writes.logs:
            self._logs.setdefault(entry.task, _Log()).lines[entry.offset] = entry
        written = (
            {record.id for record in writes.records if isinstance(record, Task)} if writes.keys else set()
        )
        for task_id, key in writes.keys.items():
            if task_id in written and task_id in self._tasks:
                self._set_key(task_id, key)
        for gone in writes.dropped:
            self._documents.pop(gone, None)
        for document in writes.documents:
            self._documents[document.kind, document.id] = document
        return _done()

    def reserve(self, ceiling: int) -> Coroutine[Any, Any, None]:
        """See `Store.reserve`."""
        if not self._is_open:
            return _fail(self._closed())
        self._ceiling = max(self._ceiling, ceiling)
        return _done()

    def trim_log(self, task_id: str, below: int) -> Coroutine[Any, Any, None]:
        """See `Store.trim_log`."""
        if not self._is_open:
            return _fail(self._closed())
        log = self._logs.get(task_id)
        if log is not None:
            end, sources = log.end(below)
            log.trimmed = end, dict(list(sources.items())[-MOST_SOURCES:])
            log.lines = {offset: line for offset, line in log.lines.items() if offset >= below}
        return _done()

    def forget(self, removed_before: int) -> Coroutine[Any, Any, int]:
        """See `Store.forget`."""
        if not self._is_open:
            return _fail(self._closed())
        old = [key for key, tombstone in self._tombstones.items() if tombstone.removed_at < removed_before]
        for key in old:
            tombstone = self._tombstones.pop(key)
            self._floors[tombstone.channel] = max(
                tombstone.rev, self._floors.get(tombstone.channel, tombstone.rev)
            )
        return _count(len(old))

    async def window(self, channel: str, finished: int, newer_than: int, notifications: int) -> Window:
        """See `Store.window`."""
        self._check_open()
        here = [task for task in self._tasks.values() if task.channel == channel]
        done = [task for task in here if (finished_at(task) or 0) >= newer_than and task.state.terminal]
        done.sort(key=lambda task: (finished_at(task), task.rev), reverse=True)
        inbox = [note for note in self._notifications.values() if note.channel == channel]
        shown = [
            note
            for note in inbox
            if note.status is NotificationStatus.UNREAD
            or (note.status is NotificationStatus.READ and note.updated_at >= newer_than)
        ]
        shown.sort(
            key=lambda note: (note.status is NotificationStatus.UNREAD, note.created_at, note.rev),
            reverse=True,
        )
        gone = [tombstone for tombstone in self._tombstones.values() if tombstone.channel == channel]

        kept: list[Record] = [task for task in here if not task.state.terminal]
        kept += done[:finished]
        kept += shown[:notifications]
        kept += [tombstone for tombstone in gone if tombstone.removed_at >= newer_than]
        kept.sort(key=lambda record: (record.rev, record.id))
        everything: list[Record] = [*here, *inbox, *gone]
        known = {id(record) for record in kept}
        left_out = [record.rev for record in everything if id(record) not in known]
        unread = [note.id for note in shown[notifications:] if note.status is NotificationStatus.UNREAD]
        return Window(tuple(kept), max([self._floors.get(channel, 0), *left_out]), tuple(unread))

    async def task(self, task_id: str) -> Task | None:
        """See `Store.task`."""
        self._check_open()
        return self._tasks.get(task_id)

    async def notification(self, notification_id: str) -> Notification | None:
        """See `Store.notification`."""
        self._check_open()
        return self._notifications.get(notification_id)

    async def notifications(self, query: NotificationQuery) -> NotificationPage:
        """See `Store.notifications`.

        Raises:
            InvalidField: `limit`, `skip` or `after` is out of bounds.
        """
        self._check_open()
        limit = check_limit(query)
        after = None if query.after is None else page_after(query.after)
        matching = [
            note
            for note in self._notifications.values()
            if note.channel == query.channel
            and (not query.statuses or note.status in query.statuses)
            and (query.kind is None or note.kind == query.kind)
            and note.kind not in query.other_than
        ]
        matching.sort(key=lambda note: (note.created_at, note.id), reverse=True)
        found = [note for note in matching if after is None or (note.created_at, note.id) < after]
        found = found[query.skip : query.skip + limit + 1]
        page = found[:limit]
        return NotificationPage(
            tuple(page), page_next(page[-1]) if len(found) > limit else None, len(matching)
        )

    async def aged_notifications(self, created_before: int, limit: int) -> tuple[Notification, ...]:
        """See `Store.aged_notifications`."""
        self._check_open()
        old = [note for note in self._notifications.values() if note.created_at < created_before]
        old.sort(key=lambda note: (note.created_at, note.id))
        return tuple(old[:limit])

    async def task_by_key(self, channel: str, key: str) -> Task | None:
        """See `Store.task_by_key`."""
        self._check_open()
        return self._tasks.get(self._keys.get((channel, key), ""))

    async def tasks(self, query: TaskQuery) -> Page:
        """See `Store.tasks`.

        Raises:
            InvalidField: `limit` or `after` is out of bounds.
        """
        self._check_open()
        limit = check_limit(query)
        after = None if query.after is None else page_after(query.after)
        found = [
            task
            for task in self._tasks.values()
            if _matches(task, query) and (after is None or (task.created_at, task.id) < after)
        ]
        found.sort(key=lambda task: (task.created_at, task.id), reverse=True)
        page = found[:limit]
        return Page(tuple(page), page_next(page[-1]) if len(found) > limit else None)

    async def log(self, task_id: str, offset: int, limit: int) -> tuple[LogEntry, ...]:
        """See `Store.log`."""
        self._check_open()
        lines = self._logs.get(task_id, _Log()).lines
        return tuple(lines[place] for place in sorted(place for place in lines if place >= offset)[:limit])

    async def log_end(self, task_id: str) -> tuple[int, dict[str, int]]:
        """See `Store.log_end`."""
        self._check_open()
        return self._logs.get(task_id, _Log()).end()

    async def expired(self, finished_before: int, limit: int) -> tuple[Task, ...]:
        """See `Store.expired`."""
        self._check_open()
        old = [(when, task) for task in self._tasks.values() if (when := finished_at(task)) is not None]
        old = [(when, task) for when, task in old if when < finished_before]
        old.sort(key=lambda pair: (pair[0], pair[1].id))
        return tuple(task for _, task in old[:limit])

    async def document(self, kind: str, document_id: str) -> Document | None:
        """See `Store.document`."""
        self._check_open()
        return self._documents.get((kind, document_id))

    async def documents(
        self, kind: str, owner: str | None = None, *, after: str = "", limit: int = 100
    ) -> tuple[Document, ...]:
        """See `Store.documents`."""
        self._check_open()
        found = [
            document
            for document in self._documents.values()
            if document.kind == kind and document.id > after and (owner is None or document.owner == owner)
        ]
        return tuple(sorted(found, key=lambda document: document.id)[:limit])

    def take(self, kind: str, document_id: str) -> Coroutine[Any, Any, bool]:
        """See `Store.take`."""
        if not self._is_open:
            return _fail(self._closed())
        return _was(self._documents.pop((kind, document_id), None) is not None)

    def purge(self, now: int) -> Coroutine[Any, Any, int]:
        """See `Store.purge`."""
        if not self._is_open:
            return _fail(self._closed())
        old = [
            key
            for key, document in self._documents.items()
            if document.expires_at is not None and document.expires_at <= now
        ]
        for key in old:
            del self._documents[key]
        return _count(len(old))

    def _put(self, record: Record) -> None:
        key = (record.channel, record.id)
        if isinstance(record, Tombstone):
            self._tasks.pop(record.id, None)
            self._notifications.pop(record.id, None)
            self._logs.pop(record.id, None)
            held = self._held.pop(record.id, None)
            if held is not None:
                del self._keys[held]
            self._tombstones[key] = record
            return
        self._tombstones.pop(key, None)
        # Through JSON, as in a database: a later change of a `meta` or `data` that was handed in changes nothing here.
        if isinstance(record, Task):
            self._tasks[record.id] = _task(_encode(record))
            self._number = max(self._number, record.number or 0)
        else:
            self._notifications[record.id] = _notification(_encode(record))

    def _set_key(self, task_id: str, key: str) -> None:
        wanted = (self._tasks[task_id].channel, key)
        # The first task that asked keeps a key, as the first answer to a repeated request does.
        if wanted not in self._keys and task_id not in self._held:
            self._keys[wanted] = task_id
            self._held[task_id] = wanted

    def _check_open(self) -> None:
        if not self._is_open:
            raise self._closed()

    @staticmethod
    def _closed() -> StoreUnavailable:
        return StoreUnavailable("The store is closed; open it first")


def _matches(task: Task, query: TaskQuery) -> bool:
    visible = (
        query.channels is None
        or any(allows(pattern, task.channel) for pattern in query.channels)
        or task.id in query.tasks
    )
    return (
        visible
        and (query.channel is None or task.channel == query.channel)
        and (not query.states or task.state in query.states)
        and (query.kind is None or task.kind == query.kind)
        and (query.number is None or task.number == query.number)
        and (query.tag is None or query.tag in task.tags)
        and (query.parent is None or task.parent == query.parent)
        and (not query.text or fold(query.text) in fold(task.title))
    )


async def _done() -> None: ...


async def _count(count: int) -> int:
    return count


async def _was(there: bool) -> bool:
    return there


async def _fail(error: StoreUnavailable) -> NoReturn:
    raise error
