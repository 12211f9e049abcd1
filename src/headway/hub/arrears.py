"""What the store is still owed: ticks and lines of logs, of which only the newest are written, and soon.

Facts do not come here; the ledger writes them at once. It says here what came of that, so that there is one answer to
whether the store takes writes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Container, Iterable, Sequence
from itertools import chain

from headway.errors import HeadwayError
from headway.hub.records import Records
from headway.hub.wheel import Wheel
from headway.model.task import Task
from headway.ports.store import LogEntry, Record, Store, Writes

__all__ = ["Arrears"]

_log = logging.getLogger("headway.hub")

_BEHIND = 0.25
"""Seconds that ticks wait to be written: what a kill of the server can cost, and heartbeats bring back."""
_RETRY = 1.0
_WAITING_LINES = 50_000


class Arrears:
    """Writes behind, one write at a time; what fails is tried again until it is written or something newer is.

    Attributes:
        failure: why the store does not take writes, as far as is known; None when it does.
    """

    def __init__(self, store: Store, records: Records, wheel: Wheel) -> None:
        self._store = store
        self._records = records
        self._wheel = wheel
        self._waiting: dict[str, Record] = {}
        self._flying: dict[str, Record] = {}
        self._lines: list[LogEntry] = []
        self._flying_lines: list[LogEntry] = []
        self._scheduled = False
        self._writing: asyncio.Task[None] | None = None
        self.failure: HeadwayError | None = None

    def owe(self, records: Iterable[Record]) -> None:
        """These versions are to be written, unless newer ones come before that."""
        for record in records:
            self._waiting[record.id] = record
        if self._waiting:
            self._write_soon(_BEHIND)

    def owe_lines(self, lines: Sequence[LogEntry]) -> None:
        """These lines are to be written. While the store takes none for long, the oldest go."""
        self._lines += lines
        del self._lines[:-_WAITING_LINES]
        self._write_soon(_BEHIND)

    def waive(self, record_ids: Iterable[str]) -> None:
        """These records need not be written from here: something newer is on its way, or they are gone."""
        for record_id in record_ids:
            self._waiting.pop(record_id, None)

    def waive_lines(self, task_ids: Container[str]) -> list[LogEntry]:
        """The removal of these tasks is on its way: nothing of their logs is to be written after it.

        Returns:
            the lines that may not have been written, for the case that the removal fails.
        """
        waived = [line for line in chain(self._flying_lines, self._lines) if line.task in task_ids]
        if waived:
            self._flying_lines = [line for line in self._flying_lines if line.task not in task_ids]
            self._lines = [line for line in self._lines if line.task not in task_ids]
        return waived

    def owes(self, record_id: str) -> bool:
        """Whether a record still has to be written."""
        return record_id in self._waiting or record_id in self._flying

    def owes_in(self, channel: str) -> bool:
        """Whether any record of a channel still has to be written."""
        return any(
            record.channel == channel for record in chain(self._waiting.values(), self._flying.values())
        )

    def owed_logs(self) -> set[str]:
        """The tasks of whose logs lines still have to be written."""
        return {line.task for line in chain(self._lines, self._flying_lines)}

    async def flush(self) -> None:
        """Write what waits; returns when it is durable or has failed once more."""
        # Shielded: who gives up waiting for a write must not end it for what is in it.
        if self._writing is not None:
            await asyncio.shield(self._writing)
        await asyncio.shield(self._writing or self._begin())

    def failed(self, error: HeadwayError) -> None:
        """The store did not take a write."""
        # Tried again also when nothing waits: as long as we are not ready, perhaps nobody writes.
        self._write_soon(_RETRY)
        if self.failure is None:
            _log.error("the store does not take writes: %s", error.message)
        self.failure = error

    def worked(self) -> None:
        """The store took a write."""
        if self.failure is not None:
            _log.warning("the store takes writes again")
        self.failure = None

    def _write_soon(self, delay: float) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._wheel.schedule(delay, self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        if self._writing is not None:
            self._write_soon(_BEHIND)
        else:
            self._begin()

    def _begin(self) -> asyncio.Task[None]:
        self._writing = asyncio.create_task(self._write())
        self._writing.add_done_callback(self._written)
        return self._writing

    def _written(self, _: asyncio.Task[None]) -> None:
        self._writing = None

    async def _write(self) -> None:
        records, self._waiting = self._waiting, {}
        lines, self._lines = self._lines, []
        if not records and not lines and self.failure is None:
            return
        self._flying, self._flying_lines = records, lines
        try:
            await self._store.write(Writes(records=list(records.values()) or self._sample(), logs=lines))
        except HeadwayError as error:
            for record_id, record in records.items():
                newest = self._records.newest(record_id)
                if newest is not None and newest.rev == record.rev:
                    self._waiting.setdefault(record_id, record)
            self._lines = [*self._flying_lines, *self._lines][-_WAITING_LINES:]
            self.failed(error)
        else:
            self.worked()
        finally:
            self._flying, self._flying_lines = {}, []

    def _sample(self) -> list[Record]:
        """A record to write once more when nothing waits, only to learn whether that is possible again."""
        for channel in self._records.channels.values():
            # Not where a newer version may be on its way: this one would come after it.
            if channel.waiting:
                continue
            for version in channel.log.all():
                if isinstance(version.record, Task):
                    return [version.record]
        return []
