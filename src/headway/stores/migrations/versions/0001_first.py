"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _tasks()
    _notifications()
    _logs()
    op.create_table(
        "tombstones",
        sa.Column("channel", _NAME, nullable=False),
        sa.Column("id", _NAME, nullable=False),
        sa.Column("rev", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("channel", "id", name="pk_tombstones"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tombstones_removed", "tombstones", ["removed_at"])
    op.create_table(
        "floors",
        sa.Column("channel", _NAME, nullable=False),
        sa.Column("rev", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("channel", name="pk_floors"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "meta",
        sa.Column("key", _NAME, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
        sqlite_with_rowid=False,
    )


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", _NAME, nullable=False),
        sa.Column("channel", _NAME, nullable=False),
        sa.Column("rev", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("title_folded", sa.Text, nullable=False),
        sa.Column("parent", _NAME),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("idempotency_key", _NAME),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_created", "tasks", ["created_at", "id"])
    op.create_index("ix_tasks_channel_created", "tasks", ["channel", "created_at", "id"])
    _partial("ix_tasks_parent_created", ["parent", "created_at", "id"], "parent IS NOT NULL")
    _partial("ix_tasks_unfinished", ["channel"], "finished_at IS NULL")
    _partial("ix_tasks_expired", ["finished_at", "id"], "finished_at IS NOT NULL")
    _partial("ix_tasks_channel_finished", ["channel", "finished_at", "rev"], "finished_at IS NOT NULL")
    _partial("ix_tasks_channel_finished_rev", ["channel", "rev", "id"], "finished_at IS NOT NULL")
    _partial(
        "uq_tasks_idempotency_key", ["channel", "idempotency_key"], "idempotency_key IS NOT NULL", unique=True
    )
    op.create_table(
        "task_tags",
        sa.Column("task", _NAME, nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("task", "tag", name="pk_task_tags"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_task_tags_tag", "task_tags", ["tag", "task"])


def _partial(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, "tasks", columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", _NAME, nullable=False),
        sa.Column("channel", _NAME, nullable=False),
        sa.Column("rev", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
    )
    op.create_index(
        "ix_notifications_channel_created", "notifications", ["channel", "status", "created_at", "rev"]
    )
    op.create_index("ix_notifications_channel_rev", "notifications", ["channel", "rev", "id"])


def _logs() -> None:
    op.create_table(
        "log_lines",
        sa.Column("task", _NAME, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("source", sa.Text),
        sa.Column("seq", sa.BigInteger),
        sa.PrimaryKeyConstraint("task", "offset", name="pk_log_lines"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_trims",
        sa.Column("task", _NAME, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("sources", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("task", name="pk_log_trims"),
        sqlite_with_rowid=False,
    )
