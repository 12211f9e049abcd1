"""How much a process keeps, and how often it speaks. Pure; it must not know who keeps it."""

from __future__ import annotations

import msgspec

__all__ = ["Limits"]


class Limits(msgspec.Struct, frozen=True):
    """How much is kept while nobody takes it.

    Attributes:
        entries: reports of all kinds; a task has at most one tick among them.
        bytes: their size as JSON, about.
        lines: log lines.
        tasks: tasks whose newest state is remembered.
        batch_bytes: the size of one batch, about.
        beat: seconds between signs of life of a running task.
        paused_beat: the same while it is paused, so that it goes on soon after it is resumed.
        tries: how often a report is repeated for a task that the server does not know.
    """

    entries: int = 10_000
    bytes: int = 16 * 2**20
    lines: int = 5_000
    tasks: int = 10_000
    batch_bytes: int = 4 * 2**20
    beat: float = 5.0
    paused_beat: float = 1.0
    tries: int = 30
