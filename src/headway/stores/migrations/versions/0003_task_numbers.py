"""Numbers of tasks: those that are there get theirs in the order in which they were created."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("number", sa.BigInteger))
    connection = op.get_bind()
    there = connection.execute(sa.text("SELECT id, data FROM tasks ORDER BY created_at, id")).fetchall()
    for number, (task, data) in enumerate(there, 1):
        connection.execute(
            sa.text("UPDATE tasks SET number = :number, data = :data WHERE id = :id"),
            {
                "number": number,
                "data": json.dumps(
                    json.loads(data) | {"number": number}, ensure_ascii=False, separators=(",", ":")
                ),
                "id": task,
            },
        )
    numbered = sa.text("number IS NOT NULL")
    op.create_index(
        "uq_tasks_number",
        "tasks",
        ["number"],
        unique=True,
        sqlite_where=numbered,
        postgresql_where=numbered,
    )
