"""Every read, in SQLAlchemy Core, the same for SQLite and PostgreSQL.

Each function runs its statements on a connection that holds one snapshot. It knows nothing of threads or pools.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, false, func, or_, select, true, tuple_

from headway.model.notification import Notification, NotificationStatus
from headway.model.task import Task
from headway.ports.store import (
    Document,
    LogEntry,
    NotificationPage,
    NotificationQuery,
    Opened,
    Page,
    Record,
    TaskQuery,
    Tombstone,
    Window,
)
from headway.stores.listing import check_limit, fold, page_after, page_next, searchable
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
    "read_aged_notifications",
    "read_document",
    "read_documents",
    "read_expired",
    "read_log",
    "read_log_end",
    "read_notification",
    "read_notifications",
    "read_opened",
    "read_task",
    "read_task_by_key",
    "read_tasks",
    "read_window",
]

_task = msgspec.json.Decoder(Task).decode
_notification = msgspec.json.Decoder(Notification).decode
_sources = msgspec.json.Decoder(dict[str, int]).decode

_FINISHED = tasks.c.finished_at.is_not(None)
_UNREAD = NotificationStatus.UNREAD
_UNFINISHED = tasks.c.finished_at.is_(None)


def read_opened(connection: Connection) -> Opened:
    """See `Store.open`."""
    values = {row.key: row.value for row in connection.execute(select(meta.c.key, meta.c.value))}
    channels = connection.scalars(select(tasks.c.channel).where(_UNFINISHED).distinct())
    highest = connection.scalar(select(func.max(tasks.c.number))) or 0
    return Opened(
        values["epoch"],
        int(values["ceiling"]),
        tuple(sorted(channels)),
        max(highest, int(values["number"])),
    )


def read_window(
    connection: Connection, channel: str, finished: int, newer_than: int, notifications_limit: int
) -> Window:
    """See `Store.window`."""
    floor = connection.scalar(select(floors.c.rev).where(floors.c.channel == channel)) or 0
    unfinished = connection.scalars(select(tasks.c.data).where(tasks.c.channel == channel, _UNFINISHED))
    records: list[Record] = [_task(data) for data in unfinished]

    newest = (
        select(tasks.c.data)
        .where(tasks.c.channel == channel, _FINISHED, tasks.c.finished_at >= newer_than)
        .order_by(tasks.c.finished_at.desc(), tasks.c.rev.desc())
        .limit(finished)
    )
    done = [_task(data) for data in connection.scalars(newest)]
    floor = max(floor, _highest_left_out(connection, tasks, channel, _FINISHED, done))

    inbox = _inbox(connection, channel, newer_than, notifications_limit)
    beyond = connection.scalars(
        _with_status(select(notifications.c.id), channel, _UNREAD).offset(notifications_limit)
    )
    floor = max(floor, _highest_left_out(connection, notifications, channel, true(), inbox))

    gone = select(tombstones).where(tombstones.c.channel == channel)
    for row in connection.execute(gone):
        if row.removed_at < newer_than:
            floor = max(floor, row.rev)
        else:
            records.append(Tombstone(row.id, row.channel, row.rev, row.removed_at))

    records += done
    records += inbox
    records.sort(key=lambda record: (record.rev, record.id))
    return Window(tuple(records), floor, tuple(beyond))


def _inbox(connection: Connection, channel: str, newer_than: int, limit: int) -> list[Notification]:
    data = select(notifications.c.data)
    found = list(connection.scalars(_with_status(data, channel, _UNREAD).limit(limit)))
    if len(found) < limit:
        read = _with_status(data, channel, NotificationStatus.READ)
        read = read.where(notifications.c.updated_at >= newer_than)
        found += connection.scalars(read.limit(limit - len(found)))
    return [_notification(data) for data in found]


def _with_status(statement: Select[Any], channel: str, status: NotificationStatus) -> Select[Any]:
    return statement.where(
        notifications.c.channel == channel, notifications.c.status == status.value
    ).order_by(notifications.c.created_at.desc(), notifications.c.rev.desc())


def _highest_left_out(
    connection: Connection,
    table: Table,
    channel: str,
    among: ColumnElement[bool],
    taken: Iterable[Task] | Iterable[Notification],
) -> int:
    ids = {record.id for record in taken}
    # One more than were taken must hold one that was not, if there is any: no need to look at the others.
    statement = (
        select(table.c.rev, table.c.id)
        .where(table.c.channel == channel, among)
        .order_by(table.c.rev.desc())
        .limit(len(ids) + 1)
    )
    return next((row.rev for row in connection.execute(statement) if row.id not in ids), 0)


def read_task(connection: Connection, task_id: str) -> Task | None:
    """See `Store.task`."""
    data = connection.scalar(select(tasks.c.data).where(tasks.c.id == task_id))
    return None if data is None else _task(data)


def read_notification(connection: Connection, notification_id: str) -> Notification | None:
    """See `Store.notification`."""
    data = connection.scalar(select(notifications.c.data).where(notifications.c.id == notification_id))
    return None if data is None else _notification(data)


def read_notifications(connection: Connection, query: NotificationQuery) -> NotificationPage:
    """See `Store.notifications`.

    Raises:
        InvalidField: `limit`, `skip` or `after` is out of bounds.
    """
    limit = check_limit(query)
    columns = notifications.c
    wanted = [columns.channel == query.channel]
    if query.statuses:
        wanted.append(columns.status.in_(sorted(status.value for status in query.statuses)))
    if query.kind is not None:
        wanted.append(columns.kind == query.kind)
    if query.other_than:
        wanted.append(columns.kind.not_in(sorted(query.other_than)))
    total = connection.scalar(select(func.count()).select_from(notifications).where(*wanted)) or 0
    if query.after is not None:
        wanted.append(tuple_(columns.created_at, columns.id) < tuple_(*page_after(query.after)))
    statement = (
        select(columns.data)
        .where(*wanted)
        .order_by(columns.created_at.desc(), columns.id.desc())
        .offset(query.skip)
        .limit(limit + 1)
    )
    found = [_notification(data) for data in connection.scalars(statement)]
    more = len(found) > limit
    return NotificationPage(tuple(found[:limit]), page_next(found[limit - 1]) if more else None, total)


def read_aged_notifications(
    connection: Connection, created_before: int, limit: int
) -> tuple[Notification, ...]:
    """See `Store.aged_notifications`."""
    statement = (
        select(notifications.c.data)
        .where(notifications.c.created_at < created_before)
        .order_by(notifications.c.created_at, notifications.c.id)
        .limit(limit)
    )
    return tuple(_notification(data) for data in connection.scalars(statement))


def read_task_by_key(connection: Connection, channel: str, key: str) -> Task | None:
    """See `Store.task_by_key`."""
    data = connection.scalar(
        select(tasks.c.data).where(tasks.c.channel == channel, tasks.c.idempotency_key == key)
    )
    return None if data is None else _task(data)


def read_tasks(connection: Connection, query: TaskQuery) -> Page:
    """See `Store.tasks`.

    Raises:
        InvalidField: `limit` or `after` is out of bounds.
    """
    limit = check_limit(query)
    wanted = [_visible(query)]
    if query.after is not None:
        wanted.append(tuple_(tasks.c.created_at, tasks.c.id) < tuple_(*page_after(query.after)))
    if query.channel is not None:
        wanted.append(tasks.c.channel == query.channel)
    if query.number is not None:
        wanted.append(tasks.c.number == query.number)
    if query.states:
        wanted.append(tasks.c.state.in_(sorted(state.value for state in query.states)))
    if query.kind is not None:
        wanted.append(tasks.c.kind == query.kind)
    if query.parent is not None:
        wanted.append(tasks.c.parent == query.parent)
    if query.tag is not None:
        wanted.append(tasks.c.id.in_(select(task_tags.c.task).where(task_tags.c.tag == query.tag)))
    if query.text:
        folded = fold(query.text)
        wanted.append(
            tasks.c.title_folded.contains(folded, autoescape=True) if searchable(folded) else false()
        )
    statement = (
        select(tasks.c.data)
        .where(and_(*wanted))
        .order_by(tasks.c.created_at.desc(), tasks.c.id.desc())
        .limit(limit + 1)
    )
    found = [_task(data) for data in connection.scalars(statement)]
    more = len(found) > limit
    return Page(tuple(found[:limit]), page_next(found[limit - 1]) if more else None)


def _visible(query: TaskQuery) -> ColumnElement[bool]:
    if query.channels is None or "*" in query.channels:
        return true()
    names = [pattern for pattern in query.channels if not pattern.endswith(":*")]
    ways: list[ColumnElement[bool]] = [
        # Not LIKE: in SQLite it takes no notice of case.
        func.substr(tasks.c.channel, 1, len(pattern) - 1) == pattern[:-1]
        for pattern in query.channels
        if pattern.endswith(":*")
    ]
    if names:
        ways.append(tasks.c.channel.in_(names))
    if query.tasks:
        ways.append(tasks.c.id.in_(query.tasks))
    return or_(false(), *ways)


def read_log(connection: Connection, task_id: str, offset: int, limit: int) -> tuple[LogEntry, ...]:
    """See `Store.log`."""
    statement = (
        select(log_lines)
        .where(log_lines.c.task == task_id, log_lines.c.offset >= offset)
        .order_by(log_lines.c.offset)
        .limit(limit)
    )
    return tuple(LogEntry(*row) for row in connection.execute(statement))


def read_log_end(connection: Connection, task_id: str) -> tuple[int, dict[str, int]]:
    """See `Store.log_end`."""
    trim = connection.execute(select(log_trims).where(log_trims.c.task == task_id)).first()
    end, sources = (0, {}) if trim is None else (trim.end, _sources(trim.sources))
    said = (
        select(log_lines.c.source, func.max(log_lines.c.seq), func.max(log_lines.c.offset))
        .where(log_lines.c.task == task_id)
        .group_by(log_lines.c.source)
    )
    for source, seq, offset in sorted(connection.execute(said), key=itemgetter(2)):
        end = max(end, offset + 1)
        if source is not None and seq is not None:
            sources[source] = max(seq, sources.pop(source, seq))
    return end, sources


def read_expired(connection: Connection, finished_before: int, limit: int) -> tuple[Task, ...]:
    """See `Store.expired`."""
    statement = (
        select(tasks.c.data)
        .where(_FINISHED, tasks.c.finished_at < finished_before)
        .order_by(tasks.c.finished_at, tasks.c.id)
        .limit(limit)
    )
    return tuple(_task(data) for data in connection.scalars(statement))


def read_document(connection: Connection, kind: str, document_id: str) -> Document | None:
    """See `Store.document`."""
    found = connection.execute(
        select(documents).where(documents.c.kind == kind, documents.c.id == document_id)
    ).first()
    return None if found is None else Document(*found)


def read_documents(
    connection: Connection, kind: str, owner: str | None, after: str, limit: int
) -> tuple[Document, ...]:
    """See `Store.documents`."""
    statement = select(documents).where(documents.c.kind == kind, documents.c.id > after)
    if owner is not None:
        statement = statement.where(documents.c.owner == owner)
    return tuple(
        Document(*row) for row in connection.execute(statement.order_by(documents.c.id).limit(limit))
    )
