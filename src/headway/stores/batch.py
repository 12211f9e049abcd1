"""What a group of writes comes to: rows to remove, then rows to put, each row once. It knows nothing of connections.

Rows are made when a write is asked for, so that a value that cannot be stored is refused to its own caller and
sinks nobody else's write. The order of a row's values is the order of the columns in `schema`.
"""

from __future__ import annotations

import msgspec

from headway.errors import InvalidField
from headway.model.notification import Notification
from headway.model.task import Task
from headway.ports.store import Document, LogEntry, Tombstone, Writes
from headway.stores.listing import finished_at, fold

__all__ = ["Batch", "DocumentRow", "LogRow", "NotificationRow", "TaskRow", "TombstoneRow"]

TaskRow = tuple[str, str, int, str, str, str, str, str | None, int, int, int | None, str, int | None]
NotificationRow = tuple[str, str, int, str, int, int, str, str]
TombstoneRow = tuple[str, str, int, int]
DocumentRow = tuple[str, str, str, str, int | None]
LogRow = tuple[str, int, int, str, str, str | None, int | None]

_encode = msgspec.json.Encoder().encode
_HIGHEST = 2**63 - 1


class Batch:
    """Several writes as one: first everything in `removed` goes, then the rows are put.

    Attributes:
        removed: ids of records that go, with all that belongs to them.
        revived: (channel, id) of records that are written: a tombstone of theirs goes.
        keys: (task, idempotency key), to be set in this order where neither is taken.
        dropped: (kind, id) of documents that go.
    """

    __slots__ = (
        "documents",
        "dropped",
        "keys",
        "logs",
        "notifications",
        "removed",
        "revived",
        "tags",
        "tasks",
        "tombstones",
    )

    def __init__(self) -> None:
        self.removed: set[str] = set()
        self.revived: set[tuple[str, str]] = set()
        self.tasks: dict[str, TaskRow] = {}
        self.tags: dict[str, tuple[str, ...]] = {}
        self.notifications: dict[str, NotificationRow] = {}
        self.tombstones: dict[tuple[str, str], TombstoneRow] = {}
        self.logs: dict[str, dict[int, LogRow]] = {}
        self.keys: list[tuple[str, str]] = []
        self.documents: dict[tuple[str, str], DocumentRow] = {}
        self.dropped: set[tuple[str, str]] = set()

    @classmethod
    def of(cls, writes: Writes) -> Batch:
        """The rows of one write.

        Raises:
            InvalidField: a value cannot be stored (text that is not Unicode, a number beyond 64 bits).
        """
        batch = cls()
        try:
            for record in writes.records:
                batch._put(record)
            for entry in writes.logs:
                batch.logs.setdefault(entry.task, {})[entry.offset] = _log_row(entry)
            for kind, document_id in writes.dropped:
                batch.dropped.add((kind, document_id))
            for document in writes.documents:
                batch.documents[document.kind, document.id] = _document_row(document)
        except UnicodeEncodeError as error:
            raise InvalidField("A text holds half a surrogate pair, which is not Unicode") from error
        if writes.keys:
            # A key belongs to the creation of a task, so it counts only beside the task itself.
            batch.keys = [(task, key) for task, key in writes.keys.items() if task in batch.tasks]
        return batch

    def takes(self, later: Batch) -> bool:
        """Whether `later` may be absorbed.

        A key that is taken is not given twice, so whether it was free must be asked before a later removal frees it.
        """
        return not (self.keys and later.removed)

    def absorb(self, later: Batch) -> None:
        """Become what this batch and then `later` come to."""
        for record in later.removed:
            self._drop(record)
        self.removed |= later.removed
        for revived in later.revived:
            self.tombstones.pop(revived, None)
        self.revived |= later.revived
        self.tasks.update(later.tasks)
        self.tags.update(later.tags)
        self.notifications.update(later.notifications)
        self.tombstones.update(later.tombstones)
        for task, lines in later.logs.items():
            self.logs.setdefault(task, {}).update(lines)
        self.keys += later.keys
        for gone in later.dropped:
            self.documents.pop(gone, None)
        self.dropped |= later.dropped
        self.documents.update(later.documents)

    def _put(self, record: Task | Notification | Tombstone) -> None:
        key = (record.channel, record.id)
        if isinstance(record, Tombstone):
            self._drop(record.id)
            self.removed.add(record.id)
            _check_numbers(record.rev, record.removed_at)
            self.tombstones[key] = (record.channel, record.id, record.rev, record.removed_at)
            return
        self.tombstones.pop(key, None)
        self.revived.add(key)
        if isinstance(record, Task):
            self.tasks[record.id] = _task_row(record)
            self.tags[record.id] = record.tags
        else:
            self.notifications[record.id] = _notification_row(record)

    def _drop(self, record: str) -> None:
        self.tasks.pop(record, None)
        self.tags.pop(record, None)
        self.notifications.pop(record, None)
        self.logs.pop(record, None)


def _task_row(task: Task) -> TaskRow:
    finished = finished_at(task)
    _check_numbers(task.rev, task.created_at, task.updated_at, finished or 0, task.number or 0)
    return (
        task.id,
        task.channel,
        task.rev,
        task.state.value,
        task.kind,
        task.title,
        fold(task.title),
        task.parent,
        task.created_at,
        task.updated_at,
        finished,
        _encode(task).decode(),
        task.number,
    )


def _notification_row(note: Notification) -> NotificationRow:
    _check_numbers(note.rev, note.created_at, note.updated_at)
    return (
        note.id,
        note.channel,
        note.rev,
        note.status.value,
        note.created_at,
        note.updated_at,
        _encode(note).decode(),
        note.kind,
    )


def _log_row(entry: LogEntry) -> LogRow:
    _check_numbers(entry.offset, entry.at, entry.seq or 0)
    for text in (entry.level, entry.text, entry.source or ""):
        text.encode()
    return entry.task, entry.offset, entry.at, entry.level, entry.text, entry.source, entry.seq


def _document_row(document: Document) -> DocumentRow:
    _check_numbers(document.expires_at or 0)
    for text in (document.kind, document.id, document.owner, document.data):
        text.encode()
    return document.kind, document.id, document.owner, document.data, document.expires_at


def _check_numbers(*numbers: int) -> None:
    if max(numbers) > _HIGHEST or min(numbers) < -_HIGHEST:
        raise InvalidField("A revision, an offset or a time is a whole number of at most 64 bits")
