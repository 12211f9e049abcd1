"""One client's subscriptions: what it follows, within what its grant covers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial

from headway.errors import HeadwayError, SubscriptionLimit, UnknownSubscription
from headway.hub.access import Access, Action, check, check_wide, covers
from headway.hub.channel import Channel
from headway.hub.feed import Feed, Subscription
from headway.hub.records import Records
from headway.hub.sources import ChannelSource, LogSource, Source, TaskLog, TaskSource
from headway.hub.task_logs import TaskLogs
from headway.hub.wheel import Wheel
from headway.model.cursor import Cursor
from headway.model.grant import Grant
from headway.model.task import Task
from headway.ports.link import Link
from headway.ports.store import Record, Store

__all__ = ["Follower", "Followers", "Only", "Wanted"]

_LOG_PAGE = 500
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
            return hasattr(record, "removed_at")
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


class _Opening:
    """Stands for a subscription whose records are still being read."""

    __slots__ = ("task",)

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None


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

    def watches(self, user: str | None, task: Task) -> bool:
        """Whether a user, or anybody for None, follows a task or its channel just now."""
        if user is not None:
            return any(follower.watches(task) for follower in self._present.get(user, ()))
        channel = self.records.loaded(task.channel)
        if channel is None:
            return False
        return task.id in channel.task_feeds or any(feed.shows(task) for feed in channel.feeds.values())

    async def open(self, wanted: Wanted, grant: Grant, link: Link) -> list[Subscription]:
        """Read what is needed, then join.

        Raises:
            NotFound, Forbidden: see `access.check`.
        """
        if wanted.channel is not None:
            self.access.check(grant, Action.READ, wanted.channel)
            channel = await self.records.channel(wanted.channel)
            return [self._join_channel(channel, wanted, link)]
        task = await self.records.find(wanted.task or "")
        if task is None:
            raise self.access.missing(grant, Action.READ, wanted.task or "")
        self.access.check(grant, Action.READ, task.channel, task.id)
        channel = await self.records.channel(task.channel)
        settled = None if channel.log.get(task.id) else await self.records.shown(task.id)
        joined = [self._join_task(channel, task.id, settled, wanted, link)]
        if wanted.log is not None:
            try:
                joined.append(await self._follow_log(wanted, link, channel))
            except BaseException:
                joined[0].leave()
                raise
        return joined

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


def _narrowed(wanted: Wanted, grant: Grant) -> Wanted:
    """What a narrow grant can follow of this: tasks, without logs and without anybody's notifications.

    Raises:
        Forbidden: the log is wanted.
    """
    if wanted.log is not None:
        check_wide(grant)
    return replace(wanted, only=wanted.only or Only())


class Follower:
    """One client. Everything it follows ends with it, and with its grant."""

    __slots__ = ("_followers", "_link", "_subscriptions", "grant")

    def __init__(self, followers: Followers, link: Link, grant: Grant) -> None:
        self._followers = followers
        self._link = link
        self._subscriptions: dict[Hashable, list[Subscription] | _Opening] = {}
        self.grant = grant
        followers.came(self)

    def watches(self, task: Task) -> bool:
        """Whether a task can be seen in something that is followed."""
        return any(
            isinstance(joined, list) and joined[0].feed.shows(task) for joined in self._subscriptions.values()
        )

    def subscribe(self, wanted: Wanted, refuse: Callable[[HeadwayError], object]) -> None:
        """Begin to follow; the answer goes to the link, now or as soon as the records have been read.

        Args:
            refuse: called with what was wrong, now or later.
        """
        try:
            if self.grant.narrow:
                wanted = _narrowed(wanted, self.grant)
            if wanted.key in self._subscriptions:
                self._leave(wanted.key)
            elif len(self._subscriptions) >= self._followers.max_subscriptions:
                raise SubscriptionLimit(limit=self._followers.max_subscriptions)
            joined = None if wanted.log is not None else self._followers.join(wanted, self.grant, self._link)
        except HeadwayError as error:
            refuse(error)
            return
        if joined is not None:
            self._subscriptions[wanted.key] = joined
            self._note(wanted)
            return
        opening = _Opening()
        self._subscriptions[wanted.key] = opening
        opening.task = asyncio.create_task(self._open(wanted, opening, refuse))

    @property
    def caught_up(self) -> bool:
        """Whether the link has been given everything there is to what it follows."""
        return all(
            isinstance(joined, list) and all(subscription.caught_up for subscription in joined)
            for joined in self._subscriptions.values()
        )

    def log_began(self, key: Hashable) -> int | None:
        """The offset at which following a task's log began; None when none is followed under this key."""
        joined = self._subscriptions.get(key)
        return joined[1].began if isinstance(joined, list) and len(joined) > 1 else None

    async def opened(self) -> None:
        """Wait until every subscription was answered or refused."""
        while opening := [
            joined.task
            for joined in self._subscriptions.values()
            if isinstance(joined, _Opening) and joined.task is not None
        ]:
            await asyncio.wait(opening)

    def unsubscribe(self, key: Hashable) -> None:
        """Stop following.

        Raises:
            UnknownSubscription: nothing is followed under this key.
        """
        if key not in self._subscriptions:
            raise UnknownSubscription
        self._leave(key)

    def renew(self, grant: Grant, refuse: Callable[[Hashable, HeadwayError], object]) -> None:
        """Go on with another grant; what it does not cover ends.

        Args:
            refuse: called with each subscription that ended, and why.
        """
        narrowed = grant.narrow and not self.grant.narrow
        self.grant = grant
        for key, joined in tuple(self._subscriptions.items()):
            if isinstance(joined, list):
                feed = joined[0].feed
                try:
                    check(grant, Action.READ, feed.channel, feed.task)
                    if narrowed:
                        check_wide(grant)
                except HeadwayError as error:
                    self._leave(key)
                    refuse(key, error)

    def drained(self) -> None:
        """The link takes more again: give it what it missed."""
        for joined in tuple(self._subscriptions.values()):
            if isinstance(joined, list):
                for subscription in joined:
                    subscription.drained()

    def leave(self) -> None:
        """Follow nothing any more. Idempotent."""
        for key in tuple(self._subscriptions):
            self._leave(key)
        self._followers.left(self)

    def _note(self, wanted: Wanted) -> None:
        audit = self._followers.access.audit
        audit.total.subscriptions += 1
        audit.of(self.grant.user).subscriptions += 1
        audit.subscribed(self.grant.user, wanted.channel, wanted.task)

    def _leave(self, key: Hashable) -> None:
        joined = self._subscriptions.pop(key)
        if isinstance(joined, list):
            for subscription in joined:
                subscription.leave()
            audit = self._followers.access.audit
            audit.total.subscriptions -= 1
            audit.of(self.grant.user).subscriptions -= 1
        elif joined.task is not None:
            joined.task.cancel()

    async def _open(
        self, wanted: Wanted, opening: _Opening, refuse: Callable[[HeadwayError], object]
    ) -> None:
        grant = self.grant
        try:
            joined = await self._followers.open(wanted, grant, self._link)
        except HeadwayError as error:
            if self._subscriptions.get(wanted.key) is opening:
                del self._subscriptions[wanted.key]
                refuse(error)
            return
        if self._subscriptions.get(wanted.key) is opening:
            self._subscriptions[wanted.key] = joined
            self._note(wanted)
            if not self._link.full:
                # It can have drained between joining the task and joining its log.
                for subscription in joined:
                    subscription.drained()
            if self.grant is not grant:
                self.renew(self.grant, lambda _, error: refuse(error))
        else:
            for subscription in joined:
                subscription.leave()
