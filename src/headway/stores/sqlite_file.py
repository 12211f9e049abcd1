"""One SQLite database file: making it, connecting to it, and saying in a sentence what is wrong with it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from headway.errors import ConfigurationError, StoreUnavailable

__all__ = ["BUSY_SECONDS", "SYNCHRONOUS", "connect", "create", "unavailable", "unusable"]

BUSY_SECONDS = 2.0
"""How long a statement waits for another program's lock: long enough for a checkpoint, short enough to be told."""

SYNCHRONOUS = ("normal", "full")
"""Both survive a kill of the process; `full` survives a loss of power too, at one fsync for each group."""

_CHECKPOINT_PAGES = 4000
_KEPT_WAL_BYTES = 64 * 2**20


def create(path: Path) -> None:
    """Make an empty file that only its owner may read; one that exists keeps its mode.

    Raises:
        ConfigurationError: it cannot be made there.
    """
    try:
        # SQLite gives the files beside it (-wal, -shm) the same mode.
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"The database {path} cannot be opened: {error.strerror}. "
            "Name a file in a folder that exists and that this user may write to"
        ) from error
    os.close(descriptor)


def connect(path: Path, synchronous: str, *, reader: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode, for any thread (one at a time).

    Raises:
        sqlite3.Error: it is locked, damaged, or no database.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        _use_wal(connection)
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit={_KEPT_WAL_BYTES}")
        connection.execute("PRAGMA temp_store=MEMORY")
        if reader:
            connection.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    with contextlib.closing(connection.execute("PRAGMA journal_mode=WAL")) as cursor:
        (mode,) = cursor.fetchone()
    if mode != "wal":
        raise sqlite3.OperationalError("its disk cannot share memory between connections. Use a local disk")


def unusable(path: Path, error: BaseException | None) -> ConfigurationError:
    """Why the database cannot be opened."""
    return ConfigurationError(f"The database {path} cannot be used: {_reason(error)}")


def unavailable(path: Path, error: BaseException, *, reading: bool = False) -> StoreUnavailable:
    """Why a write (or a read) failed."""
    what = "could not be read" if reading else "could not be written, nothing was acknowledged"
    return StoreUnavailable(f"The database {path} {what}: {_reason(error)}")


def _reason(error: BaseException | None) -> str:
    if not isinstance(error, sqlite3.Error):
        return f"{type(error).__name__}: {error}"
    # The low byte is the primary code, the rest tells variants apart (https://www.sqlite.org/rescode.html).
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    return _REASONS.get(code, f"{error}")


_REASONS = {
    sqlite3.SQLITE_BUSY: "another program holds its lock. End that program, or its open transaction (a second server, "
    "a backup, a database shell), and try again",
    sqlite3.SQLITE_FULL: "its disk is full. Free some space, and try again; what was acknowledged is safe",
    sqlite3.SQLITE_IOERR: "its disk reported an error. Check the disk and its free space, and try again",
    sqlite3.SQLITE_READONLY: "it is read-only. Allow this user to write to the file and to its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened. Name a file in a folder that exists and that this user may write to",
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database. Name another file, or move this one away",
    sqlite3.SQLITE_CORRUPT: "it is damaged. Restore it from a backup, or move it away to begin anew",
}
