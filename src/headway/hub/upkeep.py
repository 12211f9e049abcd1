"""What is done now and then so that nothing grows for ever: old tasks, idle channels, long logs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from headway.errors import HeadwayError
from headway.hub.arrears import Arrears
from headway.hub.changes import Changes
from headway.hub.followers import Followers
from headway.hub.inbox import Inbox
from headway.hub.ledger import Ledger
from headway.hub.records import Records
from headway.hub.task_logs import TaskLogs
from headway.model.task import Task
from headway.ports.store import Store

__all__ = ["Retention", "Upkeep"]

_log = logging.getLogger("headway.hub")

_ROUND = 30.0
_IDLE = 300.0
_BATCH = 500


class Retention(msgspec.Struct, frozen=True):
    """How long things are kept.

    Attributes:
        tasks: seconds that a finished task is kept.
        notifications: how many are kept of each channel, the newest.
        notification_age: seconds that a notification is kept.
        tombstones: seconds that its removal is remembered; who comes back later gets a fresh snapshot.
        log_lines: lines kept of each task's log.
    """

    tasks: float = 30 * 86_400.0
    notifications: int = 1000
    notification_age: float = 90 * 86_400.0
    tombstones: float = 7 * 86_400.0
    log_lines: int = 10_000


class Upkeep:
    """One round every half minute."""

    def __init__(
        self,
        store: Store,
        records: Records,
        ledger: Ledger,
        arrears: Arrears,
        logs: TaskLogs,
        followers: Followers,
        inbox: Inbox,
        clock: Callable[[], int],
        retention: Retention,
    ) -> None:
        self._store = store
        self._records = records
        self._ledger = ledger
        self._arrears = arrears
        self._logs = logs
        self._followers = followers
        self._inbox = inbox
        self._clock = clock
        self._retention = retention

    async def run(self) -> None:
        """Go on until cancelled; a round that fails is logged, and the next one tries again."""
        while True:
            await asyncio.sleep(_ROUND)
            try:
                await self.round()
            except HeadwayError as error:
                _log.warning("upkeep waits for the store: %s", error.message)
            except Exception:  # noqa: BLE001 - what grows for ever is worse than a round that fails
                _log.exception("upkeep failed")

    async def round(self) -> None:
        """Do what is due.

        Raises:
            StoreUnavailable: the store does not take writes.
        """
        now = self._clock()
        await self._expire(now)
        await self._inbox.expire(now - int(self._retention.notification_age * 1000))
        await self._store.forget(now - int(self._retention.tombstones * 1000))
        await self._store.purge(now)
        await self._trim_logs()
        self._let_go(now)

    async def _expire(self, now: int) -> None:
        before = now - int(self._retention.tasks * 1000)
        while expired := await self._store.expired(before, _BATCH):
            found: dict[str, Task] = {}
            for task in expired:
                await self._records.channel(task.channel)
                found |= await self._records.ancestors(task)
            changes = Changes()
            for task in expired:
                newest = self._records.current(task)
                # A retry may be on its way to the store.
                if newest is not None and newest.state.terminal:
                    self._ledger.remove(changes, newest, now, found)
                    self._logs.remove(changes, task.id)
            await self._ledger.commit(changes)
            if not changes.records:
                return

    async def _trim_logs(self) -> None:
        for task_id, log in self._logs.at_hand().items():
            below = log.end - self._retention.log_lines
            if below - log.trimmed > self._retention.log_lines // 10:
                await self._store.trim_log(task_id, below)
                log.trimmed = below
        # What the store has not got yet would be missing where the log goes on.
        owed = self._arrears.owed_logs()
        for task_id, log in self._logs.at_hand().items():
            if task_id in owed or self._followers.log_followed(task_id):
                continue
            if log.idle:
                self._logs.drop(task_id)
            log.idle = True

    def _let_go(self, now: int) -> None:
        for channel in tuple(self._records.channels.values()):
            self._ledger.trim(channel)
            if channel.followed or channel.waiting or self._ledger.owes(channel):
                channel.touched_at = now
            elif now - channel.touched_at > _IDLE * 1000 and not channel.log.unfinished:
                self._records.evict(channel)
