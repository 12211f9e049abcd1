"""Documents: small things that the server keeps beside the records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("kind", _NAME, nullable=False),
        sa.Column("id", _NAME, nullable=False),
        sa.Column("owner", _NAME, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("kind", "id", name="pk_documents"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_documents_owner", "documents", ["kind", "owner", "id"])
    expires = sa.text("expires_at IS NOT NULL")
    op.create_index(
        "ix_documents_expires", "documents", ["expires_at"], sqlite_where=expires, postgresql_where=expires
    )
