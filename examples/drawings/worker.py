"""The worker: Celery, two drawings at a time.

python -m examples.drawings.worker
"""

from __future__ import annotations

from examples.drawings.queue import celery

if __name__ == "__main__":
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
