"""One request of a producer on its way: what was looked up for it, and what it changes."""

from __future__ import annotations

from collections.abc import Iterable

from headway.hub.changes import Changes
from headway.hub.channel import Channel
from headway.hub.records import Records
from headway.hub.tellings import Ready
from headway.model.notification import Notification
from headway.model.task import Task

__all__ = ["Work", "arrived"]


class Work:
    """What is known of one request while it is carried out.

    Attributes:
        now: Unix milliseconds.
        found: tasks that it names or that stand above these, as they were read from the store.
        notes: notifications, likewise.
        tellings: what is needed to tell of tasks that begin or end by it.
        open: channels in which the grant may publish whatever there is.
        created: whether there is a new record.
        coming: new tasks, and the channels that count them until they are shown there.
    """

    __slots__ = ("_records", "changes", "coming", "created", "found", "notes", "now", "open", "tellings")

    def __init__(self, records: Records, now: int) -> None:
        self._records = records
        self.now = now
        self.changes = Changes()
        self.found: dict[str, Task] = {}
        self.notes: dict[str, Notification] = {}
        self.tellings: Ready = {}
        self.open: set[str] = set()
        self.created = False
        self.coming: list[tuple[Channel, str]] = []

    def task(self, task_id: str) -> Task | None:
        """A task's newest version, None when there is none (any more)."""
        task = self._records.tasks.get(task_id)
        if task is not None or task_id not in self.found:
            return task
        return self._records.current(self.found[task_id])

    def note(self, notification_id: str) -> Notification | None:
        """A notification's newest version, None when there is none (any more)."""
        note = self._records.notifications.get(notification_id)
        if note is not None or notification_id not in self.notes:
            return note
        return self._records.current(self.notes[notification_id])


def arrived(coming: Iterable[tuple[Channel, str]], _: object = None) -> None:
    """New tasks are shown, or will never be."""
    for channel, task_id in coming:
        channel.coming.discard(task_id)
