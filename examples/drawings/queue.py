"""Celery: the application, and the one task that it runs. Headway's part of it is the lines with `task.`"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.exceptions import Ignore

import headway
from examples.drawings.job import analyse

__all__ = ["ATTEMPTS", "analyse_drawing", "celery"]

ATTEMPTS = 3
_AGAIN_SECONDS = 1
_SECONDS = 600

celery = Celery("drawings", broker=os.environ.get("EXAMPLE_BROKER", "redis://127.0.0.1:6379/0"))
celery.conf.update(
    task_ignore_result=True,
    # A worker that is killed leaves its task in the queue.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_time_limit=_SECONDS,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)


class _Shown:
    """Shows an analysis as the steps of a task."""

    def __init__(self, task: headway.TaskHandle, pace: float) -> None:
        self._task = task
        self._pace = pace

    def stage(self, name: str, total: int) -> None:
        # A small drawing is through before anybody has looked; each stage is told all the same.
        headway.flush()
        time.sleep(self._pace)
        self._task.step(name, total=total)

    def done(self, parts: int, about: str) -> None:
        self._task.progress(parts, message=about)


@celery.task(bind=True, max_retries=ATTEMPTS - 1, name="drawings.analyse")  # type: ignore[untyped-decorator]
def analyse_drawing(self: Any, task_id: str, path: str) -> None:
    """Analyse a file that was uploaded. A disk that fails is tried again; a broken drawing stays broken."""
    pace = float(os.environ.get("EXAMPLE_PACE", "0.4"))
    tried = self.request.retries
    try:
        with headway.attach(task_id, attempt=tried + 1) as task:
            try:
                task.result(analyse(Path(path).read_bytes(), _Shown(task, pace)))
                time.sleep(pace)
                task.check()
            except OSError as error:
                if tried + 1 < ATTEMPTS:
                    task.retry(error)
                    raise self.retry(exc=error, countdown=_AGAIN_SECONDS) from None
                raise
    except headway.Cancelled:
        raise Ignore from None
    finally:
        headway.flush(30)
