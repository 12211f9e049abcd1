"""The way of a change: bus (its revision), store (facts at once, ticks soon), then the channel's followers.

Facts are shown when they are durable and not before; ticks are shown at once and written behind (`Arrears`). Both keep
the order of revisions within a channel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from headway.errors import HeadwayError, StoreUnavailable
from headway.hub.arrears import Arrears
from headway.hub.changes import Changes
from headway.hub.channel import Channel, Slot
from headway.hub.outbox import Outbox
from headway.hub.records import Records, counts
from headway.model.rules import adopt
from headway.model.task import Task
from headway.ports.bus import Bus
from headway.ports.store import Document, Record, Store, Tombstone, Writes

__all__ = ["Ledger"]


class Ledger:
    """Gives changes their revisions, makes them durable and shows them."""

    def __init__(
        self, store: Store, bus: Bus, records: Records, arrears: Arrears, outbox: Outbox | None = None
    ) -> None:
        self._outbox = outbox
        self._store = store
        self._bus = bus
        self._records = records
        self._arrears = arrears
        self._order = asyncio.Lock()
        # Changes that have no revision yet, in the order in which they were made.
        self._waiting: dict[int, Changes] = {}
        # Facts that are being written, by id.
        self._storing: dict[str, asyncio.Task[HeadwayError | None]] = {}
        self.changed = 0

    def keep(
        self,
        changes: Changes,
        record: Task,
        before: Task | None,
        now: int,
        found: Mapping[str, Task],
        fact: bool,
    ) -> None:
        """Note a task's new version, and those of its parent, its parent's parent and so on, which add it up.

        Args:
            before: the version before this one, None for a new task.
            now: Unix milliseconds.
            found: ancestors that are not in memory.
        """
        self._records.put(record)
        changes.add(record, fact)
        if _ended(before, record):
            changes.announce(record)
        if record.parent is not None:
            self._tell_parents(changes, before, record, now, found, fact)

    def remove(self, changes: Changes, task: Task, now: int, found: Mapping[str, Task]) -> None:
        """Note that a task is removed; arguments as for `keep`."""
        tombstone = Tombstone(task.id, task.channel, 0, now)
        self._records.put(tombstone)
        changes.add(tombstone, fact=True)
        changes.removed.add(task.id)
        self._tell_parents(changes, task, None, now, found, fact=True)

    async def commit(self, changes: Changes) -> None:
        """Carry out changes that rules have made; returns when the facts among them, and those they speak of, are durable.

        Raises:
            StoreUnavailable: they could not be made durable; everything is as clients last saw it.
        """
        if changes.logs:
            self._arrears.owe_lines(changes.logs)
        if changes.weighs or (changes.named and (self._storing or self._waiting)):
            self._waiting[id(changes)] = changes
            committing = asyncio.create_task(self._commit(changes))
            if changes.settled is not None:
                committing.add_done_callback(changes.settled)
            # Shielded: a client that hangs up must not leave a change half done.
            failure = await asyncio.shield(committing)
            if failure is not None:
                raise failure

    def owes(self, channel: Channel) -> bool:
        """Whether changes of this channel still have to be written."""
        return self._arrears.owes_in(channel.name) or any(
            channel.name in changes.records for changes in self._waiting.values()
        )

    def trim(self, channel: Channel) -> None:
        """Let go of what is beyond the channel's bounds and need not be written any more."""
        self._records.trim(channel, self._arrears.owes)

    async def _commit(self, changes: Changes) -> HeadwayError | None:
        try:
            async with self._order:
                stamps = {
                    name: await self._bus.stamp(name, len(records))
                    for name, records in changes.records.items()
                }
                # From here to the store's line nothing yields, so that order is the same everywhere.
                storing = None if changes.stale else self._enter(changes, stamps)
        except HeadwayError as error:
            self._revert(changes)
            self._arrears.failed(error)
            return error
        finally:
            del self._waiting[id(changes)]
        if changes.stale:
            self._revert(changes)
            return StoreUnavailable()
        # What an answer speaks of may be another request's fact that is on its way.
        others = {self._storing[which] for which in changes.named & self._storing.keys()} - {storing}
        failure = None if storing is None else await asyncio.shield(storing)
        if failure is not None:
            return failure
        for tell in changes.afterwards:
            tell()
        for other in others:
            failure = await asyncio.shield(other)
            if failure is not None:
                return failure
        return None

    def _enter(self, changes: Changes, stamps: dict[str, int]) -> asyncio.Task[HeadwayError | None] | None:
        """Take stamped changes into their channels and the store's line; returns what makes the facts durable."""
        slots: list[tuple[Channel, Slot]] = []
        durable: list[Record] = []
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
                self._arrears.waive(records)
            else:
                self._arrears.owe(stamped)
            if channel.log.crowded:
                self.trim(channel)
        if not (durable or changes.documents or changes.dropped):
            return None
        if changes.removed:
            changes.unwritten = self._arrears.waive_lines(changes.removed)
        documents = self._prepared(changes)
        try:
            writing = self._store.write(
                Writes(
                    records=durable,
                    keys=changes.keys,
                    documents=[*changes.documents, *documents],
                    dropped=changes.dropped,
                )
            )
        except HeadwayError:
            self._give_up(changes, slots)
            raise
        storing = asyncio.create_task(self._store_facts(writing, durable, documents, changes, slots))
        for record in durable:
            self._storing[record.id] = storing
        return storing

    def _prepared(self, changes: Changes) -> Sequence[Document]:
        if self._outbox is None or not changes.announced:
            return ()
        revisions = {which: record.rev for own in changes.records.values() for which, record in own.items()}
        return self._outbox.prepare(
            [replace(fact, rev=revisions.get(fact.id, fact.rev)) for fact in changes.announced]
        )

    def _stamped(self, records: dict[str, Record], first: int) -> list[Record]:
        stamped: list[Record] = []
        for rev, (record_id, record) in enumerate(records.items(), first):
            version = records[record_id] = replace(record, rev=rev)
            # While the stamp was fetched another change can have built on this one; it gets its own revision.
            if self._records.newest(record.id) is record:
                self._records.put(version)
            stamped.append(version)
        return stamped

    async def _store_facts(
        self,
        writing: Coroutine[Any, Any, None],
        durable: list[Record],
        documents: Sequence[Document],
        changes: Changes,
        slots: list[tuple[Channel, Slot]],
    ) -> HeadwayError | None:
        try:
            await writing
        except HeadwayError as error:
            self._give_up(changes, slots)
            self._revert(changes)
            self._arrears.failed(error)
            return error
        finally:
            for record in durable:
                if self._storing.get(record.id) is asyncio.current_task():
                    del self._storing[record.id]
        for record in durable:
            # A failure just before this may have taken the version back that is durable now.
            self._records.confirm(record)
        for channel, slot in slots:
            channel.settle(slot)
        if self._outbox is not None and documents:
            self._outbox.stored(documents)
        self._arrears.worked()
        return None

    def _give_up(self, changes: Changes, slots: list[tuple[Channel, Slot]]) -> None:
        if changes.unwritten:
            self._arrears.owe_lines(changes.unwritten)
        for channel, slot in slots:
            channel.abandon(slot)
        for name, records in changes.records.items():
            channel = self._records.channels[name]
            self._arrears.waive(records)
            for record_id in records:
                record, ready = channel.newest(record_id)
                # A tick that the failed fact was to write with itself is still owed.
                if ready and record is not None and not isinstance(record, Tombstone):
                    self._arrears.owe((record,))

    def _revert(self, changes: Changes) -> None:
        for name, records in changes.records.items():
            self._records.revert(self._records.channels[name], records)
            for later in self._waiting.values():
                if later is not changes and later.builds_on(records):
                    later.stale = True
        self._records.forget_keys(
            (name, key)
            for name, records in changes.records.items()
            for record_id, key in changes.keys.items()
            if record_id in records
        )

    def _tell_parents(
        self,
        changes: Changes,
        before: Task | None,
        after: Task | None,
        now: int,
        found: Mapping[str, Task],
        fact: bool,
    ) -> None:
        while (child := after or before) is not None and child.parent is not None:
            parent = self._records.tasks.get(child.parent)
            if parent is None and (read := found.get(child.parent)) is not None:
                parent = self._records.current(read)
            if parent is None or not counts(parent, child):
                return
            grown = adopt(parent, before, after, now)
            if grown is parent:
                return
            self._records.put(grown)
            changes.add(grown, fact)
            before, after = parent, grown


def _ended(before: Task | None, after: Task) -> bool:
    """Whether an attempt has ended by this; what is said of a task that is over is no end of its own."""
    if not after.state.terminal:
        return False
    return before is None or not before.state.terminal or before.attempt != after.attempt
