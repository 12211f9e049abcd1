"""Jobs in processes of their own, a few at a time: a job that dies takes nothing else along."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import headway
from examples.demonstration.children import over, start

__all__ = ["Crew"]

ROOT = Path(__file__).parents[2]


class Crew:
    """Runs a module as a process for each job; those beyond its size wait in line."""

    def __init__(self, module: str, variables: Mapping[str, str], *, size: int = 2) -> None:
        """Describe it; nothing is started yet.

        Args:
            module: run as `python -m module TASK ATTEMPT`; it attaches to that task.
            variables: of its environment, beside ours.
            size: jobs at the same time.
        """
        self._module = module
        self._environment = os.environ | dict(variables)
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="crew")
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._order = threading.Lock()
        self._closed = False

    def submit(self, task: str, attempt: int = 1) -> None:
        """Put a task that exists in line."""
        self._threads.submit(self._run, task, attempt)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End what runs and forget what waits."""
        with self._order:
            self._closed = True
            for process in self._running.values():
                process.terminate()
        self._threads.shutdown(cancel_futures=True)

    def _run(self, task: str, attempt: int) -> None:
        with self._order:
            if self._closed:
                return
            process = self._running[task] = start(
                [sys.executable, "-m", self._module, task, str(attempt)],
                cwd=ROOT,
                env=self._environment,
            )
        code = over(process)
        with self._order:
            del self._running[task]
        if code and not self._closed:
            # It could say so itself unless it was killed; a second end of the same task changes nothing.
            with headway.attach(task, attempt=attempt) as ended:
                ended.fail(f"The worker ended unexpectedly (exit code {code})")
