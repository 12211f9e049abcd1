"""Child processes that are asked by a line and answer with a line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self


class Child:
    """`python -m MODULE ...`, ended when the block ends."""

    def __init__(
        self, module: str, arguments: Sequence[object], program: str = sys.executable, **variables: str
    ) -> None:
        """Start it.

        Args:
            variables: of its environment, beside ours.
        """
        self._process = subprocess.Popen(
            [program, *(["-m", module] if module else []), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
        )

    @classmethod
    def of(cls, command: list[str], **variables: str) -> Self:
        """A command of ours (`-m MODULE ...`), or of a program that is named first."""
        if command[0] == "-m":
            return cls(command[1], command[2:], **variables)
        return cls("", command[1:], command[0], **variables)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def line(self) -> str:
        """The next line it prints."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended")
        return line.strip()

    def ask(self, *words: object) -> Any:
        """Say something and read the JSON that answers."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        return json.loads(self.line())

    def wait_for(self, frames: int) -> None:
        """Ask until so many frames have come, for at most half a minute."""
        seen = 0
        for _ in range(300):
            seen += self.ask("so far")["frames"]
            if seen >= frames:
                return
            pause()
        raise RuntimeError(f"Only {seen} of {frames} frames came")


def pause() -> None:
    """Leave the machine to the others for a moment."""
    time.sleep(0.1)


def authenticating(token: str) -> list[str]:
    """What a client says that only wants to be known."""
    return [json.dumps({"type": "auth", "token": token})]


def following(token: str, channel: str = "user:bench") -> list[str]:
    """What a client says that follows a channel."""
    return [*authenticating(token), json.dumps({"type": "subscribe", "id": 1, "channel": channel})]


SOCKET_IO = ("--path", "/socket.io/?EIO=4&transport=websocket")
"""Where the clients of `benchmarks.clients` find Socket.IO."""


def joining(token: str) -> list[str]:
    """The same on Socket.IO: what answers is the handshake, the namespace and `welcome`."""
    return ["--expect", "3", f"40{json.dumps({'token': token})}"]


def joining_to_follow(token: str, channel: str = "user:bench") -> list[str]:
    """And who follows gets a snapshot too."""
    subscribe = json.dumps(["subscribe", {"id": 1, "channel": channel}])
    return ["--expect", "4", joining(token)[-1], f"42{subscribe}"]
