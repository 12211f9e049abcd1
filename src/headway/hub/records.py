"""The records of this process: the newest version of each, whether it can be shown yet or not.

Rules are applied to these versions; what clients see are the versions in the channels' logs, which follow as soon as
the facts among them are durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from headway.hub.channel import Channel
from headway.hub.log import Bounds, CompactedLog
from headway.model.notification import Notification
from headway.model.rules import adopt
from headway.model.task import Children, Task
from headway.ports.store import Opened, Record, Store, TaskQuery, Tombstone

__all__ = ["Records", "counts"]

_REMEMBERED_KEYS = 10_000

Kept = TypeVar("Kept", Task, Notification)


class Records:
    """Tasks and notifications by id, and the channels they live in, loaded when first asked for."""

    def __init__(self, store: Store, bounds: Bounds, clock: Callable[[], int]) -> None:
        self._store = store
        self._bounds = bounds
        self._clock = clock
        self._base = 0
        self._number = 0
        self._loading: dict[str, asyncio.Task[Channel]] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self.epoch = ""
        self.channels: dict[str, Channel] = {}
        self.tasks: dict[str, Task] = {}
        self.notifications: dict[str, Notification] = {}
        self._leaving: dict[str, Tombstone] = {}

    async def open(self, opened: Opened) -> None:
        """Take over what the store knows; loads every channel that has an unfinished task."""
        self.epoch = opened.epoch
        # No cursor that a client can hold is above this, not even of changes that a crash lost; the next change is.
        self._base = opened.ceiling - 1
        self._number = opened.number
        for name in opened.channels:
            await self.channel(name)

    def next_number(self) -> int:
        """The `number` of a new task."""
        self._number += 1
        return self._number

    def loaded(self, name: str) -> Channel | None:
        return self.channels.get(name)

    async def channel(self, name: str) -> Channel:
        """The channel, read from the store when it is not in memory."""
        channel = self.channels.get(name)
        if channel is not None:
            channel.touched_at = self._clock()
            return channel
        loading = self._loading.get(name)
        if loading is None:
            loading = self._loading[name] = asyncio.create_task(self._load(name))
            loading.add_done_callback(lambda _: self._loading.pop(name, None))
        # One reader that gives up must not take the channel from the others.
        return await asyncio.shield(loading)

    async def find(self, task_id: str) -> Task | None:
        """A task's newest version; its channel is in memory afterwards."""
        task = self.tasks.get(task_id)
        if task is not None or task_id in self._leaving:
            return task
        stored = await self._store.task(task_id)
        if stored is None:
            return self.tasks.get(task_id)
        await self.channel(stored.channel)
        return self.current(stored)

    async def ancestors(self, task: Task) -> dict[str, Task]:
        """Those of a task's parent, its parent and so on that are not in memory."""
        found: dict[str, Task] = {}
        while task.parent is not None:
            parent = self.tasks.get(task.parent)
            if parent is None:
                parent = await self.find(task.parent)
                if parent is None:
                    break
                found[parent.id] = parent
            task = parent
        return found

    async def find_notification(self, notification_id: str) -> Notification | None:
        """A notification's newest version; its channel is in memory afterwards."""
        known = self.notifications.get(notification_id)
        if known is not None or notification_id in self._leaving:
            return known
        stored = await self._store.notification(notification_id)
        if stored is None:
            return self.notifications.get(notification_id)
        await self.channel(stored.channel)
        return self.current(stored)

    async def find_by_key(self, channel: str, key: str) -> Task | None:
        """The task that was created with an idempotency key."""
        known = self._keys.get((channel, key))
        if known is not None:
            return await self.find(known)
        stored = await self._store.task_by_key(channel, key)
        return None if stored is None else await self.find(stored.id)

    def remember_key(self, channel: str, key: str, task_id: str) -> None:
        self._keys[channel, key] = task_id
        if len(self._keys) > _REMEMBERED_KEYS:
            del self._keys[next(iter(self._keys))]

    def forget_keys(self, keys: Iterable[tuple[str, str]]) -> None:
        for key in keys:
            self._keys.pop(key, None)

    def known_key(self, channel: str, key: str) -> str | None:
        return self._keys.get((channel, key))

    def put(self, record: Record) -> None:
        """The newest version of a record, as rules made it."""
        if isinstance(record, Task):
            self.tasks[record.id] = record
        elif isinstance(record, Notification):
            self.notifications[record.id] = record
        else:
            self.tasks.pop(record.id, None)
            self.notifications.pop(record.id, None)
            self._leaving[record.id] = record

    def at_hand(self, task_id: str) -> Task | None:
        """A task of this process as its clients may see it: what is not durable yet is not in its channel's log."""
        task = self.tasks.get(task_id)
        version = None if task is None else self.channels[task.channel].log.get(task_id)
        return version.record if version is not None and isinstance(version.record, Task) else None

    async def shown(self, task_id: str) -> Task | None:
        """A task as its clients may see it, at hand or not."""
        return self.at_hand(task_id) or await self._store.task(task_id)

    def newest(self, record_id: str) -> Record | None:
        """The newest version at hand; a tombstone until it is durable."""
        return self.tasks.get(record_id) or self.notifications.get(record_id) or self._leaving.get(record_id)

    def current(self, read: Kept) -> Kept | None:
        """The newest version of a record that was read from the store; None when it has been removed since then.

        Its channel must be in memory.
        """
        newest = self.newest(read.id)
        if newest is not None:
            return newest if isinstance(newest, type(read)) else None
        channel = self.channels.get(read.channel)
        gone = channel is None or isinstance(channel.newest(read.id)[0], Tombstone)
        return None if gone else read

    def confirm(self, record: Record) -> None:
        """A version is durable: make sure that the one at hand is not older."""
        if isinstance(record, Tombstone):
            leaving = self._leaving.get(record.id)
            if leaving is not None and leaving.rev <= record.rev:
                del self._leaving[record.id]
            return
        newest = self.newest(record.id)
        if newest is None or newest.rev < record.rev:
            self.put(record)

    def revert(self, channel: Channel, ids: Iterable[str]) -> None:
        """Go back to the versions before those that could not be made durable.

        Parents take back what the failed changes told them, and keep what their other children have reported.
        """
        failed = {record_id: self.newest(record_id) for record_id in ids}
        kept: dict[str, Task | None] = {}
        for record_id, record in failed.items():
            before, _ = channel.newest(record_id)
            if isinstance(before, Task) and isinstance(record, Task) and before.children != record.children:
                before = replace(before, children=record.children)
            self.tasks.pop(record_id, None)
            self.notifications.pop(record_id, None)
            self._leaving.pop(record_id, None)
            if before is not None and not isinstance(before, Tombstone):
                self.put(before)
            kept[record_id] = before if isinstance(before, Task) else None
        for record_id, record in failed.items():
            self._take_back(record if isinstance(record, Task) else None, kept[record_id])
        for record_id in failed:
            before, _ = channel.newest(record_id)
            task = self.tasks.get(record_id)
            if task is not None and isinstance(before, Task) and _children(task) == _children(before):
                self.put(before)

    def _take_back(self, failed: Task | None, kept: Task | None) -> None:
        while (child := kept or failed) is not None and child.parent is not None:
            parent = self.tasks.get(child.parent)
            if parent is None or not counts(parent, child):
                return
            after = adopt(parent, failed, kept, parent.updated_at)
            if after is parent:
                return
            self.put(after)
            failed, kept = parent, after

    def trim(self, channel: Channel, needed: Callable[[str], bool]) -> None:
        """Let go of what is beyond the channel's bounds, except what is needed and what somebody follows.

        What a follower has still to be sent stays too, as long as that is not too much.
        """
        feeds = channel.task_feeds
        log = channel.log
        lacking = channel.lacking(patiently=log.roomy)

        def wanted(which: str) -> bool:
            if which in feeds or needed(which):
                return True
            version = None if lacking is None else log.get(which)
            return version is not None and lacking is not None and version.record.rev > lacking

        for version in log.trim(self._clock(), wanted):
            record = version.record
            # A newer version may be on its way.
            if self.tasks.get(record.id) is record:
                del self.tasks[record.id]
            elif self.notifications.get(record.id) is record:
                del self.notifications[record.id]

    def evict(self, channel: Channel) -> None:
        """Let go of a whole channel; it is read again when somebody asks for it."""
        for version in channel.log.all():
            self.tasks.pop(version.record.id, None)
            self.notifications.pop(version.record.id, None)
        del self.channels[channel.name]
        self._base = max(self._base, channel.log.head)

    async def _load(self, name: str) -> Channel:
        newer_than = self._clock() - int(self._bounds.age * 1000)
        window = await self._store.window(name, self._bounds.finished, newer_than, self._bounds.notifications)
        records = [await self._recounted(record) for record in window.records]
        head = max([self._base, window.floor, *(record.rev for record in records)])
        channel = Channel(name, CompactedLog(replace(window, records=tuple(records)), self._bounds, head))
        channel.touched_at = self._clock()
        self.channels[name] = channel
        for record in records:
            self.put(record)
        return channel

    async def _recounted(self, record: Record) -> Record:
        """A parent with its children added up anew: a crash can lose a child's tick and keep the parent's."""
        if not isinstance(record, Task) or record.children is None or _all_finished(record.children):
            return record
        parent = replace(record, children=Children())
        query = TaskQuery(channels=None, parent=record.id, limit=200)
        while True:
            page = await self._store.tasks(query)
            for child in filter(partial(counts, parent), page.tasks):
                parent = adopt(parent, None, child, record.updated_at)
            if page.next is None:
                # Not its percent: half way through the children, that can be above what all of them make.
                return replace(record, children=parent.children)
            query = replace(query, after=page.next)


def counts(parent: Task, child: Task) -> bool:
    """Whether a child is this task's; who has the id of a removed task does not inherit its children."""
    return child.created_at >= parent.created_at


def _children(task: Task) -> Children:
    return task.children or Children()


def _all_finished(children: Children) -> bool:
    return children.count == children.succeeded + children.failed + children.cancelled
