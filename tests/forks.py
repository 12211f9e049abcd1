"""Processes that start at once: one that has imported what a server needs, and forks.

A server of the tests is a process of its own, with its own id, memory, descriptors and signals, and runs what it would run
started by hand; only its imports, a second of work each time, are done before. `tests/cli` starts what users start.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from typing import IO

__all__ = ["Fork", "Forks", "fork_when_asked"]

_NUMBER = struct.Struct("!i")


class Fork:
    """One process, as `subprocess.Popen` shows it.

    Attributes:
        pid: its id.
        stdout: what it writes, to standard output and to standard error.
    """

    def __init__(self, line: socket.socket, stdout: IO[str]) -> None:
        self.stdout = stdout
        self._line = line
        # Not closed by whoever reads the code first: another thread may wait for it too.
        weakref.finalize(self, line.close)
        self._lock = threading.Lock()
        self._code: int | None = None
        self.pid = self._read()

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended; the exit code, or minus the signal that ended it.

        Raises:
            subprocess.TimeoutExpired: it did not in these seconds.
        """
        if self._code is None and not wait([self._line], timeout):
            raise subprocess.TimeoutExpired("a process that was forked", timeout or 0)
        with self._lock:
            if self._code is None:
                self._code = self._read()
            return self._code

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            # It may have ended just now, before that was said.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a crash does."""
        self.send_signal(signal.SIGKILL)

    def _read(self) -> int:
        said = self._line.recv(_NUMBER.size, socket.MSG_WAITALL)
        assert said, "the process that forks has ended; what it wrote to standard error says why"
        return int(_NUMBER.unpack(said)[0])


class Forks:
    """Starts `python -m module` once, which calls `fork_when_asked`, and from it as many processes as are asked for."""

    def __init__(self, module: str, folder: os.PathLike[str], **variables: str) -> None:
        self._command = [sys.executable, "-m", module]
        self._folder = folder
        self._environment = {**os.environ, **variables}
        self._lock = threading.Lock()
        self._control: socket.socket | None = None

    def start(
        self,
        arguments: Sequence[str],
        environment: dict[str, str],
        folder: os.PathLike[str] | None = None,
        errors: IO[str] | None = None,
    ) -> Fork:
        """A new process with these arguments and this environment, in a folder if one is named.

        What it writes to standard error goes to `errors`, or to where the rest goes.
        """
        request = json.dumps([list(arguments), environment, str(folder or self._folder)]).encode() + b"\n"
        mine, theirs = socket.socketpair()
        reading, writing = os.pipe()
        with self._lock:
            if self._control is None:
                self._control = self._begin()
            descriptors = [theirs.fileno(), writing, writing if errors is None else errors.fileno()]
            socket.send_fds(self._control, [request], descriptors)
        theirs.close()
        os.close(writing)
        return Fork(mine, open(reading, encoding="utf-8", errors="replace"))  # noqa: PTH123 (it has no path)

    def _begin(self) -> socket.socket:
        mine, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [*self._command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
                env=self._environment,
                pass_fds=[theirs.fileno()],
            )

        def end() -> None:
            mine.close()
            process.wait()

        atexit.register(end)
        return mine


def fork_when_asked(descriptor: int, prepare: Callable[[Sequence[str]], None]) -> list[str]:
    """Fork for each request on this socket. Comes back in each new process, with its arguments; never in the first one.

    Args:
        descriptor: of the socket to whoever starts processes.
        prepare: is called with the arguments before the fork, to import what they need.
    """
    control = socket.socket(fileno=descriptor)
    while True:
        try:
            request, descriptors, _, _ = socket.recv_fds(control, 65536, 3)
        except KeyboardInterrupt:
            sys.exit(1)
        if not request:
            sys.exit()
        while not request.endswith(b"\n"):
            request += control.recv(65536)
        _bury()
        arguments, environment, folder = json.loads(request)
        prepare(arguments)
        assert threading.active_count() == 1, "a thread would be missing in the fork"
        # What is there stays there, so that no look for rings of garbage copies its pages.
        gc.freeze()
        if os.fork() == 0:
            control.close()
            _fork_and_wait(*descriptors)
            os.environ.clear()
            os.environ.update(environment)
            os.chdir(folder)
            return list(arguments)
        for inherited in descriptors:
            os.close(inherited)


def _bury() -> None:
    """Take note of the ends of those who waited for a process."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _fork_and_wait(line: int, output: int, errors: int) -> None:
    """Fork again; comes back in the new process. The one between waits for it and says with which code it ended."""
    pid = os.fork()
    if pid == 0:
        os.dup2(output, 1)
        os.dup2(errors, 2)
        for inherited in (line, output, errors):
            os.close(inherited)
        return
    os.close(output)
    os.close(errors)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.write(line, _NUMBER.pack(pid))
    os.write(line, _NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
    os._exit(0)
