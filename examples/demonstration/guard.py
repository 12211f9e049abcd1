"""Ends the processes that it was told of, once whoever told it is gone.

python guard.py, with a line `+PID` or `-PID` on standard input for each process that begins or is over.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

__all__ = ["main"]

_SECONDS = 5.0
_LOOK_SECONDS = 0.05


def main() -> None:
    """Wait for the end of the input, which comes however the other side ends."""
    # An interrupt is for the other side too, whose end is what counts.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watched: list[int] = []
    for line in sys.stdin:
        process = int(line[1:])
        if line.startswith("+"):
            watched.append(process)
        elif process in watched:
            watched.remove(process)
    # What was started last needs what was started before it.
    for process in reversed(watched):
        _end(process)


def _end(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            os.kill(process, 0)
            time.sleep(_LOOK_SECONDS)
        if os.getpgid(process) == process:
            # Its own processes end with it.
            os.killpg(process, signal.SIGKILL)
        else:
            os.kill(process, signal.SIGKILL)


if __name__ == "__main__":
    main()
