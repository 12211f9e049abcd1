"""A channel as a compacted log: the newest version of each record, ordered by revision.

This is all that recovery, conflation and late joining need: what a client still has to get is `since(its revision)`,
read at the moment when it can take it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from headway.model.notification import Notification, NotificationStatus
from headway.model.task import Task
from headway.ports.link import Version
from headway.ports.store import Record, Tombstone, Window

__all__ = ["Bounds", "CompactedLog"]


class Bounds(msgspec.Struct, frozen=True):
    """How much of the past a channel keeps at hand; unfinished tasks always stay.

    Attributes:
        finished: finished tasks.
        notifications: notifications in a snapshot; unread ones stay longer than read ones, whatever their age.
        hot: notifications for those who come back to where they were, if that is more.
        age: seconds after which finished tasks, read notifications and tombstones go.
    """

    finished: int = 200
    notifications: int = 200
    hot: int = 0
    age: float = 7 * 86_400.0


class CompactedLog:
    """Records by id, in order of their revisions.

    Attributes:
        floor: the highest revision that was let go.
        head: the highest revision.
        unfinished: how many tasks have not finished.
    """

    __slots__ = (
        "_beyond",
        "_bounds",
        "_entries",
        "_finished",
        "_most_notifications",
        "_notifications",
        "_unread",
        "floor",
        "head",
        "unfinished",
    )

    def __init__(self, window: Window, bounds: Bounds, head: int) -> None:
        self._bounds = bounds
        self._most_notifications = max(bounds.notifications, bounds.hot)
        self._entries: dict[str, Version] = {}
        self._finished = 0
        self._notifications = 0
        self._unread = 0
        self.unfinished = 0
        # Unread notifications that were let go: they are not at hand, and count all the same.
        self._beyond = set(window.unread)
        self.floor = window.floor
        self.head = head
        for record in window.records:
            ended = isinstance(record, Task) and record.state.terminal
            self._enter(Version(record, ended=record.rev if ended else 0))

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, record_id: str) -> Version | None:
        return self._entries.get(record_id)

    @property
    def unread(self) -> int:
        """How many notifications of the channel are unread, at hand or not."""
        return self._unread + len(self._beyond)

    def put(self, record: Record) -> None:
        """Add a record's newest version; its revision is the highest so far."""
        before = self._entries.pop(record.id, None)
        if before is not None:
            self._count(before.record, -1)
        # The removal of a task says nothing of notifications: who follows that task alone must not hear of them.
        concerned = record.id in self._beyond or (
            before is not None and isinstance(before.record, Notification)
        )
        self._beyond.discard(record.id)
        version = _successor(before, record)
        self._enter(version)
        if concerned or isinstance(record, Notification):
            version.unread = self.unread

    def _enter(self, version: Version) -> None:
        record = version.record
        # A dict keeps the order of insertion: popped and put back, the record is the last one.
        self._entries[record.id] = version
        self.head = max(self.head, record.rev)
        self._count(record, 1)

    def since(self, rev: int) -> list[Version]:
        """Every record that changed after `rev`, newest versions only, ascending; costs what it returns."""
        found: list[Version] = []
        for entry in reversed(self._entries.values()):
            if entry.record.rev <= rev:
                break
            found.append(entry)
        found.reverse()
        return found

    def all(self) -> list[Version]:
        return list(self._entries.values())

    def newest(self) -> list[Version]:
        """What a client gets that begins anew: all but archived notifications, and those beyond the bound; ascending."""
        beyond = self._notifications - self._bounds.notifications
        chosen: list[Version] = []
        for entry in self._entries.values():
            record = entry.record
            if isinstance(record, Notification):
                beyond -= 1
                if beyond >= 0 or record.status is NotificationStatus.ARCHIVED:
                    continue
            chosen.append(entry)
        return chosen

    def trim(self, now: int, needed: Callable[[str], bool]) -> list[Version]:
        """Let go of what is beyond the bounds, oldest first; returns what went.

        Args:
            now: Unix milliseconds.
            needed: says of an id that its record has to stay.
        """
        oldest = now - int(self._bounds.age * 1000)
        gone: list[Version] = []
        unread: list[Version] = []
        for entry in self._entries.values():
            record = entry.record
            if self._kept(record) or needed(record.id):
                if isinstance(record, Notification):
                    unread.append(entry)
                continue
            when = record.removed_at if isinstance(record, Tombstone) else record.updated_at
            if when < oldest or self._over(record):
                self._count(record, -1)
                gone.append(entry)
        for entry in unread:
            if self._over(entry.record) and not needed(entry.record.id):
                self._count(entry.record, -1)
                gone.append(entry)
        for entry in gone:
            del self._entries[entry.record.id]
            if _unread(entry.record):
                self._beyond.add(entry.record.id)
            self.floor = max(self.floor, entry.record.rev)
        return gone

    @property
    def roomy(self) -> bool:
        """Whether there is room for what those lack who do not take what they are sent; else they begin anew."""
        return len(self._entries) - self.unfinished <= self._bounds.finished + self._most_notifications

    @property
    def crowded(self) -> bool:
        """Whether so much is beyond the bounds that trimming is worth its cost."""
        slack = 1.25
        return (
            self._finished > self._bounds.finished * slack
            or self._notifications > self._most_notifications * slack
        )

    def _over(self, record: Record) -> bool:
        if isinstance(record, Task):
            return self._finished > self._bounds.finished
        return isinstance(record, Notification) and self._notifications > self._most_notifications

    @staticmethod
    def _kept(record: Record) -> bool:
        if isinstance(record, Task):
            return not record.state.terminal
        return _unread(record)

    def _count(self, record: Record, sign: int) -> None:
        if isinstance(record, Task):
            if record.state.terminal:
                self._finished += sign
            else:
                self.unfinished += sign
        elif isinstance(record, Notification):
            self._notifications += sign
            if _unread(record):
                self._unread += sign


def _unread(record: Record) -> bool:
    return isinstance(record, Notification) and record.status is NotificationStatus.UNREAD


def _successor(before: Version | None, record: Record) -> Version:
    rev = record.rev
    if before is None:
        return Version(record, rev, rev, rev if isinstance(record, Task) and record.state.terminal else 0)
    earlier = before.record
    if isinstance(record, Task) and isinstance(earlier, Task):
        said = before.said if _only_alive(earlier, record) else rev
        ended = 0
        if record.state.terminal:
            ended = before.ended or rev
        return Version(record, before.first, said, ended)
    if isinstance(record, Notification) and isinstance(earlier, Notification):
        # What became unread again is news.
        news = record.status is NotificationStatus.UNREAD
        return Version(record, before.first, rev if news else before.said)
    return Version(record, rev)


def _only_alive(before: Task, after: Task) -> bool:
    """Whether nothing changed but when the worker was heard; what did not change is the same object."""
    return (
        after.progress is before.progress
        and after.state is before.state
        and after.attempt == before.attempt
        and after.result is before.result
        and after.children is before.children
        and after.stopping == before.stopping
        and after.error == before.error
    )
