"""What a client can ask to follow: a channel or a task, all of it or some, from where it stands, as often as it likes."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from headway.model.cursor import Cursor
from headway.model.task import Task
from headway.ports.store import Record, Tombstone

__all__ = ["PACE", "Only", "Wanted"]

PACE = 0.05
"""Seconds between batches to one client at least, unless it wants them rarer."""


@dataclass(frozen=True, slots=True)
class Only:
    """Tasks of these kinds only, by what they are and stay; None lets everything pass."""

    kind: str | None = None
    tag: str | None = None
    parent: str | None = None

    def __call__(self, record: Record) -> bool:
        if not isinstance(record, Task):
            # What was removed is not known any more by kind; an id that a client does not hold means nothing to it.
            return isinstance(record, Tombstone)
        return (
            (self.kind is None or record.kind == self.kind)
            and (self.tag is None or self.tag in record.tags)
            and (self.parent is None or record.parent == self.parent)
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client wants to follow: a channel or a task.

    Attributes:
        key: the client's name for it, to unsubscribe by.
        name: the same as the codec wants it back.
        log: the offset from which the task's log is wanted; -1 for new lines only.
        pace: seconds between batches.
    """

    key: Hashable
    name: bytes
    channel: str | None = None
    task: str | None = None
    cursor: Cursor | None = None
    only: Only | None = None
    log: int | None = None
    pace: float = PACE
