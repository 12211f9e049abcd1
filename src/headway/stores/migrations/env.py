"""What Alembic runs for each command; the connection comes from `headway.stores.migrations`."""

from __future__ import annotations

from alembic import context

from headway.stores.migrations import VERSION_TABLE
from headway.stores.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # SQLite alters little in place.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
