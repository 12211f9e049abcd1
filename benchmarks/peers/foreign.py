"""What peers have in common that are programs of somebody else: they are started, told by HTTP, and looked at from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

__all__ = ["answer_lines", "end_on_terminate", "free_port"]


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end_on_terminate() -> None:
    """Let `finally` have its turn when the harness ends us, so that nothing is left behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())


def answer_lines(port: int, path: str, body: str, worker: int) -> None:
    """Answer the harness until standard input ends: `usage`, `collect` (the same: there is nothing to collect) and `send COUNT HZ BYTES`.

    Args:
        path, body: where a message is published, and as what; `TEXT` stands for it.
        worker: the process whose CPU and memory count.
    """
    publisher = http.client.HTTPConnection("127.0.0.1", port)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "send":
            for _ in range(int(words[1])):
                publisher.request("POST", path, body.replace("TEXT", "x" * int(words[3])))
                answer = publisher.getresponse()
                answer.read()
                assert answer.status < 300, answer.status
                time.sleep(1 / float(words[2]))
        print(json.dumps(_usage(worker)), flush=True)


def _usage(pid: int) -> dict[str, float]:
    # Nanoseconds; what `stat` counts in hundredths of a second is too coarse for a few deliveries.
    spent = sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return {
        "at": time.monotonic(),
        "cpu": spent / 1e9,
        "rss_kib": pages * os.sysconf("SC_PAGE_SIZE") / 1024,
        "connections": len(list(Path(f"/proc/{pid}/fd").iterdir())),
    }
