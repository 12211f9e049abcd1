"""Ends the processes that it was told of, once whoever told it is gone.

python guard.py, with a line `+PID` or `-PID` on standard input for each process that begins or is over.
"""

from __future__ import annotations

import os
import signal
import sys
import time

__all__ = ["main"]

_SECONDS = 0.5
_LOOK_SECONDS = 0.02


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
    # The next one may be started at once, on the same folder: what is to end has a moment, and all at the same time.
    for process in watched:
        _send(process, signal.SIGTERM)
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and any(_send(process, 0) for process in watched):
        time.sleep(_LOOK_SECONDS)
    for process in watched:
        _send(process, signal.SIGKILL)


def _send(process: int, number: int) -> bool:
    """Signal a process, and when it is killed its own processes too; gives whether it was there."""
    try:
        if number == signal.SIGKILL and os.getpgid(process) == process:
            os.killpg(process, number)
        else:
            os.kill(process, number)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
