"""Checks of files: the data folder, the database in it, and the built pages."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

from headway.cli.checks.finding import Finding, fail, ok, warn
from headway.server.app import DATABASE
from headway.server.pages import STATIC
from headway.stores.migrations import HEAD, VERSION_TABLE

__all__ = ["check_data", "check_pages", "check_store"]

_SCARCE_BYTES = 100 * 2**20


def check_data(folder: Path) -> Finding:
    """The data folder can be written to, and nobody or a server of ours has it."""
    what = "data folder"
    at = folder.absolute()
    if not at.exists():
        above = next(parent for parent in at.parents if parent.exists())
        if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
            return ok(what, f"{at} is not there yet; the first start makes it")
        return fail(
            what, f"{at} cannot be made, since {above} cannot be written to; name another with --data"
        )
    try:
        # Asking for permission is not enough: a disk may be full or read-only, and root is always permitted.
        with tempfile.TemporaryFile(dir=at) as file:
            file.write(b"x")
    except OSError as error:
        return fail(what, f"{at} cannot be written to ({error.strerror}); name another with --data")
    if (free := shutil.disk_usage(at).free) < _SCARCE_BYTES:
        return warn(what, f"{at} has {free // 2**20} MB left on its disk; free some space")
    owner = _holder(at / "lock")
    return ok(what, f"{at} can be written to, and {f'process {owner} serves it' if owner else 'is free'}")


def check_store(folder: Path) -> Finding:
    """The database opens, holds together, and is of this version."""
    what = "store"
    path = (folder / DATABASE).absolute()
    if not path.exists():
        return ok(what, "no database yet; the first start makes it")
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=2)) as database:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
            version = _version(database)
    except sqlite3.Error as error:
        return fail(
            what, f"{path} cannot be read ({error}); restore it from a backup, or move it away to begin anew"
        )
    if verdict != "ok":
        return fail(
            what, f"{path} is damaged ({verdict}); restore it from a backup, or move it away to begin anew"
        )
    if version is None:
        return fail(what, f"{path} is not Headway's; name another folder with --data")
    if version > HEAD:
        return fail(
            what, f"{path} was written by a newer Headway (schema {version}, here {HEAD}); upgrade Headway"
        )
    size = f"{path.stat().st_size / 2**20:.1f} MB"
    if version < HEAD:
        return ok(what, f"{size}, sound, of schema {version}; the next start brings it to {HEAD}")
    return ok(what, f"{size}, sound, of schema {version}")


def check_pages() -> Finding:
    """The pages were built."""
    missing = [name for name in ("index.html", "headway.js") if not (STATIC / name).is_file()]
    if missing:
        return warn(
            "web pages",
            f"{' and '.join(missing)} not built; run make web, or install a wheel (the API works without)",
        )
    return ok("web pages", "built")


def _version(database: sqlite3.Connection) -> str | None:
    try:
        row = database.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608 - a constant
    except sqlite3.OperationalError:
        return None
    return None if row is None else str(row[0])


def _holder(lock: Path) -> str | None:
    """Who holds the lock of a data folder; None when it is free."""
    try:
        import fcntl
    except ImportError:  # Windows has no lock that can be tried without taking it
        return None
    try:
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return file.read().strip() or "of unknown number"
    except OSError:
        return None
    return None
