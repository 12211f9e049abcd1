"""The dialect `notifications`: an inbox and single tasks, over raw WebSockets, Server-Sent Events and REST."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headway.dialects.translation import Event, Translation, iso, percent_of, task_anew, tasks_of
from headway.model.notification import Notification, NotificationStatus
from headway.model.task import Task, TaskState
from headway.ports.link import Version

__all__ = ["KINDS", "SYSTEM", "InboxTranslation", "TaskTranslation", "kind_of", "notification_body"]

SYSTEM = "system"
KINDS = ("analysis", "alert", SYSTEM)


class InboxTranslation(Translation):
    """New notifications; what was there before is listed over REST."""

    __slots__ = ()

    def standing(self, versions: Sequence[Version]) -> list[Event]:  # noqa: ARG002 - they are no news
        return []

    def news(self, version: Version, since: int) -> list[Event]:
        note = version.record
        if not isinstance(note, Notification) or version.said <= since:
            return []
        if note.status is not NotificationStatus.UNREAD:
            return []
        return [Event("notification", notification_body(note))]


class TaskTranslation(Translation):
    """One task, from where it stands to its end."""

    __slots__ = ()

    def standing(self, versions: Sequence[Version]) -> list[Event]:
        return [_state(task) for task in tasks_of(versions)]

    def news(self, version: Version, since: int) -> list[Event]:
        task = task_anew(version, since)
        return [] if task is None else [_state(task)]


def notification_body(note: Notification) -> dict[str, Any]:
    """The contract's notification, the same on the socket, in the stream and over REST."""
    status = "unread" if note.status is NotificationStatus.UNREAD else "read"
    body: dict[str, Any] = {"id": note.id, "title": note.title, "type": kind_of(note)}
    if note.content:
        body["content"] = note.content
    if note.link is not None:
        body["link"] = note.link
    if note.source is not None:
        body["source"] = note.source
    return body | {"created_at": iso(note.created_at), "status": status}


def kind_of(note: Notification) -> str:
    """The contract knows three kinds; what is none of them is the system's, so that a list of one kind has what is shown as it."""
    return note.kind if note.kind in KINDS else SYSTEM


def _state(task: Task) -> Event:
    stamp = iso(task.updated_at)
    progress = task.progress
    if task.state is TaskState.SUCCEEDED:
        body: dict[str, Any] = {"task_id": task.id, "message": progress.message or "Done", "progress": 100.0}
        if task.result is not None:
            body["result"] = task.result
        return Event("completed", body | {"timestamp": stamp})
    if task.state.terminal:
        cancelled = task.state is TaskState.CANCELLED
        message = "The task was cancelled" if cancelled else "The task failed"
        body = {"task_id": task.id, "message": message, "error": task.error or message, "timestamp": stamp}
        return Event("error", body)
    step = progress.step
    return Event(
        "progress",
        {
            "task_id": task.id,
            "message": progress.message,
            "step": int(progress.done) if step is None else step.index,
            "total_steps": int(progress.total or 0) if step is None else step.of,
            "progress": percent_of(task),
            "timestamp": stamp,
        },
    )
