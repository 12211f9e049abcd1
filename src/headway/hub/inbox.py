"""The inbox: what is done with notifications when they are there. They are read, archived and listed, and the oldest go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from msgspec.structs import replace

from headway.errors import HeadwayError, NotFound
from headway.hub.access import Access, Action, check_wide, covers
from headway.hub.changes import Changes
from headway.hub.channel import Channel
from headway.hub.ledger import Ledger
from headway.hub.records import Records
from headway.model.grant import Grant
from headway.model.notification import Notification, NotificationStatus
from headway.ports.store import NotificationPage, NotificationQuery, Store, Tombstone

__all__ = ["Inbox"]

_UNREAD, _READ, _ARCHIVED = NotificationStatus
_PAGE = 200
_BATCH = 500

FILED: dict[NotificationStatus, frozenset[NotificationStatus]] = {
    _READ: frozenset((_UNREAD,)),
    _UNREAD: frozenset((_READ, _ARCHIVED)),
    _ARCHIVED: frozenset((_UNREAD, _READ)),
}
"""From which statuses a notification comes to each; from any other it stays where it is, and that is no error."""


class Inbox:
    """The notifications of all channels."""

    def __init__(
        self,
        records: Records,
        ledger: Ledger,
        store: Store,
        clock: Callable[[], int],
        access: Access,
        most: int,
    ) -> None:
        """Begin to care for them.

        Args:
            clock: Unix milliseconds.
            most: how many of a channel are kept.
        """
        self._records = records
        self._ledger = ledger
        self._store = store
        self._clock = clock
        self._access = access
        self._most = most
        # By channel: where the oldest are just let go.
        self._fitting: dict[str, asyncio.Task[None]] = {}

    async def page(self, grant: Grant, query: NotificationQuery) -> NotificationPage:
        """List the notifications of a channel.

        Raises:
            Forbidden: the grant does not cover the channel, or may not read.
            InvalidField: the query is out of bounds.
        """
        self._access.check(grant, Action.READ, query.channel)
        check_wide(grant)
        return await self._store.notifications(query)

    async def unread(self, grant: Grant, channel: str) -> int:
        """How many notifications of a channel are unread.

        Raises:
            Forbidden: the grant does not cover the channel, or may not read.
        """
        self._access.check(grant, Action.READ, channel)
        check_wide(grant)
        return (await self._records.channel(channel)).log.unread

    async def one(self, grant: Grant, notification_id: str) -> Notification:
        """One notification.

        Raises:
            NotFound: there is none, or the grant does not cover it.
            Forbidden: the grant may not read.
        """
        found = await self._store.notification(notification_id)
        if found is None:
            raise self._missing(grant, Action.READ, notification_id)
        self._check(grant, Action.READ, found)
        check_wide(grant)
        return found

    async def file(self, grant: Grant, ids: Sequence[str], status: NotificationStatus) -> int:
        """Mark notifications as read, unread or archived; doing it twice is fine.

        Args:
            ids: those that there are not, or that are not the grant's to file, are passed over.

        Returns:
            how many had another status until now.

        Raises:
            Forbidden: the grant may not read.
        """
        self._access.check(grant, Action.READ, grant.own_channel)
        chosen: dict[str, Notification] = {}
        for notification_id in ids:
            found = await self._records.find_notification(notification_id)
            if found is not None and self._may_file(grant, found.channel):
                await self._records.channel(found.channel)
                chosen[found.id] = found
        return await self._file(chosen.values(), status)

    async def file_all(self, grant: Grant, channel: str, status: NotificationStatus) -> int:
        """Mark all notifications of a channel as read or archived, those that are not at hand too.

        Returns:
            how many had another status until now.

        Raises:
            Forbidden: they are not the grant's to file.
        """
        self._access.check(grant, self._filing(grant, channel), channel)
        return await self._file(await self._all(channel, FILED[status]), status)

    async def remove(self, grant: Grant, notification_id: str) -> None:
        """Remove a notification for good.

        Raises:
            NotFound, Forbidden: there is none, or it is not the grant's to file.
        """
        found = await self._records.find_notification(notification_id)
        if found is None:
            raise self._missing(grant, Action.READ, notification_id)
        self._check(grant, self._filing(grant, found.channel), found)
        await self._records.channel(found.channel)
        await self._go([found])

    def expect(self, changes: Changes) -> set[str]:
        """Count the new ones among these changes as soon as they are there; returns the channels that they come to."""
        names = {record.channel for record in changes.announced if isinstance(record, Notification)}
        for name in names:
            new = sum(isinstance(record, Notification) for record in changes.records[name].values())
            changes.afterwards.append(partial(self._came, name, new))
        return names

    async def fit(self, names: Iterable[str]) -> None:
        """Let the oldest go from channels to which new ones have come, where there are more than are kept."""
        for name in names:
            channel = await self._records.channel(name)
            # That which goes on may have counted before these came; the one after it has not.
            for _ in range(2):
                if channel.room < 0:
                    # Shielded: one that gives up must not end it for all who wait for the same.
                    await asyncio.shield(self._fitting.get(name) or self._begin_to_fit(channel))

    async def expire(self, created_before: int) -> None:
        """Let go of what was created before a moment (Unix milliseconds).

        Raises:
            StoreUnavailable: the store does not take writes.
        """
        while aged := await self._store.aged_notifications(created_before, _BATCH):
            for name in {notification.channel for notification in aged}:
                await self._records.channel(name)
            if not await self._go(aged, created_before):
                return

    def _came(self, name: str, new: int) -> None:
        channel = self._records.loaded(name)
        if channel is not None:
            channel.room -= new
            # Begun here, since whoever brought them may wait no longer.
            if channel.room < 0 and name not in self._fitting:
                self._begin_to_fit(channel)

    def _begin_to_fit(self, channel: Channel) -> asyncio.Task[None]:
        fitting = self._fitting[channel.name] = asyncio.create_task(self._fit(channel))
        fitting.add_done_callback(lambda _: self._fitting.pop(channel.name))
        return fitting

    async def _fit(self, channel: Channel) -> None:
        query = NotificationQuery(channel.name, skip=self._most, limit=_PAGE)
        try:
            while True:
                room = channel.room
                beyond = await self._store.notifications(query)
                if not beyond.notifications:
                    # Less what came while they were counted.
                    channel.room += self._most - beyond.total - room
                    return
                await self._records.channel(channel.name)
                if not await self._go(beyond.notifications):
                    break
        except HeadwayError:
            # What came is there all the same; the next one that comes makes room for both.
            pass
        channel.room = 0

    async def _go(self, notifications: Iterable[Notification], created_before: int | None = None) -> int:
        changes = Changes()
        now = self._clock()
        for notification in notifications:
            newest = self._records.current(notification)
            # One that has become the message that its task is over is young again.
            if newest is not None and (created_before is None or newest.created_at < created_before):
                tombstone = Tombstone(newest.id, newest.channel, 0, now)
                self._records.put(tombstone)
                changes.add(tombstone, fact=True)
        await self._ledger.commit(changes)
        return len(changes.facts)

    async def _all(self, name: str, statuses: frozenset[NotificationStatus]) -> list[Notification]:
        """All notifications of a channel with one of these statuses, at hand or not."""
        while True:
            channel = await self._records.channel(name)
            floor = channel.log.floor
            found: dict[str, Notification] = {}
            after: str | None = None
            while True:
                query = NotificationQuery(name, statuses, after=after, limit=_PAGE)
                page = await self._store.notifications(query)
                found |= {notification.id: notification for notification in page.notifications}
                after = page.next
                if after is None:
                    break
            # What was let go meanwhile may have changed before that, and after it was read.
            if self._records.loaded(name) is channel and channel.log.floor == floor:
                break
        for notification in self._records.notifications.values():
            if notification.channel == name:
                found[notification.id] = notification
        return list(found.values())

    async def _file(self, chosen: Iterable[Notification], status: NotificationStatus) -> int:
        changes = Changes()
        now = self._clock()
        for notification in chosen:
            newest = self._records.current(notification)
            if newest is None:
                continue
            changes.named.add(newest.id)
            if newest.status in FILED[status]:
                filed = replace(newest, status=status, updated_at=now)
                self._records.put(filed)
                changes.add(filed, fact=True)
        await self._ledger.commit(changes)
        return len(changes.facts)

    def _check(self, grant: Grant, action: Action, notification: Notification) -> None:
        if not covers(grant, notification.channel):
            # A stranger must not learn that it is there.
            raise self._missing(grant, action, notification.id)
        self._access.check(grant, action, notification.channel)

    def _missing(self, grant: Grant, action: Action, notification_id: str) -> NotFound:
        error = NotFound(notification=notification_id)
        self._access.audit.refused(error, user=grant.user, action=action.value)
        return error

    @staticmethod
    def _filing(grant: Grant, channel: str) -> Action:
        """What is one's own is filed by who may read it; what is shared, by who may act in the channel."""
        return Action.READ if channel == grant.own_channel else Action.CONTROL

    def _may_file(self, grant: Grant, channel: str) -> bool:
        try:
            self._access.check(grant, self._filing(grant, channel), channel)
        except HeadwayError:
            return False
        return True
