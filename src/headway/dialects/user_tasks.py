"""The dialect `user-tasks`: one raw WebSocket for all tasks of a user, who is known by a whole number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headway.dialects.translation import Event, Translation, iso, iso_or_none, percent_of, tasks_of
from headway.model.task import Task, TaskState
from headway.ports.link import Version

__all__ = ["UserTasksTranslation", "status_of", "task_info", "user_tasks"]

_USER = "user:"
_STATUS = {
    TaskState.QUEUED: "pending",
    TaskState.RUNNING: "processing",
    TaskState.PAUSED: "processing",
    TaskState.SUCCEEDED: "success",
    TaskState.FAILED: "failure",
    TaskState.CANCELLED: "revoked",
    TaskState.LOST: "processing",
}


class UserTasksTranslation(Translation):
    """The tasks of a user's channel."""

    __slots__ = ()

    def standing(self, versions: Sequence[Version]) -> list[Event]:
        return [user_tasks(tasks_of(versions))]

    def news(self, version: Version, since: int) -> list[Event]:
        task = version.record
        if not isinstance(task, Task) or version.said <= since:
            return []
        body = {"task_id": task.id, "data": task_info(task), "timestamp": iso(task.updated_at)}
        return [Event("task_update", body)]


def user_tasks(tasks: Sequence[Task], *, requested: bool = False) -> Event:
    """A list of tasks, newest first."""
    ordered = sorted(tasks, key=lambda task: (task.created_at, task.id), reverse=True)
    message = f"{len(ordered)} task" if len(ordered) == 1 else f"{len(ordered)} tasks"
    body: dict[str, Any] = {"tasks": [task_info(task) for task in ordered], "message": message}
    if requested:
        body["requested"] = True
    return Event("user_tasks", body)


def task_info(task: Task) -> dict[str, Any]:
    """The contract's `TaskInfo`."""
    step = task.progress.step
    ended = task.finished_at
    return {
        "task_id": task.id,
        "name": task.title,
        "user_id": _user_id(task),
        "status": status_of(task),
        "stage": None if step is None else step.name,
        "progress": int(percent_of(task)),
        "message": task.progress.message,
        "created_at": iso(task.created_at),
        "updated_at": iso(task.updated_at),
        "started_at": iso_or_none(task.started_at),
        "completed_at": iso_or_none(ended),
        "error_message": task.error,
        "results": task.result,
        "metadata": task.meta or {},
        "duration": None if ended is None or task.started_at is None else (ended - task.started_at) / 1000,
    }


def status_of(task: Task) -> str:
    """The contract's word for the task's state."""
    if task.state is TaskState.QUEUED and task.attempt > 1:
        return "retry"
    if task.state is TaskState.RUNNING and not task.progress.percent and not task.progress.message:
        return "started"
    return _STATUS[task.state]


def _user_id(task: Task) -> int | str | None:
    if not task.channel.startswith(_USER):
        return None
    user = task.channel.removeprefix(_USER)
    return int(user) if user.isascii() and user.isdigit() else user
