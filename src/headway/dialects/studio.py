"""The dialect `studio`: every device of a user has the same list of task cards, over Socket.IO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headway.dialects.translation import Event, Translation, percent_of, tasks_of
from headway.model.bounds import check_json, is_number
from headway.model.task import META_BYTES, TITLE_CHARS, Task, TaskState
from headway.ports.link import Version

__all__ = ["StudioTranslation", "active_tasks", "ended", "meta_of", "task_info"]


class StudioTranslation(Translation):
    """The tasks of a channel as cards."""

    __slots__ = ()

    def standing(self, versions: Sequence[Version]) -> list[Event]:
        return [active_tasks(tasks_of(versions))]

    def news(self, version: Version, since: int) -> list[Event]:
        task = version.record
        if not isinstance(task, Task) or version.said <= since:
            return []
        events = [Event("task_created", task_info(task))] if version.first > since else []
        if task.state.terminal:
            if version.ended > since:
                events.append(_end(task))
        elif task.state is not TaskState.QUEUED:
            events.append(_progress(task))
        return events


def ended(versions: Sequence[Version], since: int) -> list[Event]:
    """The ends among what changed, for somebody who knows everything up to `since`."""
    return [
        _end(version.record)
        for version in versions
        if isinstance(version.record, Task) and version.record.state.terminal and version.ended > since
    ]


def active_tasks(tasks: Sequence[Task]) -> Event:
    """Said on every connect: all tasks that have not finished."""
    return Event("active_tasks", {"tasks": [task_info(task) for task in tasks if not task.state.terminal]})


def task_info(task: Task) -> dict[str, Any]:
    """The contract's `TaskInfo`. What a device gave with its submission is in `meta`; other tasks get the like of it."""
    meta = task.meta or {}
    form = meta.get("formData")
    return {
        "id": _local_id(task),
        "formData": form if isinstance(form, dict) else {"prompt": task.title},
        "mode": str(meta.get("mode") or task.kind),
        "startTime": meta.get("startTime", task.created_at),
        "serverTaskId": task.id,
    }


def meta_of(submission: Any) -> tuple[str, dict[str, Any]]:
    """Title and `meta` of the task that a device submits with `task_created`.

    Raises:
        ValueError: it is not of the contract's form; the text says what is wrong.
        InvalidField: it is too long.
    """
    if not isinstance(submission, dict):
        raise ValueError("A task is an object")  # noqa: TRY004 - it is the value that a client sent
    form, mode = submission.get("formData"), submission.get("mode", "")
    number, start = submission.get("id"), submission.get("startTime")
    if not isinstance(form, dict) or not isinstance(form.get("prompt"), str) or not form["prompt"].strip():
        raise ValueError("formData.prompt is missing")
    if not isinstance(mode, str):
        raise ValueError("mode is a text")  # noqa: TRY004
    if not is_number(number) or not is_number(start):
        raise ValueError("id and startTime are numbers")
    title = " ".join(form["prompt"].split())[:TITLE_CHARS]
    meta = {"id": number, "formData": form, "mode": mode, "startTime": start}
    return title, check_json(meta, "A submission", META_BYTES)


def _local_id(task: Task) -> Any:
    given = (task.meta or {}).get("id")
    return given if is_number(given) else task.number


def _progress(task: Task) -> Event:
    body: dict[str, Any] = {"id": _local_id(task), "progress": percent_of(task)}
    if task.progress.message:
        body["message"] = task.progress.message
    return Event("task_progress", body)


def _end(task: Task) -> Event:
    if task.state is TaskState.SUCCEEDED:
        result = task.result if isinstance(task.result, dict) else {"value": task.result}
        return Event("task_completed", {"id": _local_id(task), "result": result})
    error = "The task was cancelled" if task.state is TaskState.CANCELLED else "The task failed"
    return Event("task_failed", {"id": _local_id(task), "error": task.error or error})
