"""Runs `headway` as people do: as a process of its own, with its own folders and nothing of the user's environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import urllib3

__all__ = ["Api", "Programs", "Running"]


class Running:
    """A program that runs, read line by line."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
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

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = folder / "runtime"
        self.data = folder / "data"
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("HEADWAY_", "XDG_"))
        }
        self.environment |= {
            "HEADWAY_RUNTIME_DIR": str(self.runtime),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "error",
            "COLUMNS": "200",
        }
        self._started: list[Running] = []

    def start(self, *arguments: str | Path, **variables: str) -> Running:
        """Start `headway` with these arguments."""
        errors = self.folder / f"errors-{len(self._started)}"
        with errors.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "headway", *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                cwd=self.folder,
                env={**self.environment, **variables},
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
        output, _ = running.process.communicate()
        return subprocess.CompletedProcess(
            running.process.args, running.process.returncode, output, running.errors.read_text()
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
