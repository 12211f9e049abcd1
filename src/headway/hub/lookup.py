"""Everything that a request names is brought into memory first, so that applying it never waits.

What is asked for here is not checked yet; but whoever may not use a channel must not make us hold it.
"""

from __future__ import annotations

from collections.abc import Sequence

from headway.errors import InvalidField
from headway.hub.access import covers
from headway.hub.records import Records
from headway.hub.task_logs import TaskLogs
from headway.hub.tellings import Tellings
from headway.hub.work import Work
from headway.model import report as r
from headway.model.channel import is_channel, user_channel
from headway.model.grant import Grant
from headway.model.ids import is_id
from headway.model.notification import keyed_id

__all__ = ["Lookup", "note_id", "notify_channel"]

_ENDINGS = (r.Succeed, r.Fail, r.Cancel)


class Lookup:
    """Reads what reports need."""

    def __init__(self, records: Records, logs: TaskLogs, tellings: Tellings) -> None:
        self._records = records
        self._logs = logs
        self._tellings = tellings

    async def gather(self, grant: Grant, reports: Sequence[r.Report], work: Work) -> None:
        """Bring into memory, or into `work`, what these reports name."""
        tasks = self._records.tasks
        new: set[str] = set()
        for report in reports:
            if isinstance(report, r.Notify):
                await self._for_notification(grant, report, work)
                continue
            task = tasks.get(report.task)
            if task is not None and not isinstance(report, r.Log):
                if task.parent is not None:
                    work.found |= await self._records.ancestors(task)
                continue
            if isinstance(report, r.Create):
                new.add(report.task)
                await self._for_creation(grant, report, work)
            await self._fetch(report.task, work)
            if isinstance(report, r.Log) and (report.task in new or work.task(report.task) is not None):
                await self._logs.open(report.task)
        await self._for_tellings(grant, reports, work)

    async def _for_tellings(self, grant: Grant, reports: Sequence[r.Report], work: Work) -> None:
        """What is needed to tell of tasks that end by this; last, since people may ask while others are looked up."""
        new: dict[str, str] = {}
        reading = True
        while reading:
            reading = False
            for report in reports:
                if isinstance(report, r.Create) and report.notify:
                    channel = report.channel or grant.own_channel
                    if is_id(report.task) and is_channel(channel) and covers(grant, channel):
                        new[report.task] = channel
                elif isinstance(report, _ENDINGS):
                    task = work.task(report.task)
                    reading |= task is not None and await self._tellings.look_up(task, work.tellings)
            while new:
                await self._tellings.look_up_new(*new.popitem(), work.tellings)

    async def _for_creation(self, grant: Grant, report: r.Create, work: Work) -> None:
        channel = await self._open(grant, report.channel or grant.own_channel)
        key = report.idempotency_key
        if channel is not None and key is not None:
            known = await self._records.find_by_key(channel, key)
            if known is not None:
                self._records.remember_key(channel, key, known.id)
                await self._fetch(known.id, work)
        if report.parent is not None:
            await self._fetch(report.parent, work)
        await self._fetch_note(report.task, work)

    async def _for_notification(self, grant: Grant, report: r.Notify, work: Work) -> None:
        try:
            channel = notify_channel(grant, report)
        except InvalidField:
            # Said again, and to its own producer alone, when it is applied.
            return
        which = note_id(report, channel)
        await self._open(grant, channel)
        await self._fetch_note(which, work)
        if work.note(which) is None:
            await self._fetch(which, work)

    async def _open(self, grant: Grant, channel: str) -> str | None:
        if not is_channel(channel) or not covers(grant, channel):
            return None
        await self._records.channel(channel)
        return channel

    async def _fetch(self, task_id: str, work: Work) -> None:
        if task_id not in work.found:
            task = await self._records.find(task_id)
            if task is not None:
                # What is in memory may be taken back while others are looked up; what was stored stays true.
                if task_id not in self._records.tasks:
                    work.found[task_id] = task
                work.found |= await self._records.ancestors(task)

    async def _fetch_note(self, notification_id: str, work: Work) -> None:
        found = await self._records.find_notification(notification_id)
        if found is not None and found.id not in self._records.notifications:
            work.notes[found.id] = found


def note_id(report: r.Notify, channel: str) -> str:
    """The id of what is reported: a key stands for one in its channel, and says nothing in any other."""
    if report.idempotency_key is None:
        return report.id
    return keyed_id(channel, report.idempotency_key)


def notify_channel(grant: Grant, report: r.Notify) -> str:
    """The channel of what is reported, by its name or by its user's; the grant's own when there is neither.

    Raises:
        InvalidField: both are said, or the user's name is none.
    """
    if report.channel is not None and report.user is not None:
        raise InvalidField("A notification is for a user or for a channel, not both", field="user")
    if report.user is not None:
        return user_channel(report.user)
    return report.channel or grant.own_channel
