"""The hub: one per process, where changes meet subscriptions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import asdict

from headway.errors import IllegalTransition
from headway.hub.access import Access, Action, check_wide, covers, patterns
from headway.hub.arrears import Arrears
from headway.hub.audit import Audit
from headway.hub.changes import Changes
from headway.hub.follower import Follower
from headway.hub.followers import Followers
from headway.hub.inbox import Inbox
from headway.hub.intake import Intake
from headway.hub.ledger import Ledger
from headway.hub.liveness import Liveness
from headway.hub.log import Bounds
from headway.hub.outbox import Outbox
from headway.hub.records import Records
from headway.hub.task_logs import TaskLogs
from headway.hub.tellings import Revoked, Tellings
from headway.hub.upkeep import Retention, Upkeep
from headway.hub.wheel import Wheel
from headway.model.cursor import Cursor
from headway.model.grant import Grant
from headway.model.notification import Notification, NotificationStatus
from headway.model.report import Batch, BatchAnswer, Log, Report
from headway.model.task import Task, TaskState
from headway.ports.bus import Bus
from headway.ports.link import Link, Version
from headway.ports.store import LogEntry, Page, Store, TaskQuery

__all__ = ["Hub", "HubSettings", "unix_ms"]


class HubSettings(msgspec.Struct, frozen=True):
    """What can be set about a hub.

    Attributes:
        lost_after: seconds of silence until a running task counts as lost.
        max_subscriptions: of one client.
        max_live_tasks: unfinished tasks in one channel; 0 for any number.
    """

    lost_after: float = 30.0
    max_subscriptions: int = 200
    max_live_tasks: int = 0
    bounds: Bounds = Bounds()
    retention: Retention = Retention()


def unix_ms() -> int:
    """Now."""
    return time.time_ns() // 1_000_000


class Standing(NamedTuple):
    """How things stand in a channel: a cursor, the unfinished tasks as of it, and what changed since somebody was there."""

    cursor: Cursor
    tasks: list[Task]
    missed: list[Version]


class Hub:
    """Applies reports, answers requests, feeds links."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        settings: HubSettings | None = None,
        clock: Callable[[], int] = unix_ms,
        outbox: Outbox | None = None,
        audit: Audit | None = None,
        revoked: Revoked = lambda _user, _at: False,
    ) -> None:
        """Make a hub; `start` opens it.

        Args:
            clock: Unix milliseconds.
            outbox: is told of facts that go onward.
            audit: is told of who does what.
            revoked: says of whom everything was taken back.
        """
        self._store = store
        self._bus = bus
        self._settings = settings or HubSettings()
        self.clock = clock
        self.audit = audit or Audit()
        self._access = Access(self.audit)
        self._outbox = outbox
        self._revoked = revoked
        self.clients = 0
        self._upkeep_task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the store and the bus, and take over what they know.

        Raises:
            ConfigurationError: the store cannot be used.
        """
        self.wheel = Wheel(asyncio.get_running_loop())
        opened = await self._store.open()
        await self._bus.open(opened.ceiling, self._store.reserve)
        self.records = Records(self._store, self._settings.bounds, self.clock)
        self._logs = TaskLogs(self._store)
        self._arrears = Arrears(self._store, self.records, self.wheel)
        self._ledger = Ledger(self._store, self._bus, self.records, self._arrears, self._outbox)
        self._liveness = Liveness(
            self.records, self._ledger, self.wheel, self.clock, self._settings.lost_after
        )
        self._followers = Followers(
            self.records,
            self._logs,
            self._store,
            self.wheel,
            self._settings.max_subscriptions,
            self._arrears.flush,
            self._access,
        )
        self.inbox = Inbox(
            self.records,
            self._ledger,
            self._store,
            self.clock,
            self._access,
            self._settings.retention.notifications,
        )
        self.tellings = Tellings(
            self.records,
            self._ledger,
            self._store,
            self.clock,
            self._access,
            self._followers.watches,
            self._revoked,
        )
        self._intake = Intake(
            self.records,
            self._ledger,
            self._logs,
            self._liveness,
            self.clock,
            self._access,
            self.inbox,
            self.tellings,
            self._settings.max_live_tasks,
        )
        self._upkeep = Upkeep(
            self._store,
            self.records,
            self._ledger,
            self._arrears,
            self._logs,
            self._followers,
            self.inbox,
            self.clock,
            self._settings.retention,
        )
        await self.records.open(opened)
        await self.tellings.open()
        for task in self.records.tasks.values():
            self._liveness.watch(task)
        self._upkeep_task = asyncio.create_task(self._upkeep.run())

    async def stop(self) -> None:
        """Write what waits and let go of everything. Idempotent."""
        if self._upkeep_task is None:
            return
        self._upkeep_task.cancel()
        await asyncio.gather(self._upkeep_task, return_exceptions=True)
        self._upkeep_task = None
        await self._arrears.flush()
        self.wheel.stop()
        await self._bus.close()
        await self._store.close()

    @property
    def ready(self) -> bool:
        """Whether facts can be made durable, as far as is known."""
        return self._arrears.failure is None

    def follower(self, link: Link, grant: Grant) -> Follower:
        """A client begins; it follows nothing yet."""
        return Follower(self._followers, link, grant)

    def check(self, grant: Grant, action: Action, channel: str) -> None:
        """Allow an action in a channel, for doors whose words for it are none of ours; a refusal is noted.

        Raises:
            Forbidden: the grant does not cover the channel, or lacks the ability.
        """
        self._access.check(grant, action, channel)

    async def ingest(self, grant: Grant, batch: Batch) -> BatchAnswer:
        """Take a batch of reports; returns when its facts are durable.

        Raises:
            StoreUnavailable: nothing of it was acknowledged.
        """
        try:
            return await self._intake.batch(grant, batch)
        finally:
            # Its lines are there even when nobody waits for the answer any more.
            self._tell_logs(batch.reports)

    async def report(self, grant: Grant, report: Report) -> tuple[Task | Notification, bool]:
        """Take one report, and say what the record is now and whether this created it.

        Raises:
            HeadwayError: the report was refused.
        """
        try:
            return await self._intake.one(grant, report)
        finally:
            self._tell_logs((report,))

    async def file(self, grant: Grant, ids: Sequence[str] | None, status: NotificationStatus) -> int:
        """Mark notifications as read, unread or archived: these, or all of the grant's own for None.

        Returns:
            how many had another status until now.
        """
        if ids is None:
            return await self.inbox.file_all(grant, grant.own_channel, status)
        return await self.inbox.file(grant, ids, status)

    async def read(self, grant: Grant, ids: Sequence[str] | None) -> int:
        """Mark notifications as read; see `file`."""
        return await self.file(grant, ids, NotificationStatus.READ)

    async def unseen(self, notification_id: str) -> bool:
        """Whether a notification is there and still unread; for those who tell of it elsewhere after a while."""
        found = await self.records.find_notification(notification_id)
        return found is not None and found.status is NotificationStatus.UNREAD

    async def task(self, grant: Grant, task_id: str) -> Task:
        """One task.

        Raises:
            NotFound: there is none, or the grant does not cover it.
            Forbidden: the grant may not read.
        """
        task = await self.records.shown(task_id)
        if task is None:
            raise self._access.missing(grant, Action.READ, task_id)
        self._access.check(grant, Action.READ, task.channel, task.id)
        return task

    async def standing(
        self, grant: Grant, channels: Sequence[str], since: Mapping[str, Cursor] | None = None
    ) -> dict[str, Standing]:
        """How things stand in channels, all of them as of one moment.

        Args:
            since: where somebody was in some of them.

        Raises:
            Forbidden: the grant does not cover one of them, or may not read.
        """
        opened = []
        for name in channels:
            self._access.check(grant, Action.READ, name)
            opened.append(await self.records.channel(name))
        found = {}
        for channel in opened:
            log = channel.log
            shown = (version.record for version in log.all())
            tasks = [record for record in shown if isinstance(record, Task) and not record.state.terminal]
            was = self._followers.position((since or {}).get(channel.name))
            known = was is not None and log.floor <= was <= log.head
            missed = log.since(was) if known and was is not None else []
            found[channel.name] = Standing(Cursor(self.records.epoch, log.head), tasks, missed)
        return found

    def finished(self, task_id: str) -> bool:
        """Whether a task has finished, as clients can see it; one that is not at hand finished long ago."""
        task = self.records.tasks.get(task_id)
        shown = None if task is None else self.records.channels[task.channel].log.get(task_id)
        return shown is None or (isinstance(shown.record, Task) and shown.record.state.terminal)

    async def knows_the_end(self, task_id: str, cursor: Cursor | None) -> bool:
        """Whether a task has finished, and a client that has come so far has got its last state."""
        position = self._followers.position(cursor)
        task = await self.records.shown(task_id)
        return position is not None and task is not None and task.state.terminal and task.rev <= position

    async def tasks(self, grant: Grant, query: TaskQuery) -> Page:
        """A page of the tasks that the grant covers, whatever the query says of channels.

        Raises:
            Forbidden: the grant may not read.
        """
        self._access.check(grant, Action.READ, _first_channel(grant, query))
        page = await self._store.tasks(
            msgspec.structs.replace(query, channels=patterns(grant), tasks=grant.tasks)
        )
        # The store is a little behind on ticks; what clients see is newer.
        newest = tuple(self.records.at_hand(task.id) or task for task in page.tasks)
        return Page(newest, page.next)

    async def log(
        self, grant: Grant, task_id: str, offset: int, limit: int
    ) -> tuple[int, tuple[LogEntry, ...]]:
        """Lines of a task's log at or after `offset`, and where the next ones begin."""
        await self.task(grant, task_id)
        check_wide(grant)
        log = self._logs.get(task_id)
        if log is not None and offset >= log.start:
            entries = tuple(log.since(offset)[:limit])
        else:
            # Lines that are not at hand any more may still be on their way to the store.
            await self._arrears.flush()
            entries = await self._store.log(task_id, offset, limit)
        return (entries[-1].offset + 1 if entries else offset), entries

    async def remove(self, grant: Grant, task_id: str) -> None:
        """Remove a finished task for good.

        Raises:
            NotFound, Forbidden: see `access.check`.
            IllegalTransition: it has not finished.
        """
        task = await self.records.find(task_id)
        ancestors = {} if task is None else await self.records.ancestors(task)
        # While they were read, somebody else can have removed it.
        task = None if task is None else self.records.current(task)
        if task is None:
            raise self._access.missing(grant, Action.PUBLISH, task_id)
        self._access.check(grant, Action.PUBLISH, task.channel, task.id)
        if not task.state.terminal:
            raise IllegalTransition(
                "Only a finished task can be removed; cancel it first",
                state=task.state.value,
                wanted="removed",
            )
        changes = Changes()
        self._ledger.remove(changes, task, self.clock(), ancestors)
        self._logs.remove(changes, task_id)
        changes.afterwards.append(partial(self.audit.removed, grant.user, task.channel, task.id))
        await self._ledger.commit(changes)

    def open_channels(self, grant: Grant) -> list[str]:
        """Channels that this grant opens by name, its own first; for an administrator also those in use."""
        names = [] if grant.narrow else [grant.own_channel, "public"]
        names += [pattern for pattern in grant.channels if pattern not in names]
        if patterns(grant) is None:
            names += sorted(set(self.records.channels) - set(names))[:100]
        return names

    def stats(self, grant: Grant) -> dict[str, Any]:
        """Counts: of everything for an administrator, of what the grant covers and its user did for others."""
        everything = patterns(grant) is None
        states = dict.fromkeys((state.value for state in TaskState), 0)
        for task in self.records.tasks.values():
            if everything or covers(grant, task.channel, task.id):
                states[task.state.value] += 1
        counted = self.audit.total if everything else self.audit.of(grant.user)
        counts: dict[str, Any] = {
            "tasks": states,
            "subscriptions": self._followers.subscriptions(None if everything else grant.user),
            **asdict(counted),
        }
        if everything:
            counts |= {
                "channels": len(self.records.channels),
                "connections": self.clients,
                "changes": self._ledger.changed,
                "store_ready": self.ready,
            }
        return counts

    def _tell_logs(self, reports: Sequence[Report]) -> None:
        for report in reports:
            if isinstance(report, Log):
                self._followers.logged(report.task)


def _first_channel(grant: Grant, query: TaskQuery) -> str:
    """A channel of which a list may show something; a narrow grant has none of its own."""
    return query.channel or "" if grant.narrow else grant.own_channel
