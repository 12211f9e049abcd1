"""The worker: Celery, two drawings at a time.

python -m examples.drawings.worker
"""

from __future__ import annotations

import os

from kombu import Connection

from examples.drawings.queue import celery

__all__ = ["hand_back"]

_MANY = 1000


def hand_back() -> None:
    """Put what a worker that was killed had begun into the queue again, where this is the only worker.

    Celery itself waits for an hour, since elsewhere that worker may be alive.
    """
    with Connection(celery.conf.broker_url, transport_options={"visibility_timeout": 0}) as connection:
        connection.default_channel.qos.restore_visible(num=_MANY)


if __name__ == "__main__":
    if "REDIS_URL" not in os.environ:
        hand_back()
    celery.worker_main(
        [
            "--quiet",
            "worker",
            "--concurrency",
            "2",
            "--loglevel",
            "WARNING",
            "--without-gossip",
            "--without-mingle",
        ]
    )
