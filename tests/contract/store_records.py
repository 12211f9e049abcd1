"""Records for tests of stores (each maker fills in what a test does not care about), and short ways to ask."""

from __future__ import annotations

from typing import Any

from headway.model.notification import Notification, NotificationStatus
from headway.model.progress import START
from headway.model.task import Task, TaskState
from headway.ports.store import LogEntry, Opened, Record, Store, TaskQuery, Tombstone, Window, Writes

CHANNEL = "user:ada"


def make_task(task_id: str, rev: int = 1, state: TaskState = TaskState.RUNNING, **fields: Any) -> Task:
    if state.terminal:
        fields.setdefault("finished_at", 1000)
    defaults: dict[str, Any] = {
        "channel": CHANNEL,
        "title": f"Task {task_id}",
        "kind": "import",
        "attempt": 1,
        "progress": START,
        "created_at": 100,
        "updated_at": 100,
    }
    return Task(id=task_id, rev=rev, state=state, **{**defaults, **fields})


def make_note(
    note_id: str, rev: int = 1, status: NotificationStatus = NotificationStatus.UNREAD, **fields: Any
) -> Notification:
    defaults: dict[str, Any] = {
        "channel": CHANNEL,
        "title": f"Note {note_id}",
        "created_at": 100,
        "updated_at": 100,
    }
    return Notification(id=note_id, rev=rev, status=status, **{**defaults, **fields})


def make_tombstone(record_id: str, rev: int, removed_at: int = 1000, channel: str = CHANNEL) -> Tombstone:
    return Tombstone(id=record_id, channel=channel, rev=rev, removed_at=removed_at)


def make_line(task_id: str, offset: int, text: str = "line", **fields: Any) -> LogEntry:
    return LogEntry(task=task_id, offset=offset, at=100 + offset, level="info", text=text, **fields)


async def put(store: Store, *records: Record) -> None:
    await store.write(Writes(records=records))


async def window(
    store: Store, channel: str = CHANNEL, finished: int = 10, newer_than: int = 0, notifications: int = 10
) -> Window:
    return await store.window(channel, finished, newer_than, notifications)


async def window_ids(
    store: Store, finished: int = 10, newer_than: int = 0, notifications: int = 10
) -> tuple[list[str], int]:
    found = await window(store, CHANNEL, finished, newer_than, notifications)
    return [record.id for record in found.records], found.floor


async def listed(store: Store, query: TaskQuery) -> list[str]:
    return [task.id for task in (await store.tasks(query)).tasks]


async def reopen(store: Store) -> Opened:
    await store.close()
    return await store.open()
