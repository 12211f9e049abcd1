"""The way of a change: bus (its revision), store (facts at once, ticks soon), then the channel's followers.

Facts are shown when they are durable and not before; ticks are shown at once and written behind. Both keep the order
of revisions within a channel.
"""

from __future__ import annotations

import asyncio
import logging

from msgspec.structs import replace

from headway.errors import HeadwayError
from headway.hub.channel import Channel, Slot
from headway.hub.records import Records
from headway.hub.wheel import Wheel
from headway.ports.bus import Bus
from headway.ports.store import LogEntry, Record, Store, Writes

__all__ = ["Changes", "Ledger"]

_log = logging.getLogger("headway.hub")

_BEHIND = 0.25
"""Seconds that ticks wait to be written: what a kill of the server can cost, and heartbeats bring back."""
_RETRY = 1.0
_WAITING_LINES = 50_000


class Changes:
    """What one request changed.

    Attributes:
        records: the newest versions, by channel and id.
        facts: ids whose change must be durable before it is shown and acknowledged.
        keys: idempotency keys of new tasks, by id.
    """

    __slots__ = ("facts", "keys", "logs", "records")

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Record]] = {}
        self.facts: set[str] = set()
        self.keys: dict[str, str] = {}
        self.logs: list[LogEntry] = []

    def add(self, record: Record, fact: bool) -> None:
        self.records.setdefault(record.channel, {})[record.id] = record
        if fact:
            self.facts.add(record.id)


class Ledger:
    """Gives changes their revisions, makes them durable and shows them."""

    def __init__(self, store: Store, bus: Bus, records: Records, wheel: Wheel) -> None:
        self._store = store
        self._bus = bus
        self._records = records
        self._wheel = wheel
        self._order = asyncio.Lock()
        self._behind: dict[str, Record] = {}
        self._lines: list[LogEntry] = []
        self._scheduled = False
        self._writing: asyncio.Task[None] | None = None
        self.changed = 0
        self.failure: HeadwayError | None = None

    async def commit(self, changes: Changes) -> None:
        """Carry out changes that rules have made; returns when the facts among them are durable.

        Raises:
            StoreUnavailable: they could not be made durable; everything is as clients last saw it.
        """
        slots: list[tuple[Channel, Slot]] = []
        durable: list[Record] = []
        if changes.logs:
            self._lines += changes.logs
            del self._lines[:-_WAITING_LINES]
        async with self._order:
            try:
                stamps = {
                    name: await self._bus.stamp(name, len(records))
                    for name, records in changes.records.items()
                }
            except HeadwayError as error:
                self._revert(changes)
                self._failed(error)
                raise
            # From here to the store's queue nothing yields, so that order is the same everywhere.
            for name, records in changes.records.items():
                channel = self._records.channels[name]
                stamped = self._stamped(records, stamps[name])
                self.changed += len(stamped)
                facts = not changes.facts.isdisjoint(records)
                slot = channel.enter(stamped, ready=not facts)
                if facts:
                    durable += stamped
                    if slot is not None:
                        slots.append((channel, slot))
                    for record in stamped:
                        self._behind.pop(record.id, None)
                else:
                    for record in stamped:
                        self._behind[record.id] = record
                if channel.log.crowded:
                    self._records.trim(channel)
        if self._behind or self._lines:
            self._write_soon(_BEHIND)
        if durable:
            # Shielded: a client that hangs up must not leave a fact half done.
            failure = await asyncio.shield(asyncio.create_task(self._store_facts(durable, changes, slots)))
            if failure is not None:
                raise failure

    def owes(self, channel: Channel) -> bool:
        """Whether changes of this channel still have to be written."""
        return any(record.channel == channel.name for record in self._behind.values())

    async def flush(self) -> None:
        """Write what waits; returns when it is durable or has failed once more."""
        if self._writing is not None:
            await self._writing
        await self._write_behind()

    def _stamped(self, records: dict[str, Record], first: int) -> list[Record]:
        stamped = []
        for rev, (record_id, record) in enumerate(records.items(), first):
            # While the stamp was fetched another change can have built on this one: the newest version counts.
            newest = self._records.tasks.get(record_id) or self._records.notifications.get(record_id)
            version = replace(newest or record, rev=rev)
            self._records.put(version)
            stamped.append(version)
        return stamped

    async def _store_facts(
        self, durable: list[Record], changes: Changes, slots: list[tuple[Channel, Slot]]
    ) -> HeadwayError | None:
        try:
            await self._store.write(Writes(records=durable, keys=changes.keys))
        except HeadwayError as error:
            for channel, slot in slots:
                channel.abandon(slot)
            self._revert(changes)
            self._failed(error)
            return error
        for record in durable:
            # A failure just before this may have taken the version back that is durable now.
            self._records.restore(record)
        for channel, slot in slots:
            channel.settle(slot)
        self._worked()
        return None

    def _revert(self, changes: Changes) -> None:
        for name, records in changes.records.items():
            channel = self._records.channels[name]
            for record_id in records:
                self._behind.pop(record_id, None)
                self._records.revert(channel, record_id)
        self._records.forget_keys(
            (name, key)
            for name, records in changes.records.items()
            for record_id, key in changes.keys.items()
            if record_id in records
        )

    def _write_soon(self, delay: float) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._wheel.schedule(delay, self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        if self._writing is not None:
            self._write_soon(_BEHIND)
            return
        self._writing = asyncio.create_task(self._write_behind())
        self._writing.add_done_callback(self._written)

    def _written(self, _: asyncio.Task[None]) -> None:
        self._writing = None

    async def _write_behind(self) -> None:
        records, self._behind = self._behind, {}
        lines, self._lines = self._lines, []
        if not records and not lines:
            return
        try:
            await self._store.write(Writes(records=list(records.values()), logs=lines))
        except HeadwayError as error:
            for record_id, record in records.items():
                newest = self._records.tasks.get(record_id) or self._records.notifications.get(record_id)
                if newest is not None and newest.rev == record.rev:
                    self._behind.setdefault(record_id, record)
            self._lines = [*lines, *self._lines][-_WAITING_LINES:]
            self._failed(error)
            self._write_soon(_RETRY)
        else:
            self._worked()

    def _failed(self, error: HeadwayError) -> None:
        if self.failure is None:
            _log.error("the store does not take writes: %s", error.message)
        self.failure = error

    def _worked(self) -> None:
        if self.failure is not None:
            _log.warning("the store takes writes again")
        self.failure = None
