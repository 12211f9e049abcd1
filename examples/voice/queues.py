"""The two queues: putting jobs in, and how one stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import redis
from rq import Queue, Retry
from rq.exceptions import NoSuchJobError
from rq.job import Job

from examples.voice.jobs import ATTEMPTS, generate, parse

__all__ = ["QUEUES", "Queues"]

QUEUES = ("tts", "parse")
_ALSO = {"audio": "tts"}
"""Who knows a job by its events looks for it by its kind."""
_SECONDS = 3600
_KEPT_SECONDS = 7 * 86_400
_STATES = {
    "queued": "waiting",
    "deferred": "waiting",
    "scheduled": "delayed",
    "started": "active",
    "finished": "completed",
    "failed": "failed",
    "stopped": "failed",
    "canceled": "failed",
}


class Queues:
    """Both queues on one connection."""

    def __init__(self, url: str) -> None:
        """Describe it; it connects when it is used."""
        self._connection = redis.Redis.from_url(url)

    def generate(self, task: str, user: str, chapter: str) -> None:
        """Have a chapter read aloud by whoever is free."""
        self._put("tts", generate, task, user, chapter, {"chapterId": chapter})

    def parse(self, task: str, user: str, project: str) -> None:
        """Have the chapters of a project found."""
        self._put("parse", parse, task, user, project, {"projectId": project})

    def job(self, queue: str, job_id: str, user: str) -> dict[str, Any] | None:
        """How a job of this user stands, without its progress; None when there is none in this queue."""
        try:
            job = Job.fetch(job_id, connection=self._connection)
        except NoSuchJobError:
            return None
        if job.origin != _ALSO.get(queue, queue) or job.meta.get("user") != user:
            return None
        state = _STATES[job.get_status().value]
        made = ATTEMPTS - (job.retries_left or 0)
        return {
            "jobId": job.id,
            "queueName": queue,
            "state": state,
            "failedReason": _reason(job) if state == "failed" else None,
            "attemptsMade": made - (state == "waiting"),
            "data": job.meta["data"],
            "returnValue": job.return_value() if state == "completed" else None,
            "createdAt": _milliseconds(job.created_at),
            "processedAt": _milliseconds(job.started_at),
            "finishedAt": _milliseconds(job.ended_at) if state in ("completed", "failed") else None,
        }

    def _put(self, queue: str, work: Any, task: str, user: str, about: str, data: dict[str, str]) -> None:
        Queue(queue, connection=self._connection).enqueue(
            work,
            task,
            about,
            job_id=task,
            retry=Retry(max=ATTEMPTS - 1),
            job_timeout=_SECONDS,
            result_ttl=_KEPT_SECONDS,
            failure_ttl=_KEPT_SECONDS,
            meta={"user": user, "data": data},
        )


def _reason(job: Job) -> str | None:
    """The last line of what was raised: the rest is for the log of the worker."""
    result = job.latest_result()
    raised = (result.exc_string if result is not None else None) or ""
    lines = raised.strip().splitlines()
    return lines[-1] if lines else None


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
