"""A module of Python, run as `python -m headway.cli.leash MODULE ...`, that ends when whoever started it is gone.

Standard input is the leash: it ends however the other side ends, by `kill -9` too. It must not know what it runs.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading

__all__ = ["main"]


def main() -> None:
    """Run the module that the command line names, with the rest of the command line."""
    threading.Thread(target=_hold, name="leash", daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _hold() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    # As Ctrl-C: a server drains, and a job says that it was interrupted.
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    main()
