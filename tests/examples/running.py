"""An example application as its README starts it, on a port of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import psutil  # type: ignore[import-untyped]
import urllib3

from tests.worker.scripts import environment

__all__ = ["ROOT", "Running", "running", "until"]

ROOT = Path(__file__).parents[2]
SECONDS = 50.0
T = TypeVar("T")


class Answer(NamedTuple):
    """What a request was answered."""

    status: int
    body: Any


class Running(NamedTuple):
    """One that runs.

    Attributes:
        tokens: of `demo-1` and `demo-2`.
    """

    url: str
    tokens: tuple[str, str]
    data: Path
    process: subprocess.Popen[str]

    def ask(self, method: str, path: str, token: str | None = None, **options: Any) -> Answer:
        """Ask as `demo-1`, or with another token."""
        headers = {"Authorization": f"Bearer {self.tokens[0] if token is None else token}"}
        answer = urllib3.request(
            method, self.url + path, headers=headers | options.pop("headers", {}), timeout=SECONDS, **options
        )
        kind = answer.headers.get("content-type", "")
        return Answer(answer.status, answer.json() if kind.startswith("application/json") else answer.data)

    def task(self, task: str) -> dict[str, Any]:
        """A task as Headway has it."""
        found: dict[str, Any] = self.ask("GET", f"/headway/api/tasks/{task}").body
        return found

    def workers(self, module: str) -> list[psutil.Process]:
        """The processes that run a module for it."""
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            # A queue's processes come and go.
            with suppress(psutil.NoSuchProcess):
                if module in child.cmdline():
                    found.append(child)
        return found

    @contextmanager
    def held(self, module: str) -> Iterator[None]:
        """Nothing is done by these workers during the block."""
        held = until(lambda: self.workers(module))
        for worker in held:
            with suppress(psutil.NoSuchProcess):
                worker.suspend()
        try:
            yield
        finally:
            for worker in held:
                with suppress(psutil.NoSuchProcess):
                    worker.resume()

    def over(self, task: str) -> dict[str, Any]:
        """A task when it has ended; the server says when."""
        answer = self.ask("GET", f"/headway/events?task={task}&until=done")
        assert answer.status == 200, answer.body
        return self.task(task)


@contextmanager
def running(name: str, folder: Path, code: int = 0, /, **variables: str) -> Iterator[Running]:
    """Start an example, and end it as Ctrl-C does, unless the block has ended it.

    Args:
        code: what it exits with.
    """
    command = (ROOT / "examples" / name / "README.md").read_text()
    assert f"make example-{name}\n" in command
    with (
        (folder / "stderr").open("w") as stderr,
        subprocess.Popen(
            [sys.executable, "-m", f"examples.{name}", "--port", "0", "--data", str(folder / "data")],
            cwd=ROOT,
            env=environment(folder) | variables,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline() for _ in range(3)]
            ready = re.fullmatch(rf"{name} is ready on (http://127\.0\.0\.1:\d+)\n", lines[0])
            links = re.findall(
                r"^demo-[12]: http://127\.0\.0\.1:\d+/#token=(\S+)$", "".join(lines[1:]), re.MULTILINE
            )
            assert ready is not None, (lines, (folder / "stderr").read_text())
            yield Running(ready[1], (links[0], links[1]), folder / "data", process)
        finally:
            process.terminate()
            process.wait(30)
            said = (folder / "stderr").read_text()
    # Queues write down what their jobs raise; of the server nothing is expected.
    assert '"level": "error"' not in said, said
    assert process.returncode == code


def until(look: Callable[[], T | None]) -> T:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")
