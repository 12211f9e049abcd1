"""The logs of tasks: append-only, with offsets of their own; the newest lines at hand, all of them in the store."""

from __future__ import annotations

from functools import partial

from headway.errors import StoreUnavailable
from headway.hub.changes import Changes
from headway.hub.sources import TaskLog
from headway.model.report import LOG_LINE_CHARS, Log
from headway.ports.store import LogEntry, Store

__all__ = ["LEVELS", "TaskLogs"]

LEVELS = frozenset(("debug", "info", "warning", "error"))


class TaskLogs:
    """Logs that somebody writes or follows. Who changes one tells its feed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._logs: dict[str, TaskLog] = {}

    async def open(self, task_id: str) -> TaskLog:
        """The log of a task, known to exist; read from the store when it is not at hand."""
        log = self._logs.get(task_id)
        if log is None:
            end, seen = await self._store.log_end(task_id)
            log = self._logs.setdefault(task_id, TaskLog(end, seen))
        log.idle = False
        return log

    def get(self, task_id: str) -> TaskLog | None:
        """The log of a task if it is at hand."""
        return self._logs.get(task_id)

    def at_hand(self) -> dict[str, TaskLog]:
        """The logs in memory, by task; a copy."""
        return dict(self._logs)

    def append(self, task_id: str, report: Log, now: int) -> list[LogEntry]:
        """Add a report's lines, less those that came before.

        Args:
            now: Unix milliseconds, for lines without a time.

        Returns:
            what is new, to be written.

        Raises:
            StoreUnavailable: the log is not open.
        """
        log = self._logs.get(task_id)
        if log is None:
            raise StoreUnavailable("The log was just put away; try again", task=task_id)
        entries = []
        for index, line in enumerate(report.lines):
            seq = None if report.source is None or report.seq is None else report.seq + index
            if seq is not None and seq <= log.seen.get(report.source or "", -1):
                continue
            level = line.level if line.level in LEVELS else "info"
            # Sources are only remembered with a number; without one nothing could be compared.
            source = report.source if seq is not None else None
            at = now if line.at is None else line.at
            entry = LogEntry(task_id, log.end, at, level, line.text[:LOG_LINE_CHARS], source, seq)
            log.append(entry)
            entries.append(entry)
        return entries

    def remove(self, changes: Changes, task_id: str) -> None:
        """A task is removed by these changes: let go of its log as soon as that is durable."""
        log = self._logs.get(task_id)
        if log is not None:
            changes.afterwards.append(partial(self._removed, task_id, log.end))

    def _removed(self, task_id: str, end: int) -> None:
        log = self._logs.get(task_id)
        # One that has grown is by now the log of a new task with this id.
        if log is not None and log.end == end:
            del self._logs[task_id]

    def drop(self, task_id: str) -> None:
        """Let go of a log that nobody writes or follows any more."""
        self._logs.pop(task_id, None)
