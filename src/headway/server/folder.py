"""The data folder: one server at a time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from headway.errors import ConfigurationError

__all__ = ["FolderLock"]


class FolderLock:
    """Held while a server runs; the system lets go of it however the server ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the folder.

        Raises:
            ConfigurationError: another server has it, or it cannot be written to.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = (self._folder / "lock").open("a+")
        except OSError as error:
            raise ConfigurationError(
                f"The data folder {self._folder} cannot be used ({error.strerror}); name another with --data"
            ) from None
        if not _locked(file):
            file.seek(0)
            owner = file.read().strip()
            file.close()
            raise ConfigurationError(
                f"Another Headway{f' (process {owner})' if owner else ''} already uses the folder {self._folder}; "
                "stop it, or name another folder with --data"
            )
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let go. Idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _locked(file: IO[str]) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
