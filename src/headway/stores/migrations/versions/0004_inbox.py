"""The inbox: notifications by kind, and in the order in which they are listed and go."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notifications", sa.Column("kind", sa.Text, nullable=False, server_default=""))
    connection = op.get_bind()
    for notification, data in connection.execute(sa.text("SELECT id, data FROM notifications")).fetchall():
        kind = json.loads(data).get("kind", "")
        if kind:
            connection.execute(
                sa.text("UPDATE notifications SET kind = :kind WHERE id = :id"),
                {"kind": kind, "id": notification},
            )
    op.create_index("ix_notifications_listed", "notifications", ["channel", "created_at", "id"])
    op.create_index("ix_notifications_aged", "notifications", ["created_at", "id"])
