"""The worker: takes jobs from both queues, each into a process of its own.

python -m examples.voice.worker
"""

from __future__ import annotations

import os
from typing import Any

import redis
from rq import Queue, Worker

from examples.voice.queues import QUEUES

__all__ = ["main"]


class Prompt(Worker):
    """Ends at once when it is told to; the job in the works is tried again by the next worker."""

    def request_stop(self, signum: int, frame: Any) -> None:
        if self.horse_pid:
            self.kill_horse()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def main() -> None:
    """Work until SIGTERM."""
    connection = redis.Redis.from_url(os.environ["REDIS_URL"])
    queues = [Queue(name, connection=connection) for name in QUEUES]
    Prompt(queues, connection=connection).work(logging_level="WARNING")


if __name__ == "__main__":
    main()
