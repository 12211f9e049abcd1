"""The tables, the same for SQLite and PostgreSQL. It knows nothing of connections.

A record is kept as its JSON encoding in `data`; the other columns are what queries select and order by. Indexes on
finished tasks are partial, so that a tick of a running task touches none of them but the row itself.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text, text

__all__ = [
    "documents",
    "floors",
    "log_lines",
    "log_trims",
    "meta",
    "metadata",
    "notifications",
    "task_tags",
    "tasks",
    "tombstones",
]

metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s"},
)

_NAME = Text().with_variant(Text(collation="C"), "postgresql")
"""Ids and names are compared and ordered byte by byte, whatever the language of the database."""

_FINISHED = text("finished_at IS NOT NULL")
_UNFINISHED = text("finished_at IS NULL")
_HAS_PARENT = text("parent IS NOT NULL")
_HAS_NUMBER = text("number IS NOT NULL")
_HAS_KEY = text("idempotency_key IS NOT NULL")

tasks = Table(
    "tasks",
    metadata,
    Column("id", _NAME, primary_key=True),
    Column("channel", _NAME, nullable=False),
    Column("rev", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    # Case-folded by Python: SQLite folds ASCII alone.
    Column("title_folded", Text, nullable=False),
    Column("parent", _NAME),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    # Set exactly when the state is terminal, so that it tells finished from unfinished.
    Column("finished_at", BigInteger),
    Column("data", Text, nullable=False),
    Column("idempotency_key", _NAME),
    Column("number", BigInteger),
)
Index("ix_tasks_created", tasks.c.created_at, tasks.c.id)
Index("ix_tasks_channel_created", tasks.c.channel, tasks.c.created_at, tasks.c.id)
Index(
    "ix_tasks_parent_created",
    tasks.c.parent,
    tasks.c.created_at,
    tasks.c.id,
    sqlite_where=_HAS_PARENT,
    postgresql_where=_HAS_PARENT,
)
Index("ix_tasks_unfinished", tasks.c.channel, sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED)
Index("ix_tasks_expired", tasks.c.finished_at, tasks.c.id, sqlite_where=_FINISHED, postgresql_where=_FINISHED)
Index(
    "ix_tasks_channel_finished",
    tasks.c.channel,
    tasks.c.finished_at,
    tasks.c.rev,
    sqlite_where=_FINISHED,
    postgresql_where=_FINISHED,
)
Index(
    "ix_tasks_channel_finished_rev",
    tasks.c.channel,
    tasks.c.rev,
    tasks.c.id,
    sqlite_where=_FINISHED,
    postgresql_where=_FINISHED,
)
Index(
    "uq_tasks_idempotency_key",
    tasks.c.channel,
    tasks.c.idempotency_key,
    unique=True,
    sqlite_where=_HAS_KEY,
    postgresql_where=_HAS_KEY,
)

Index("uq_tasks_number", tasks.c.number, unique=True, sqlite_where=_HAS_NUMBER, postgresql_where=_HAS_NUMBER)

task_tags = Table(
    "task_tags",
    metadata,
    Column("task", _NAME, primary_key=True),
    Column("tag", Text, primary_key=True),
    sqlite_with_rowid=False,
)
Index("ix_task_tags_tag", task_tags.c.tag, task_tags.c.task)

notifications = Table(
    "notifications",
    metadata,
    Column("id", _NAME, primary_key=True),
    Column("channel", _NAME, nullable=False),
    Column("rev", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default=""),
)
Index(
    "ix_notifications_channel_created",
    notifications.c.channel,
    notifications.c.status,
    notifications.c.created_at,
    notifications.c.rev,
)
Index("ix_notifications_channel_rev", notifications.c.channel, notifications.c.rev, notifications.c.id)
Index("ix_notifications_listed", notifications.c.channel, notifications.c.created_at, notifications.c.id)
Index("ix_notifications_aged", notifications.c.created_at, notifications.c.id)

# By channel too: an id that was removed may be taken again in another channel, and this one must still tell.
tombstones = Table(
    "tombstones",
    metadata,
    Column("channel", _NAME, primary_key=True),
    Column("id", _NAME, primary_key=True),
    Column("rev", BigInteger, nullable=False),
    Column("removed_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_tombstones_removed", tombstones.c.removed_at)

# The highest revision among the tombstones of a channel that were dropped for good.
floors = Table(
    "floors",
    metadata,
    Column("channel", _NAME, primary_key=True),
    Column("rev", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

log_lines = Table(
    "log_lines",
    metadata,
    Column("task", _NAME, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("level", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("source", Text),
    Column("seq", BigInteger),
    sqlite_with_rowid=False,
)

# What the trimmed lines of a log said about its end: a JSON object of the highest seq of each source.
log_trims = Table(
    "log_trims",
    metadata,
    Column("task", _NAME, primary_key=True),
    Column("end", BigInteger, nullable=False),
    Column("sources", Text, nullable=False),
    sqlite_with_rowid=False,
)

_EXPIRES = text("expires_at IS NOT NULL")

documents = Table(
    "documents",
    metadata,
    Column("kind", _NAME, primary_key=True),
    Column("id", _NAME, primary_key=True),
    Column("owner", _NAME, nullable=False),
    Column("data", Text, nullable=False),
    Column("expires_at", BigInteger),
    sqlite_with_rowid=False,
)
Index("ix_documents_owner", documents.c.kind, documents.c.owner, documents.c.id)
Index("ix_documents_expires", documents.c.expires_at, sqlite_where=_EXPIRES, postgresql_where=_EXPIRES)

# `epoch`, `ceiling`, and `number`: the highest among the tasks that were removed.
meta = Table(
    "meta",
    metadata,
    Column("key", _NAME, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)
