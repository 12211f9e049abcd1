"""The migrations give what `schema` describes, and refuse what is not Headway's."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, NullPool, create_engine

from headway.errors import ConfigurationError
from headway.stores.migrations import HEAD, VERSION_TABLE, upgrade
from headway.stores.schema import metadata
from headway.stores.sqlite import SqliteStore


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'headway.db'}", poolclass=NullPool)
    yield engine
    engine.dispose()


def _statements(connection: Connection) -> dict[str, str]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: " ".join(sql.split()) for name, sql in rows if name != VERSION_TABLE}


def test_alembic_sees_no_difference_from_the_schema(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection)
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []


def test_neither_does_the_text_of_the_statements(engine: Engine) -> None:
    # Alembic does not compare the conditions of partial indexes.
    with engine.begin() as connection:
        upgrade(connection)
        migrated = _statements(connection)
    fresh = create_engine("sqlite://")
    with fresh.begin() as connection:
        metadata.create_all(connection)
        described = _statements(connection)
    fresh.dispose()
    assert migrated == described


def test_the_newest_step_is_the_head() -> None:
    config = Config()
    config.set_main_option("script_location", "headway.stores:migrations")
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_a_present_database_opens_without_alembic(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "headway.db")
    await store.open()
    await store.close()
    code = f"""
import asyncio, sys
from headway.stores.sqlite import SqliteStore
async def main():
    store = SqliteStore({str(tmp_path / "headway.db")!r})
    await store.open()
    await store.close()
asyncio.run(main())
sys.exit("alembic" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_migrating_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    store = SqliteStore(tmp_path / "headway.db")
    await store.open()
    await store.close()
    assert [record.getMessage() for record in caplog.records if record.name.startswith("alembic")] == []


async def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "headway.db"
    store = SqliteStore(path)
    await store.open()
    await store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match=r"newer Headway.*9999.*upgrade Headway"):
        await store.open()


async def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    with pytest.raises(ConfigurationError, match=r"another program.*songs"):
        await SqliteStore(path).open()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("songs",)]


async def test_an_unfinished_first_migration_leaves_nothing_behind(tmp_path: Path) -> None:
    # Given: a table in the way of the last step, which the check of table names cannot see
    path = tmp_path / "headway.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE VIEW meta AS SELECT 1")
    with pytest.raises(ConfigurationError, match="meta"):
        await SqliteStore(path).open()
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("meta",)]
        connection.execute("DROP VIEW meta")
    store = SqliteStore(path)
    await store.open()
    await store.close()


def test_steps_do_not_import_the_schema() -> None:
    versions = Path(sys.modules["headway.stores.migrations"].__file__ or "").parent / "versions"
    steps = sorted(versions.glob("*.py"))
    assert steps
    assert not [
        step.name for step in steps if re.search(r"^(from|import) headway", step.read_text(), re.MULTILINE)
    ]


def test_tasks_that_are_there_get_numbers_in_the_order_of_their_creation(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", "headway.stores:migrations")
    config.set_main_option("path_separator", "os")
    row = (
        "INSERT INTO tasks (id, channel, rev, state, kind, title, title_folded, created_at, updated_at, data)"
        """ VALUES ('{0}', 'public', 1, 'running', '', 'é', 'é', {1}, {1}, '{{"id":"{0}","title":"é"}}')"""
    )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql(row.format("later", 9))
        connection.exec_driver_sql(row.format("first", 3))
        upgrade(connection)
        found = connection.exec_driver_sql("SELECT number, id, data FROM tasks ORDER BY number").fetchall()
    assert found == [
        (1, "first", '{"id":"first","title":"é","number":1}'),
        (2, "later", '{"id":"later","title":"é","number":2}'),
    ]


def test_notifications_that_are_there_are_found_by_kind(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", "headway.stores:migrations")
    config.set_main_option("path_separator", "os")
    row = (
        "INSERT INTO notifications (id, channel, rev, status, created_at, updated_at, data)"
        """ VALUES ('{0}', 'public', 1, 'read', 1, 1, '{1}')"""
    )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.exec_driver_sql(row.format("a", '{"id":"a","kind":"report"}'))
        connection.exec_driver_sql(row.format("b", '{"id":"b"}'))
        upgrade(connection)
        found = connection.exec_driver_sql("SELECT id, kind FROM notifications ORDER BY id").fetchall()
    assert found == [("a", "report"), ("b", "")]
