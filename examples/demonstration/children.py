"""Processes that end with the example, however it ends: after a `kill -9`, which asks nobody, a guard ends them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, cast

__all__ = ["end", "over", "start"]

_END_SECONDS = 10.0


class _Guard:
    """The process that stays for a moment when this one is gone, and what it is told."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._one_by_one = threading.Lock()

    def tell(self, line: str) -> None:
        with self._one_by_one:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", str(Path(__file__).with_name("guard.py"))],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    bufsize=0,
                    # What ends a whole group of processes must not end the guard.
                    start_new_session=True,
                )
            # Without its guard, the example is as good as long as nobody kills it.
            with contextlib.suppress(BrokenPipeError):
                cast("IO[bytes]", self._process.stdin).write(f"{line}\n".encode())


_GUARD = _Guard()


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a process that does not outlive this one.

    Args:
        command: the program and its arguments.
        options: as those of `subprocess.Popen`.

    What it prints goes to standard error: standard output is for the lines that say where the example is.
    """
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, **options)
    _GUARD.tell(f"+{process.pid}")
    return process


def over(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process to end by itself; gives its exit code."""
    code = process.wait()
    _GUARD.tell(f"-{process.pid}")
    return code


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process in good order; without mercy when it takes too long."""
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
    over(process)
