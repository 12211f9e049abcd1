"""Lives of tasks as a channel's log has them, and what a translation says of each change."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from headway.dialects.translation import Event, Translation
from headway.hub.log import Bounds, CompactedLog
from headway.model.notification import Notification
from headway.model.progress import Progress, Step
from headway.model.task import Task, TaskState
from headway.ports.store import Window
from tests.contract.store_records import make_task

__all__ = ["Life", "at"]


def at(done: float, total: float | None = 4, percent: float | None = None, **fields: Any) -> Progress:
    if percent is None and total:
        percent = 100 * done / total
    step = fields.pop("step", None)
    if step is not None:
        fields["step"] = Step(*step)
    return Progress(done=done, total=total, percent=percent, message=fields.pop("message", ""), **fields)


class Life:
    """One task's life in a log, and a client that knows everything up to `known`."""

    def __init__(self, translation: Translation, **fields: Any) -> None:
        self.translation = translation
        self.log = CompactedLog(Window((), 0), Bounds(), 0)
        self.known = 0
        self.task: Task = make_task("t", 1, TaskState.QUEUED, number=7, **fields)
        self.log.put(self.task)

    def change(self, state: TaskState | None = None, **fields: Any) -> Life:
        """The next version."""
        state = state or self.task.state
        if state.terminal:
            fields.setdefault("finished_at", 3000)
        if state is TaskState.RUNNING:
            fields.setdefault("started_at", 1000)
        self.task = replace(self.task, rev=self.log.head + 1, state=state, **fields)
        self.log.put(self.task)
        return self

    def put(self, note: Notification) -> Life:
        self.log.put(replace(note, rev=self.log.head + 1))
        return self

    def heard(self) -> list[Event]:
        """What a client that was here all the time hears now."""
        events = self.translation.changed(self.log.since(self.known), self.known)
        self.known = self.log.head
        return events

    def names(self) -> list[str]:
        return [event.name for event in self.heard()]

    def standing(self) -> list[Event]:
        """What somebody hears who comes now."""
        return self.translation.standing(self.log.all())
