"""What is told of a task to those who asked for it: that they will hear of it, and then how it ended."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from headway.errors import InvalidField
from headway.model.ids import derived_id
from headway.model.notification import CONTENT_CHARS, Notification, NotificationStatus, Severity, check_link
from headway.model.task import Task, TaskState, Telling

__all__ = ["as_telling", "begin", "conclude", "telling_id"]


_SEVERITIES = {
    TaskState.SUCCEEDED: Severity.SUCCESS,
    TaskState.FAILED: Severity.ERROR,
    TaskState.CANCELLED: Severity.WARNING,
}
_KIND = "task."


def as_telling(value: object) -> Telling | None:
    """What `notify` says: true is `always`; false and null are none.

    Raises:
        InvalidField: it is neither, and none of the words.
    """
    if value is None or isinstance(value, bool):
        return Telling.ALWAYS if value else None
    if isinstance(value, str) and value in list(Telling):
        return Telling(value)
    raise InvalidField(f"notify is true, false, {', '.join(Telling)}", field="notify")


def telling_id(task: str, channel: str) -> str:
    """The id of the one notification in which a channel is told of a task."""
    return derived_id("task", task, channel)


def begin(task: Task, channel: str, note_id: str, now: int) -> Notification:
    """The notification that follows a task which goes on.

    Args:
        channel: the inbox.
        now: Unix milliseconds.
    """
    return Notification(
        id=note_id,
        channel=channel,
        rev=0,
        title=task.title,
        status=NotificationStatus.UNREAD,
        created_at=now,
        updated_at=now,
        kind=f"{_KIND}ongoing",
        task=task.id,
        ongoing=True,
    )


def conclude(task: Task, before: Notification | None, channel: str, note_id: str, now: int) -> Notification:
    """The message that a task is over: news, whatever was read before.

    Args:
        before: the notification that followed the task, or told of its last attempt.
    """
    note = begin(task, channel, note_id if before is None else before.id, now)
    return replace(
        note,
        kind=_KIND + task.state.value,
        content=_content(task),
        severity=_SEVERITIES[task.state],
        link=_link(task),
        data={"state": task.state.value, "attempt": task.attempt},
        ongoing=False,
    )


def _content(task: Task) -> str:
    if task.state is TaskState.FAILED:
        return f"Failed: {task.error}"[:CONTENT_CHARS] if task.error else "Failed"
    if task.state is TaskState.CANCELLED:
        percent = task.progress.percent
        return "Cancelled" if percent is None else f"Cancelled at {percent:.0f} %"
    if task.started_at is None or task.finished_at is None:
        return "Done"
    return f"Done after {_duration((task.finished_at - task.started_at) // 1000)}"


def _duration(seconds: int) -> str:
    if seconds < 60:
        return f"{max(seconds, 0)} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def _link(task: Task) -> str | None:
    """Where the result is: the `link` of the result, or of `meta`."""
    for place in (task.result, task.meta):
        link: Any = place.get("link") if isinstance(place, dict) else None
        if isinstance(link, str):
            try:
                return check_link(link)
            except InvalidField:
                continue
    return None
