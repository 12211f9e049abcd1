"""The store: durable records.

Guarantees that every adapter gives, held by `tests/contract/test_store.py`:

- A `write` is atomic, and durable when it returns: a kill of the process does not lose it.
- Writes take effect in the order in which `write` was called.
- A write that failed had no effect, and neither had any that was waiting behind it; all of them raise
  `StoreUnavailable`. Later writes are tried afresh.
- Writing a record again replaces it. Reads see every write that has returned.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import msgspec

from headway.model.notification import Notification, NotificationStatus
from headway.model.task import Task, TaskState

__all__ = [
    "MOST_SOURCES",
    "Document",
    "LogEntry",
    "NotificationPage",
    "NotificationQuery",
    "Opened",
    "Page",
    "Record",
    "Store",
    "TaskQuery",
    "Tombstone",
    "Window",
    "Writes",
]


MOST_SOURCES = 1000
"""Of one task's log: far more than processes work on a task, and a bound for one that invents them."""


class Tombstone(msgspec.Struct, frozen=True, gc=False):
    """A record was removed.

    Attributes:
        removed_at: Unix milliseconds.
    """

    id: str
    channel: str
    rev: int
    removed_at: int


Record = Task | Notification | Tombstone


class LogEntry(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One line of one task's log.

    Attributes:
        offset: its place in the task's log, counting from 0, without gaps.
        at: Unix milliseconds.
        source, seq: which producer said it, and its own count; None when it did not say.
    """

    task: str
    offset: int
    at: int
    level: str
    text: str
    source: str | None = None
    seq: int | None = None


class Document(msgspec.Struct, frozen=True, gc=False):
    """Something small that the server keeps beside the records: it has no revision, and nobody follows it.

    Attributes:
        kind: what it is; ids are told apart within it.
        owner: whose it is, the server's own when empty.
        data: JSON.
        expires_at: Unix milliseconds from which on it may be gone; None for never. Until it is gone it can still be read.
    """

    kind: str
    id: str
    owner: str
    data: str
    expires_at: int | None = None


class Writes(msgspec.Struct):
    """What goes into the store in one step.

    Attributes:
        keys: maps a new task's id to its idempotency key.
        documents: each takes the place of the one of its kind and id.
        dropped: (kind, id) of documents that go, before `documents` come.
    """

    records: Sequence[Record] = ()
    logs: Sequence[LogEntry] = ()
    keys: dict[str, str] = {}
    documents: Sequence[Document] = ()
    dropped: Sequence[tuple[str, str]] = ()


class Opened(msgspec.Struct, frozen=True):
    """What the store knows when it opens.

    Attributes:
        epoch: names this history; made when the store was created.
        ceiling: no revision at or above it was ever given out (see `Store.reserve`).
        channels: those that hold an unfinished task.
        number: the highest `Task.number` that was ever written, 0 when there was none.
    """

    epoch: str
    ceiling: int
    channels: tuple[str, ...]
    number: int = 0


class Window(msgspec.Struct, frozen=True):
    """A channel as its compacted log wants it: bounded, ordered by revision.

    Attributes:
        records: every unfinished task, the newest finished ones, unread and recent notifications, tombstones.
        floor: the highest revision among the records that were left out, 0 when none was. A cursor below it
            cannot be served with changes.
        unread: ids of the unread notifications that were left out.
    """

    records: tuple[Record, ...]
    floor: int
    unread: tuple[str, ...] = ()


class TaskQuery(msgspec.Struct, frozen=True):
    """Which tasks to list, newest first (by creation, then by id).

    Attributes:
        channels: patterns (`headway.model.channel.allows`) of which one must cover the task; None means all.
        tasks: ids that are visible whatever their channel.
        text: part of the title, case does not count.
        number: the one task with this number.
        after: the `next` of the page before.
        limit: 1 to 200.
    """

    channels: tuple[str, ...] | None
    tasks: tuple[str, ...] = ()
    channel: str | None = None
    states: frozenset[TaskState] = frozenset()
    kind: str | None = None
    tag: str | None = None
    parent: str | None = None
    text: str | None = None
    number: int | None = None
    after: str | None = None
    limit: int = 50


class Page(msgspec.Struct, frozen=True):
    """Some tasks, and where the next page begins (None at the end)."""

    tasks: tuple[Task, ...]
    next: str | None


class NotificationQuery(msgspec.Struct, frozen=True):
    """Which notifications of one channel to list, newest first (by creation, then by id).

    Attributes:
        statuses: any of them; all when empty.
        kind: this one alone; all when None.
        other_than: kinds that are left out.
        after: the `next` of the page before.
        skip: so many are left out before the page begins.
        limit: 1 to 200.
    """

    channel: str
    statuses: frozenset[NotificationStatus] = frozenset()
    kind: str | None = None
    after: str | None = None
    skip: int = 0
    limit: int = 50
    other_than: frozenset[str] = frozenset()


class NotificationPage(msgspec.Struct, frozen=True):
    """Some notifications, where the next page begins (None at the end), and how many there are on all pages."""

    notifications: tuple[Notification, ...]
    next: str | None
    total: int


class Store(ABC):
    """Durable records. One hub writes; see the guarantees above."""

    @abstractmethod
    async def open(self) -> Opened:
        """Make ready: create or migrate what is needed.

        Raises:
            ConfigurationError: the store cannot be used; the message says what to do.
        """

    @abstractmethod
    async def close(self) -> None:
        """Finish what was asked and let go of everything. Idempotent."""

    @abstractmethod
    async def write(self, writes: Writes) -> None:
        """Write all of it or nothing.

        Raises:
            StoreUnavailable: it could not be written; the cause is its `__cause__`.
        """

    @abstractmethod
    async def reserve(self, ceiling: int) -> None:
        """Make durable that revisions below `ceiling` may have been given out. Lower than before: no effect.

        Raises:
            StoreUnavailable: as `write`.
        """

    @abstractmethod
    async def window(self, channel: str, finished: int, newer_than: int, notifications: int) -> Window:
        """Read a channel's window.

        Args:
            finished: at most so many finished tasks, newest (by `finished_at`) first.
            newer_than: Unix milliseconds; finished tasks, read notifications and tombstones older than this are left out.
            notifications: at most so many notifications, newest first, unread ones before read ones;
                archived ones are left out.
        """

    @abstractmethod
    async def task(self, task_id: str) -> Task | None:
        """Read one task."""

    @abstractmethod
    async def notification(self, notification_id: str) -> Notification | None:
        """Read one notification."""

    @abstractmethod
    async def notifications(self, query: NotificationQuery) -> NotificationPage:
        """List notifications."""

    @abstractmethod
    async def aged_notifications(self, created_before: int, limit: int) -> tuple[Notification, ...]:
        """Notifications whose `created_at` is below `created_before`, oldest first, at most `limit`."""

    @abstractmethod
    async def task_by_key(self, channel: str, key: str) -> Task | None:
        """Read the task that was created in `channel` with this idempotency key."""

    @abstractmethod
    async def tasks(self, query: TaskQuery) -> Page:
        """List tasks."""

    @abstractmethod
    async def log(self, task_id: str, offset: int, limit: int) -> tuple[LogEntry, ...]:
        """Read log lines at or after `offset`, in order, at most `limit`."""

    @abstractmethod
    async def log_end(self, task_id: str) -> tuple[int, dict[str, int]]:
        """The offset that the next line of a task's log gets, and the highest `seq` of each source.

        The source that spoke last comes last. Of those whose lines were all trimmed, about `MOST_SOURCES` are
        remembered, those that spoke last.
        """

    @abstractmethod
    async def trim_log(self, task_id: str, below: int) -> None:
        """Forget log lines below an offset; the offsets of the others stay."""

    @abstractmethod
    async def expired(self, finished_before: int, limit: int) -> tuple[Task, ...]:
        """Finished tasks whose `finished_at` is below `finished_before`, oldest first, at most `limit`."""

    @abstractmethod
    async def forget(self, removed_before: int) -> int:
        """Drop tombstones older than this, for good; returns how many."""

    @abstractmethod
    async def document(self, kind: str, document_id: str) -> Document | None:
        """Read one document."""

    @abstractmethod
    async def documents(
        self, kind: str, owner: str | None = None, *, after: str = "", limit: int = 100
    ) -> tuple[Document, ...]:
        """Documents of a kind, of one owner when there is one, whose id comes after `after`; by id, at most `limit`."""

    @abstractmethod
    async def take(self, kind: str, document_id: str) -> bool:
        """Remove one document; True for exactly one of those who ask for it."""

    @abstractmethod
    async def purge(self, now: int) -> int:
        """Drop documents whose `expires_at` is not after `now`; returns how many."""
