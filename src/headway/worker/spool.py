"""Facts on disk until a server has them: one file for each process, taken over by the next when that one died.

A file belongs to whoever holds its lock, and the kernel lets go of the lock of a process that dies. Reports are
idempotent, so delivering one twice is harmless and nothing here needs fsync. It must not know servers or tasks.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from headway.model.report import Report
from headway.worker.filelock import lock

__all__ = ["Spool"]

MOST_BYTES = 16 * 2**20
TIDY_BYTES = 256 * 1024
_SUFFIX = ".jsonl"


class Spool:
    """The file of this process, and those that dead processes left."""

    def __init__(self, folder: str, name: str, most: int = MOST_BYTES) -> None:
        """Open (and create) the file.

        Args:
            folder: is made when it is not there.
            name: of this process; no other has it.
            most: bytes; facts beyond it are kept in memory only.

        Raises:
            OSError: the folder or file cannot be made.
        """
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = self._folder / f"{name}{_SUFFIX}"
        self._most = most
        self._file = self._open(self._path)
        self.size = 0
        self._encoder = msgspec.json.Encoder()
        self._decoder: msgspec.json.Decoder[Report] = msgspec.json.Decoder(Report)
        # Re-entrant: garbage collection may end a task while this thread writes.
        self._lock = threading.RLock()

    def append(self, report: Report) -> bool:
        """Write one fact; False when the file is full.

        Raises:
            OSError: the disk is full, or gone.
        """
        line = self._encoder.encode(report) + b"\n"
        with self._lock:
            if self.size + len(line) > self._most:
                return False
            os.write(self._file, line)
            self.size += len(line)
        return True

    def keep(self, facts: Callable[[], Iterable[Report]]) -> None:
        """Forget every fact but these; does nothing while the file is small and some are left.

        Args:
            facts: asked while nothing can be written.

        Raises:
            OSError: the disk is full, or gone.
        """
        with self._lock:
            left = list(facts())
            if not left:
                if self.size:
                    os.ftruncate(self._file, 0)
                    self.size = 0
            elif self.size > TIDY_BYTES:
                self._rewrite(left)

    def orphans(self) -> Iterator[list[Report]]:
        """The facts of each dead process; its file is removed when the next one is asked for."""
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            if path == self._path:
                continue
            try:
                file = os.open(path, os.O_RDWR)
            except OSError:
                continue
            try:
                # A file that was replaced while we waited for it is not the one that is there.
                if lock(file) and os.fstat(file).st_ino == path.stat().st_ino:
                    yield list(self._read(file))
                    path.unlink(missing_ok=True)
            except OSError:
                continue
            finally:
                os.close(file)

    def close(self, *, remove: bool = False) -> None:
        """Let go of the file; another process takes over what is in it."""
        with self._lock:
            if remove:
                self._path.unlink(missing_ok=True)
            os.close(self._file)

    def abandon(self) -> None:
        """Close a file that belongs to the parent of this forked process; the lock stays with the parent."""
        os.close(self._file)

    def _rewrite(self, reports: list[Report]) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        file = self._open(fresh)
        # Half of the room at most, so that there is some for what comes.
        lines = [self._encoder.encode(report) + b"\n" for report in reports]
        while lines and sum(map(len, lines)) > self._most // 2:
            lines = lines[len(lines) // 2 + 1 :]
        os.write(file, b"".join(lines))
        fresh.replace(self._path)
        os.close(self._file)
        self._file = file
        self.size = sum(map(len, lines))

    def _open(self, path: Path) -> int:
        for _ in range(100):
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            # Somebody who looks for orphans may have locked and removed it before we could lock it.
            if lock(file) and path.exists() and os.fstat(file).st_ino == path.stat().st_ino:
                return file
            os.close(file)
        raise OSError(f"{path} cannot be locked")

    def _read(self, file: int) -> Iterator[Report]:
        left = self._most
        data = bytearray()
        while left > 0 and (chunk := os.read(file, min(left, 2**20))):
            data += chunk
            left -= len(chunk)
        for line in data.splitlines():
            try:
                yield self._decoder.decode(line)
            except msgspec.MsgspecError:
                continue  # the line that was being written when the process died
