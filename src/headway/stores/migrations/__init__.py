"""Brings a database to the present schema, with Alembic and without any file outside the package.

A new step is a file in `versions` that names the one before it, and `HEAD` is its name. Steps spell out what they
do and never import `schema`, which moves on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from headway.errors import ConfigurationError

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["HEAD", "VERSION_TABLE", "upgrade"]

HEAD = "0004"
"""The newest step: what `schema` describes."""

VERSION_TABLE = "headway_version"
"""Not Alembic's own name, so that Headway can share a PostgreSQL database with an application."""


def upgrade(connection: Connection) -> None:
    """Bring the database to `HEAD`, within the connection's transaction.

    Raises:
        ConfigurationError: it was written by a newer Headway, or belongs to something else.
    """
    found = inspect(connection).get_table_names()
    if VERSION_TABLE in found:
        version = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
        # The common case, answered before Alembic is imported: that takes longer than everything else here.
        if version == HEAD:
            return
        _check_known(version)
    elif connection.dialect.name == "sqlite" and found:
        raise ConfigurationError(
            f"This database belongs to another program (it has a table {found[0]!r}); "
            "give Headway a database file of its own"
        )
    _run(connection)


def _check_known(version: str | None) -> None:
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if version is not None and version not in known:
        raise ConfigurationError(
            f"This database was written by a newer Headway (its schema is {version}, this version knows {HEAD}); "
            "upgrade Headway, or use another database"
        )


def _run(connection: Connection) -> None:
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    with _quiet("alembic"):
        command.upgrade(config, "head")


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", f"{__package__.rpartition('.')[0]}:migrations")
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
