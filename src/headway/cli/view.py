"""A task as somebody who follows it knows it, and how to say it in words. Pure; it must not know where words go."""

from __future__ import annotations

from typing import Any

import msgspec

from headway.errors import HeadwayError
from headway.model.task import Task, TaskState

__all__ = ["View", "amount", "clean", "duration", "read_task"]

_ID = 1


class View:
    """What is known about one task, and what to ask for to know the rest.

    Attributes:
        task: as it was last heard of; None before that.
        offset: milliseconds that the server's clock is ahead of ours.
        removed: it is gone for good.
    """

    def __init__(self, task_id: str, *, log: bool) -> None:
        self.id = task_id
        self.task: Task | None = None
        self.offset = 0
        self.removed = False
        self._cursor: str | None = None
        self.next_line = 0 if log else None

    def wanted(self) -> dict[str, Any]:
        """The subscription that goes on where this view is."""
        subscribe: dict[str, Any] = {"type": "subscribe", "id": _ID, "task": self.id}
        if self._cursor is not None:
            subscribe["cursor"] = self._cursor
        if self.next_line is not None:
            subscribe["log"] = self.next_line
        return subscribe

    def take(self, message: dict[str, Any], now: int) -> list[dict[str, Any]]:
        """Take what the server says.

        Args:
            now: Unix milliseconds.

        Returns:
            new lines of the log.
        """
        kind = message["type"]
        if kind in ("welcome", "heartbeat"):
            self.offset = message["now"] - now
        elif kind == "snapshot":
            self._cursor = message["cursor"]
            for record in message["tasks"]:
                self.task = read_task(record)
            self.removed = self.id in message["removed"]
        elif kind == "change":
            self._cursor = message["cursor"]
            if "task" in message:
                self.task = read_task(message["task"])
            self.removed = message.get("removed") == self.id
        elif kind == "log" and self.next_line is not None:
            self.next_line = message["next"]
            left_out = message.get("trimmed", 0)
            note = {"at": now, "level": "info", "text": f"({left_out} earlier lines are left out)"}
            return [*([note] if left_out else []), *message["entries"]]
        return []

    def remaining(self, now: int) -> float | None:
        """Seconds until the end, by the server's estimate less what has passed since.

        Args:
            now: Unix milliseconds.
        """
        task = self.task
        if task is None or task.state is not TaskState.RUNNING or task.progress.eta is None:
            return None
        return max(0.0, task.progress.eta - (now + self.offset - task.updated_at) / 1000)

    def ending(self) -> str:
        """How it ended, or where it stands, in a few words."""
        task = self.task
        if task is None:
            return "not heard of yet"
        words = str(task.state)
        if task.state.terminal:
            if task.state is not TaskState.SUCCEEDED and task.progress.percent is not None:
                words += f" at {task.progress.percent:.0f} %"
            if task.finished_at is not None and task.started_at is not None:
                words += f" after {duration((task.finished_at - task.started_at) / 1000)}"
            if task.error:
                words += f": {clean(task.error)}"
        elif task.stopping:
            words += ", stopping"
        return words if task.attempt == 1 else f"attempt {task.attempt}, {words}"


def read_task(record: dict[str, Any]) -> Task:
    """A task from the wire.

    Raises:
        HeadwayError: it is of a kind that this version does not know.
    """
    try:
        return msgspec.convert(record, Task)
    except msgspec.ValidationError as error:
        raise HeadwayError(
            f"The server speaks of tasks in another way ({error}); upgrade Headway here"
        ) from None


def duration(seconds: float) -> str:
    """`0:42`, `12:03`, `1:00:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def amount(value: float) -> str:
    """A number as short as it can be read: `7`, `0.25`, `12.5`, `1,204`."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def clean(text: str) -> str:
    """What a job says, without signs that could command a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
