"""A server as a child process that is started again when it is killed. It must not know what the demo is about."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from headway.errors import HeadwayError

__all__ = ["KeptServer", "end", "python"]

RESTARTS = 5
_PAUSE_SECONDS = 1.0
_END_SECONDS = 15.0
_LISTENING = "Headway is listening on "


class KeptServer:
    """`headway serve` in a process of its own, on the same port and data each time."""

    def __init__(self, data: Path, port: int, config: Path | None, say: Callable[[str], None]) -> None:
        """Describe it; nothing is started yet.

        Args:
            port: 0 lets the system choose one, once.
            say: told each line that the server prints, and what becomes of it.
        """
        self.url = ""
        self.pid = 0
        self._data = data
        self._port = port
        self._config = config
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._ending = asyncio.Event()

    async def start(self) -> None:
        """Start it, and wait until it listens.

        Raises:
            HeadwayError: it ended instead; it has said why on standard error.
        """
        config = () if self._config is None else ("--config", str(self._config))
        self._process = process = await python(
            "headway", "serve", "--port", str(self._port), "--data", str(self._data), "--log-level", "warning",
            *config, output=True,
        )  # fmt: skip
        self.pid = process.pid
        if self._ending.is_set():
            await end(process, signal.SIGTERM)
        assert process.stdout is not None  # noqa: S101 - it was asked for
        while line := (await process.stdout.readline()).decode().rstrip():
            if line.startswith(_LISTENING):
                self.url = line.removeprefix(_LISTENING)
                self._port = int(self.url.rpartition(":")[2])
            self._say(line)
            if not line.startswith((_LISTENING, "Open ")):
                return
        raise HeadwayError(f"The server could not be started (exit code {await process.wait()})")

    async def keep(self) -> int:
        """Start it again whenever a signal kills it; returns when it ended otherwise, or too often.

        Returns:
            its exit code.
        """
        assert self._process is not None  # noqa: S101 - it was started
        for restart in range(RESTARTS + 1):
            code = await self._process.wait()
            if code >= 0 or self._ending.is_set() or restart == RESTARTS:
                return code
            name = signal.Signals(-code).name
            self._say(
                f"The server was killed ({name}); it is started again, {restart + 1} of {RESTARTS} times"
            )
            await asyncio.sleep(_PAUSE_SECONDS)
            if self._ending.is_set():
                return code
            await self.start()
            self._say(f"It is process {self.pid} now")
        return 0

    async def stop(self) -> None:
        """End it in good order."""
        self._ending.set()
        if self._process is not None:
            await end(self._process, signal.SIGTERM)


async def python(
    module: str, *arguments: str, output: bool = False, **variables: str
) -> asyncio.subprocess.Process:
    """Run a module with this interpreter, out of reach of the terminal's Ctrl-C: its parent decides who ends when.

    It does not outlive its parent, not even one that is killed.

    Args:
        output: its standard output is read here.
        variables: of its environment, beside ours.
    """
    return await asyncio.create_subprocess_exec(
        # -P: a folder named like one of our modules in the working directory must not be imported.
        sys.executable, "-P", "-m", "headway.cli.leash", module, *arguments,
        # Never written to: it ends with us.
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE if output else None,
        env={**os.environ, **variables},
        start_new_session=True,
    )  # fmt: skip


async def end(process: asyncio.subprocess.Process, number: int) -> int:
    """Signal a process, and wait until it has ended; without mercy when it takes too long."""
    if process.returncode is None:
        process.send_signal(number)
        try:
            await asyncio.wait_for(process.wait(), _END_SECONDS)
        except TimeoutError:
            process.kill()
    return await process.wait()
