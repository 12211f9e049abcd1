"""Runs `headway` as people do: as a process of its own, with its own folders and nothing of the user's environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import urllib3

from headway.cli import main
from tests.forks import Fork, Forks, fork_when_asked
from tests.servers import AT_FIRST, ROOT

__all__ = ["Api", "Programs", "Running"]


_STRICT = {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error"}
_FORKS = Forks("tests.cli.programs", ROOT, **_STRICT)


class Running:
    """A program that runs, read line by line."""

    def __init__(self, process: subprocess.Popen[str] | Fork, errors: Path) -> None:
        assert process.stdout is not None
        self.process = process
        self.errors = errors
        self.output: IO[str] = process.stdout
        self.lines: list[str] = []

    def until(self, text: str) -> str:
        """Wait for a line of output that has this text."""
        for line in self.output:
            self.lines.append(line.rstrip("\n"))
            if text in line:
                return self.lines[-1]
        raise AssertionError(f"{text!r} never came:\n{self.lines}\n{self.errors.read_text()}")

    def end(self, number: int | None = None) -> int:
        """Wait for its end, after a signal if there is one; the exit code."""
        if number is not None:
            self.process.send_signal(number)
        self.lines += self.output.read().splitlines()
        return self.process.wait()

    @property
    def url(self) -> str:
        """Where the server that this program is listens."""
        return self.until("Headway is listening on ").rpartition(" ")[2]


class Programs:
    """Starts programs; all of them share a runtime folder and end with the test."""

    def __init__(self, folder: Path, *, forked: bool = False) -> None:
        """Start none yet.

        Args:
            folder: the one they run in.
            forked: servers are, from a process that has imported what they need: for tests of something else.
        """
        self.folder = folder
        self._forked = forked
        self.runtime = folder / "runtime"
        self.data = folder / "data"
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("HEADWAY_", "XDG_"))
        }
        self.environment |= {
            "HEADWAY_RUNTIME_DIR": str(self.runtime),
            **_STRICT,
            "COLUMNS": "200",
        }
        self._started: list[Running] = []

    def start(self, *arguments: str | Path, **variables: str) -> Running:
        """Start `headway` with these arguments."""
        errors = self.folder / f"errors-{len(self._started)}"
        command = [str(argument) for argument in arguments]
        environment = {**self.environment, **variables}
        process: subprocess.Popen[str] | Fork
        with errors.open("w") as file:
            if self._forked and command[0] == "serve":
                process = _FORKS.start(command, environment, self.folder, file)
            else:
                process = subprocess.Popen(
                    [sys.executable, "-m", "headway", *command],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=file,
                    text=True,
                    cwd=self.folder,
                    env=environment,
                )
        running = Running(process, errors)
        self._started.append(running)
        return running

    def serve(self, *arguments: str | Path, **variables: str) -> Running:
        """Start a server on a free port."""
        return self.start("serve", "--data", self.data, "--port", "0", *arguments, **variables)

    def run(self, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `headway` to its end."""
        running = self.start(*arguments, **variables)
        output = running.output.read()
        return subprocess.CompletedProcess(
            arguments, running.process.wait(), output, running.errors.read_text()
        )

    def close(self) -> None:
        """End what still runs; gently, since some have children of their own."""
        for running in self._started:
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGTERM)
                try:
                    running.process.wait(10)
                except subprocess.TimeoutExpired:
                    running.process.kill()
                    running.process.wait()
            running.output.close()


class Api:
    """REST of a server, as the user of a runtime file."""

    def __init__(self, runtime: Path) -> None:
        note = json.loads((runtime / "server.json").read_text())
        self.url: str = note["url"]
        self._headers = {"Authorization": f"Bearer {note['token']}"}

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        """The answer's JSON."""
        answer = urllib3.request(method, self.url + path, json=body, headers=self._headers)
        assert answer.status < 300, answer.data
        return answer.json() if answer.data else None

    def task(self, **fields: Any) -> str:
        """Create a running task; its id."""
        return str(self("POST", "/api/tasks", {"title": "Job", "total": 100, "start": True, **fields})["id"])


def _prepare(_arguments: Sequence[str]) -> None:
    for module in (*AT_FIRST, "headway.cli.serve", "headway.server.run", "cyclopts.help"):
        import_module(module)


if __name__ == "__main__":
    _arguments = fork_when_asked(int(sys.argv[1]), _prepare)
    sys.argv[1:] = _arguments
    sys.exit(main(_arguments))
