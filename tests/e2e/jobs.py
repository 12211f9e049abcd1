"""A worker in a process of its own that does what a test tells it, a line of Python at a time."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import IO

__all__ = ["Job"]

_TASK = """
import os, sys
import headway
with headway.task({title!r}, id={task!r}, {options}) as t:
    print("ready", flush=True)
    try:
        for line in sys.stdin:
            exec(line)
            print("done", flush=True)
    except headway.Cancelled:
        print("cancelled", flush=True)
        raise
"""

_TRACK = """
import sys
import headway
print("ready", flush=True)
try:
    for _ in headway.track(iter(sys.stdin.readline, ""), {title!r}, id={task!r}, {options}):
        print("done", flush=True)
except headway.Cancelled:
    print("cancelled", flush=True)
"""

_ALONE = """
import time
import headway
print("ready", flush=True)
for _ in headway.track(range({items}), {title!r}, id={task!r}, {options}):
    time.sleep({seconds})
"""


class Job:
    """One worker process.

    Attributes:
        task: the id of its task.
        output: what it prints: `ready`, then `done` for each line that it was told.
    """

    def __init__(self, folder: Path, environment: dict[str, str], task: str, script: str) -> None:
        self.task = task
        self._errors = folder / f"job-{task}"
        with self._errors.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                env=environment,
                cwd=folder,
            )
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        self.output: IO[str] = self.process.stdout
        self._input: IO[str] = self.process.stdin
        self.expect("ready")

    def expect(self, word: str) -> None:
        """Wait for a line of output."""
        line = self.output.readline().strip()
        assert line == word, f"{line!r} instead of {word!r}: {self.said()}"

    def do(self, line: str = "") -> None:
        """Have it run a line, or go on to the next item, and wait until it has."""
        self._input.write(f"{line}\n")
        self._input.flush()
        self.expect("done")

    def tell(self, line: str = "") -> None:
        """As `do`, without waiting."""
        self._input.write(f"{line}\n")
        self._input.flush()

    def finish(self) -> int:
        """Let it come to its end; the exit code."""
        self._input.close()
        return self.process.wait()

    def said(self) -> str:
        """What it wrote to standard error."""
        return self._errors.read_text()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.output.close()
        with contextlib.suppress(BrokenPipeError):
            self._input.close()


class Jobs:
    """Starts workers, which end with the test. They find the server as any job does."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self._started: list[Job] = []

    def task(self, title: str = "Importing customers", task: str = "job", options: str = "total=100") -> Job:
        """One that runs lines of Python in a `with headway.task(...) as t`."""
        return self._start(task, _TASK.format(title=title, task=task, options=options))

    def track(self, title: str = "Importing customers", task: str = "job", options: str = "total=20") -> Job:
        """One whose `headway.track` takes an item for each line."""
        return self._start(task, _TRACK.format(title=title, task=task, options=options))

    def alone(
        self,
        title: str = "Importing customers",
        task: str = "job",
        options: str = "",
        *,
        items: int = 100_000,
        seconds: float = 0.01,
    ) -> Job:
        """One that works by itself, so long for each item."""
        return self._start(
            task, _ALONE.format(title=title, task=task, options=options, items=items, seconds=seconds)
        )

    def _start(self, task: str, script: str) -> Job:
        job = Job(self.folder, self.environment, task, script)
        self._started.append(job)
        return job

    def close(self) -> None:
        for job in self._started:
            job.close()
