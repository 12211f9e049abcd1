"""The file itself: who may read it, and what is said of one that cannot be used."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headway.errors import ConfigurationError
from headway.ports.store import Writes
from headway.stores.sqlite import SqliteStore
from tests.contract.store_records import make_task


class TestFile:
    async def test_only_its_owner_may_read_it(self, path: Path) -> None:
        before = os.umask(0)
        try:
            store = SqliteStore(path)
            await store.open()
            await store.write(Writes([make_task("t")]))
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
            await store.close()
        finally:
            os.umask(before)
        assert modes == {"headway.db": 0o600, "headway.db-wal": 0o600, "headway.db-shm": 0o600}

    async def test_closing_leaves_one_file(self, store: SqliteStore, path: Path) -> None:
        await store.write(Writes([make_task("t")]))
        await store.task("t")
        await store.close()
        assert [file.name for file in path.parent.iterdir()] == ["headway.db"]

    @pytest.mark.parametrize("synchronous", ["normal", "full"])
    async def test_synchronous_reaches_the_database(self, path: Path, synchronous: str) -> None:
        store = SqliteStore(str(path), synchronous=synchronous)
        await store.open()
        await store.write(Writes([make_task("t")]))
        connection = store._writer._connection
        assert connection is not None
        (level,) = connection.execute("PRAGMA synchronous").fetchone()
        await store.close()
        assert level == {"normal": 1, "full": 2}[synchronous]

    def test_another_synchronous_is_refused(self, path: Path) -> None:
        with pytest.raises(ConfigurationError, match="normal or full"):
            SqliteStore(path, synchronous="off")

    async def test_something_else_is_refused_and_left_alone(self, path: Path) -> None:
        path.write_text("Dear diary, " * 1000)
        with pytest.raises(
            ConfigurationError, match=r"headway\.db cannot be used: it is not a SQLite database"
        ):
            await SqliteStore(path).open()
        assert path.read_text() == "Dear diary, " * 1000

    async def test_a_damaged_database_says_so(self, store: SqliteStore, path: Path) -> None:
        await store.write(Writes([make_task(f"t{n}", n) for n in range(500)]))
        await store.close()
        content = bytearray(path.read_bytes())
        content[100:8192] = b"\xff" * 8092
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match="damaged"):
            await store.open()

    @pytest.mark.parametrize("where", ["missing/headway.db", ".", "file/headway.db"])
    async def test_a_place_that_cannot_hold_it_is_refused(self, tmp_path: Path, where: str) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(ConfigurationError, match="Name a file in a folder that exists"):
            await SqliteStore(tmp_path / where).open()

    @pytest.mark.skipif(sys.platform == "win32", reason="has other permissions")
    async def test_a_folder_or_a_file_that_is_not_writable_is_refused(
        self, path: Path, store: SqliteStore
    ) -> None:
        await store.close()
        with unprivileged(path.parent):
            path.parent.chmod(0o555)
            with pytest.raises(ConfigurationError, match="this user may write"):
                await SqliteStore(path.parent / "other.db").open()
            path.chmod(0o444)
            with pytest.raises(ConfigurationError, match="this user may write"):
                await store.open()
            path.parent.chmod(0o755)

    async def test_it_can_be_tried_again(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "later" / "headway.db")
        with pytest.raises(ConfigurationError):
            await store.open()
        (tmp_path / "later").mkdir()
        await store.open()
        await store.close()


@contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """Root may write anywhere: become nobody for a while, who owns `folder`."""
    if os.geteuid() != 0:
        yield
        return
    nobody = 65534
    for place in (folder, *folder.iterdir()):
        os.chown(place, nobody, -1)
    through = stat.S_IXGRP | stat.S_IXOTH
    above = [parent for parent in folder.parents if parent.stat().st_mode & through != through]
    modes = [parent.stat().st_mode for parent in above]
    for parent, mode in zip(above, modes, strict=True):
        parent.chmod(mode | through)
    os.seteuid(nobody)
    try:
        yield
    finally:
        os.seteuid(0)
        for parent, mode in zip(above, modes, strict=True):
            parent.chmod(mode)
