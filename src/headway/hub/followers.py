"""Who follows what: subscriptions are opened here, by all clients, and joined to the feeds that they share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING

from headway.hub.access import Access, Action, covers
from headway.hub.channel import Channel
from headway.hub.feed import Feed, Subscription
from headway.hub.records import Records
from headway.hub.sources import ChannelSource, LogSource, Source, TaskLog, TaskSource
from headway.hub.task_logs import TaskLogs
from headway.hub.wanted import Wanted
from headway.hub.wheel import Wheel
from headway.model.cursor import Cursor
from headway.model.grant import Grant
from headway.model.task import Task
from headway.ports.link import Link
from headway.ports.store import Store

if TYPE_CHECKING:
    from headway.hub.follower import Follower

__all__ = ["Followers"]

_LOG_PAGE = 500


class Followers:
    """Opens subscriptions; shared by all clients."""

    def __init__(
        self,
        records: Records,
        logs: TaskLogs,
        store: Store,
        wheel: Wheel,
        max_subscriptions: int,
        flush: Callable[[], Awaitable[object]],
        access: Access,
    ) -> None:
        """Follow nothing yet.

        Args:
            flush: writes what waits to be written, so that the store has every line that is not at hand.
        """
        self._flush = flush
        self.access = access
        self.records = records
        self.max_subscriptions = max_subscriptions
        self._logs = logs
        self._store = store
        self._wheel = wheel
        self._log_feeds: dict[str, dict[Hashable, Feed]] = {}
        self._present: dict[str, set[Follower]] = {}

    def came(self, follower: Follower) -> None:
        """A client begins."""
        self._present.setdefault(follower.grant.user, set()).add(follower)

    def left(self, follower: Follower) -> None:
        """A client is done. Idempotent."""
        present = self._present.get(follower.grant.user)
        if present is not None:
            present.discard(follower)
            if not present:
                del self._present[follower.grant.user]

    def subscriptions(self, user: str | None) -> int:
        """How many subscriptions a user, or everybody for None, has open."""
        users = self._present.values() if user is None else (self._present.get(user, ()),)
        return sum(follower.subscriptions for present in users for follower in present)

    def watches(self, user: str | None, task: Task) -> bool:
        """Whether a user, or anybody for None, follows a task or its channel just now."""
        if user is not None:
            return any(follower.watches(task) for follower in self._present.get(user, ()))
        channel = self.records.loaded(task.channel)
        if channel is None:
            return False
        return task.id in channel.task_feeds or any(feed.shows(task) for feed in channel.feeds.values())

    async def open(self, wanted: Wanted, grant: Grant, link: Link, joined: list[Subscription]) -> None:
        """Read what is needed, then join.

        Args:
            joined: is given what was joined, as soon as it was.

        Raises:
            NotFound, Forbidden: see `access.check`.
        """
        if wanted.channel is not None:
            self.access.check(grant, Action.READ, wanted.channel)
            channel = await self.records.channel(wanted.channel)
            joined.append(self._join_channel(channel, wanted, link))
            return
        task = await self.records.find(wanted.task or "")
        if task is None:
            raise self.access.missing(grant, Action.READ, wanted.task or "")
        self.access.check(grant, Action.READ, task.channel, task.id)
        channel = await self.records.channel(task.channel)
        settled = None if channel.log.get(task.id) else await self.records.shown(task.id)
        joined.append(self._join_task(channel, task.id, settled, wanted, link))
        if wanted.log is not None:
            try:
                joined.append(await self._follow_log(wanted, link, channel))
            except BaseException:
                joined[0].leave()
                raise

    def join(self, wanted: Wanted, grant: Grant, link: Link) -> list[Subscription] | None:
        """Join at once when all that is needed is in memory; None when it is not.

        Raises:
            NotFound, Forbidden: see `access.check`.
        """
        if wanted.channel is not None:
            channel = self.records.loaded(wanted.channel)
            if channel is None:
                return None
            self.access.check(grant, Action.READ, channel.name)
            return [self._join_channel(channel, wanted, link)]
        task_id = wanted.task or ""
        task = self.records.tasks.get(task_id)
        if task is None:
            return None
        channel = self.records.channels[task.channel]
        if channel.log.get(task_id) is None or not covers(grant, channel.name, task_id):
            # What is another's is refused when what there is not would be, so that the order of answers tells nothing.
            return None
        self.access.check(grant, Action.READ, channel.name, task_id)
        return [self._join_task(channel, task_id, None, wanted, link)]

    def logged(self, task_id: str) -> None:
        """A task's log has grown."""
        for feed in tuple(self._log_feeds.get(task_id, {}).values()):
            feed.changed()

    def log_followed(self, task_id: str) -> bool:
        return task_id in self._log_feeds

    def position(self, cursor: Cursor | None) -> int | None:
        """A client's cursor as a position in our history; None when it is of another."""
        return cursor.rev if cursor is not None and cursor.epoch == self.records.epoch else None

    def _join_channel(self, channel: Channel, wanted: Wanted, link: Link) -> Subscription:
        key = (link.codec, wanted.name, wanted.only, wanted.pace)
        feed = channel.feeds.get(key)
        if feed is None:
            source = ChannelSource(channel.log, self.records.epoch, wanted.only)
            feed = channel.feeds[key] = self._feed(source, wanted, link, channel.name)
            feed.on_empty = partial(channel.feeds.pop, key, None)
        return feed.join(link, self.position(wanted.cursor))

    def _join_task(
        self, channel: Channel, task_id: str, settled: Task | None, wanted: Wanted, link: Link
    ) -> Subscription:
        feeds = channel.task_feeds.setdefault(task_id, {})
        key = (link.codec, wanted.name, wanted.pace)
        feed = feeds.get(key)
        if feed is None:
            source = TaskSource(channel.log, self.records.epoch, task_id, settled)
            feed = feeds[key] = self._feed(source, wanted, link, channel.name, task_id)
            feed.on_empty = partial(_drop, channel.task_feeds, task_id, key)
        return feed.join(link, self.position(wanted.cursor))

    async def _follow_log(self, wanted: Wanted, link: Link, channel: Channel) -> Subscription:
        task_id = wanted.task or ""
        log = await self._logs.open(task_id)
        offset = log.end if wanted.log is None or wanted.log < 0 else min(wanted.log, log.end)
        offset = await self._send_stored(wanted, log, offset, link)
        # It can have been put away meanwhile, and nobody would write to this one any more.
        while self._logs.get(task_id) is not log:
            log = await self._logs.open(task_id)
            offset = await self._send_stored(wanted, log, offset, link)
        feeds = self._log_feeds.setdefault(task_id, {})
        key = (link.codec, wanted.name, wanted.pace)
        feed = feeds.get(key)
        if feed is None:
            feed = feeds[key] = self._feed(LogSource(task_id, log), wanted, link, channel.name, task_id)
            feed.on_empty = partial(_drop, self._log_feeds, task_id, key)
        return feed.join(link, offset)

    async def _send_stored(self, wanted: Wanted, log: TaskLog, offset: int, link: Link) -> int:
        """Send lines that are no longer at hand, page by page; returns where the lines at hand go on."""
        if offset < log.start:
            await self._flush()
        while offset < log.start and not link.full:
            page = await self._store.log(wanted.task or "", offset, _LOG_PAGE)
            page = tuple(entry for entry in page if entry.offset < log.start)
            if not page:
                break
            first, end = page[0].offset, page[-1].offset + 1
            data = link.codec.log(wanted.name, wanted.task or "", first, end, first - offset, page)
            if not link.deliver(data):
                break
            offset = end
        return offset

    def _feed(
        self, source: Source, wanted: Wanted, link: Link, channel: str, task: str | None = None
    ) -> Feed:
        return Feed(source, link.codec, wanted.name, wanted.pace, self._wheel, channel, task)


def _drop(feeds: dict[str, dict[Hashable, Feed]], task: str, key: Hashable) -> None:
    inner = feeds.get(task)
    if inner is not None:
        inner.pop(key, None)
        if not inner:
            del feeds[task]
