"""How records look in `headway.v1`: the codec of every native door, whatever it wraps messages in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from headway.model.cursor import Cursor
from headway.model.task import Task
from headway.ports.link import Codec, Version
from headway.ports.store import LogEntry, Tombstone
from headway.wire.server_messages import change, log, removed, snapshot

__all__ = ["SNAPSHOT_BYTES", "Frame", "NativeCodec", "change_messages", "log_message", "snapshot_messages"]

SNAPSHOT_BYTES = 262_144
"""A longer answer goes out in parts: many WebSocket libraries refuse messages above a megabyte."""

_encode = msgspec.json.Encoder().encode


Frame = Callable[[bytes, str], bytes]
"""Wraps one message; the text is the cursor up to it, empty where it has none."""


class NativeCodec(Codec):
    """`spec/wire.md` §4, each message in the frame of its door. One instance for each door: equal means identical."""

    __slots__ = ("frame",)

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def snapshot(
        self,
        name: bytes,
        cursor: Cursor,
        reset: bool,
        versions: Sequence[Version],
        unread: int | None = None,
        since: int = 0,  # noqa: ARG002 - states need no announcing
    ) -> bytes:
        frame = self.frame
        return b"".join([frame(*one) for one in snapshot_messages(name, cursor, reset, versions, unread)])

    def changes(self, name: bytes, epoch: str, versions: Sequence[Version], since: int) -> bytes:  # noqa: ARG002 - states need no announcing
        frame = self.frame
        return b"".join([frame(*one) for one in change_messages(name, epoch, versions)])

    def log(
        self, name: bytes, task: str, offset: int, end: int, trimmed: int, entries: Sequence[LogEntry]
    ) -> bytes:
        return self.frame(log_message(name, task, offset, end, trimmed, entries), "")


def snapshot_messages(
    name: bytes, cursor: Cursor, reset: bool, versions: Sequence[Version], unread: int | None = None
) -> list[tuple[bytes, str]]:
    """The answer to a subscription in as many messages as it needs, each with the cursor up to it."""
    parts: list[tuple[bytes, str]] = []
    start = size = 0
    for end, version in enumerate(versions):
        size += len(version.json)
        if size > SNAPSHOT_BYTES and end > start:
            reached = Cursor(cursor.epoch, versions[end - 1].record.rev)
            parts.append(_part(name, reached, reset and start == 0, versions[start:end], unread, more=True))
            start, size = end, len(version.json)
    parts.append(_part(name, cursor, reset and start == 0, versions[start:], unread, more=False))
    return parts


def change_messages(name: bytes, epoch: str, versions: Sequence[Version]) -> list[tuple[bytes, str]]:
    """A message for each record that changed, with the cursor up to it."""
    parts = []
    for version in versions:
        cursor = f"{epoch}.{version.record.rev}"
        parts.append((_change(name, cursor, version), cursor))
    return parts


def log_message(
    name: bytes, task: str, offset: int, end: int, trimmed: int, entries: Sequence[LogEntry]
) -> bytes:
    """The message that has these lines of a task's log."""
    encoded = [_encode({"at": entry.at, "level": entry.level, "text": entry.text}) for entry in entries]
    return log(name, task, offset, end, trimmed, encoded)


def _part(
    name: bytes, cursor: Cursor, reset: bool, versions: Sequence[Version], unread: int | None, *, more: bool
) -> tuple[bytes, str]:
    tasks: list[bytes] = []
    notifications: list[bytes] = []
    gone: list[str] = []
    for version in versions:
        record = version.record
        if isinstance(record, Tombstone):
            # Who is to forget everything need not be told what is gone.
            if not reset:
                gone.append(record.id)
        elif isinstance(record, Task):
            tasks.append(version.json)
        else:
            notifications.append(version.json)
    at = str(cursor)
    return snapshot(name, at, reset, tasks, notifications, gone, more, unread), at


def _change(name: bytes, cursor: str, version: Version) -> bytes:
    record = version.record
    if isinstance(record, Tombstone):
        return removed(name, cursor, record.id, version.unread)
    key = b"task" if isinstance(record, Task) else b"notification"
    return change(name, cursor, key, version.json, version.unread)
