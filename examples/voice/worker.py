"""The worker: takes jobs from both queues, each into a process of its own.

python -m examples.voice.worker
"""

from __future__ import annotations

import os

import redis
from rq import Queue, Worker

from examples.voice.queues import QUEUES

__all__ = ["main"]


def main() -> None:
    """Work until SIGTERM."""
    connection = redis.Redis.from_url(os.environ["REDIS_URL"])
    queues = [Queue(name, connection=connection) for name in QUEUES]
    Worker(queues, connection=connection).work(logging_level="WARNING")


if __name__ == "__main__":
    main()
