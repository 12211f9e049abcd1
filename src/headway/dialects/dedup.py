"""The dialect `dedup`: Socket.IO rooms for single tasks, which are known by whole numbers (`Task.number`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headway.dialects.translation import (
    Event,
    Translation,
    facts_of,
    iso,
    iso_or_none,
    percent_of,
    task_anew,
    tasks_of,
)
from headway.model.task import Task, TaskState
from headway.ports.link import Version

__all__ = ["DedupTranslation", "status_of", "task_body"]

_STATUS = {
    TaskState.QUEUED: "pending",
    TaskState.RUNNING: "running",
    TaskState.PAUSED: "paused",
    TaskState.SUCCEEDED: "completed",
    TaskState.FAILED: "error",
    TaskState.CANCELLED: "cancelled",
    # The contract has no word for it, and its worker may come back.
    TaskState.LOST: "running",
}
_COUNTS = (
    "total_questions",
    "exact_duplicate_groups",
    "exact_duplicate_pairs",
    "similar_duplicate_pairs",
)


class DedupTranslation(Translation):
    """One task, for those who joined it."""

    __slots__ = ()

    def standing(self, versions: Sequence[Version]) -> list[Event]:
        events: list[Event] = []
        for task in tasks_of(versions):
            body = {"task_id": task.number, "status": status_of(task), "data": task_body(task)}
            events.append(Event("task_status", body))
            if task.state.terminal:
                events.append(_end(task))
        return events

    def news(self, version: Version, since: int) -> list[Event]:
        task = task_anew(version, since)
        if task is None:
            return []
        if task.state.terminal:
            # The last group may have come together with the end.
            done = [_progress(task)] if task.state is TaskState.SUCCEEDED else []
            return [*done, _end(task)]
        if task.state is TaskState.RUNNING and (percent_of(task) >= 100 or _only_started(task)):
            # The one is said with the end, once; the other by the first group.
            return []
        return [_progress(task)]


def status_of(task: Task) -> str:
    """The contract's word for the task's state."""
    return _STATUS[task.state]


def task_body(task: Task) -> dict[str, Any]:
    """The contract's `Task`, the same on the socket and over REST."""
    facts, progress = facts_of(task), task.progress
    return {
        "id": task.number,
        "task_name": task.title,
        "status": status_of(task),
        "total_groups": int(progress.total or 0),
        "processed_groups": int(progress.done),
        "progress_percentage": percent_of(task),
        **{name: facts.get(name, 0) for name in _COUNTS},
        "started_at": iso_or_none(task.started_at),
        "completed_at": iso_or_none(task.finished_at),
        "error_message": task.error,
        "config": facts.get("config") or {},
        "analysis_type": facts.get("analysis_type", "full"),
        "estimated_duration": None if progress.eta is None else round(progress.eta, 1),
        "created_at": iso(task.created_at),
        "updated_at": iso(task.updated_at),
    }


def _only_started(task: Task) -> bool:
    return task.updated_at == task.started_at and not task.progress.done and not task.progress.message


def _progress(task: Task) -> Event:
    progress = task.progress
    body: dict[str, Any] = {
        "task_id": task.number,
        "status": status_of(task),
        "processed_groups": int(progress.done),
        "total_groups": int(progress.total or 0),
        "progress_percentage": percent_of(task),
    }
    group = (progress.detail or {}).get("current_group")
    if group is not None:
        body["current_group"] = group
    if progress.message:
        body["message"] = progress.message
    return Event("task_progress", body)


def _end(task: Task) -> Event:
    if task.state is TaskState.SUCCEEDED:
        return Event("task_completed", {"task_id": task.number, "data": task_body(task)})
    if task.state is TaskState.FAILED:
        return Event("task_error", {"task_id": task.number, "error": task.error or "The task failed"})
    return _progress(task)
