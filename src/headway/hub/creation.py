"""What producers make: tasks and notifications. Who repeats itself is given what is there."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from headway.errors import InvalidField, KeyReused, QuotaReached
from headway.hub.access import Access, Action
from headway.hub.channel import Channel
from headway.hub.ledger import Ledger
from headway.hub.liveness import Liveness
from headway.hub.lookup import note_id, notify_channel
from headway.hub.records import Records
from headway.hub.tellings import Tellings
from headway.hub.work import Work
from headway.model import report as r
from headway.model.channel import check_channel
from headway.model.grant import Grant
from headway.model.ids import check_id
from headway.model.notification import Notification, NotificationStatus, check_notification
from headway.model.progress import START, Tick, merge
from headway.model.rules import transition
from headway.model.task import Command, Task, TaskState, check_task
from headway.model.telling import as_telling

__all__ = ["Creation"]

MAX_NESTING = 32
_TAKEN = "This id is taken by another record; choose another id"
"""Nothing of what has it: that is for those who may see it."""


class Creation:
    """Makes new records, of what `Lookup` has brought into memory."""

    def __init__(
        self,
        records: Records,
        ledger: Ledger,
        liveness: Liveness,
        access: Access,
        tellings: Tellings,
        max_live: int,
    ) -> None:
        """Make nothing yet.

        Args:
            max_live: unfinished tasks in one channel; 0 for any number.
        """
        self._records = records
        self._ledger = ledger
        self._liveness = liveness
        self._access = access
        self._tellings = tellings
        self._max_live = max_live

    def task(self, grant: Grant, report: r.Create, work: Work) -> Task:
        """The task of a report: a new one, or the one that is there by its id or its key.

        Raises:
            HeadwayError: it may not be created, or not like this.
        """
        channel = check_channel(report.channel or grant.own_channel)
        self._access.check(grant, Action.PUBLISH, channel)
        check_id(report.task, "task")
        existing = work.task(report.task)
        if report.idempotency_key is not None:
            known = self._records.known_key(channel, report.idempotency_key)
            existing = (work.task(known) if known is not None else None) or existing
        if work.note(report.task) is not None:
            raise KeyReused(_TAKEN, task=report.task)
        if existing is not None:
            if existing.channel != channel:
                raise KeyReused(_TAKEN, task=report.task)
            return existing
        tick = Tick(total=report.total, unit=report.unit)
        progress, _ = merge(START, tick, (), work.now, work.now)
        task = check_task(
            Task(
                id=report.task,
                channel=channel,
                rev=0,
                title=report.title,
                kind=report.kind,
                state=TaskState.QUEUED,
                attempt=1,
                progress=progress,
                created_at=work.now,
                updated_at=work.now,
                tags=report.tags,
                meta=report.meta,
                parent=report.parent,
                weight=report.weight,
                steps=report.steps,
                lost_after=report.lost_after,
                notify=as_telling(report.notify),
            )
        )
        if task.parent is not None:
            parent = work.task(task.parent)
            if parent is None or parent.channel != channel:
                raise InvalidField("A parent is an existing task in the same channel", field="parent")
            self._check_nesting(task, parent, work)
        if self._max_live:
            self._make_room(self._records.channels[channel], task, work)
        task = replace(task, number=self._records.next_number())
        if report.start:
            task = transition(task, Command.START, work.now)
        if report.idempotency_key is not None:
            self._records.remember_key(channel, report.idempotency_key, task.id)
            work.changes.keys[task.id] = report.idempotency_key
        self._published(grant, "task", task, work)
        self._ledger.keep(work.changes, task, None, work.now, work.found, fact=True)
        self._liveness.watch(task)
        self._tellings.begun(work.changes, task, work.tellings, work.now)
        return task

    def notification(self, grant: Grant, report: r.Notify, work: Work) -> Notification:
        """The notification of a report: a new one, or the one that is there by its id or its key.

        Raises:
            HeadwayError: it may not be made, or not like this.
        """
        channel = check_channel(notify_channel(grant, report))
        self._access.check(grant, Action.PUBLISH, channel)
        which = note_id(report, channel)
        existing = work.note(which)
        if work.task(which) is not None:
            raise KeyReused(_TAKEN, id=which)
        if existing is not None:
            if existing.channel != channel:
                raise KeyReused(_TAKEN, id=which)
            return existing
        notification = check_notification(
            Notification(
                id=which,
                channel=channel,
                rev=0,
                title=report.title,
                status=NotificationStatus.UNREAD,
                created_at=work.now,
                updated_at=work.now,
                content=report.content,
                kind=report.kind,
                severity=report.severity,
                link=report.link,
                source=report.source,
                task=report.task,
                data=report.data,
            )
        )
        self._published(grant, "notification", notification, work)
        self._records.put(notification)
        work.changes.add(notification, fact=True)
        work.changes.announce(notification)
        return notification

    def _check_nesting(self, task: Task, parent: Task, work: Work) -> None:
        """A change of a task changes all that are above it, so there must be an end to them."""
        above: Task | None = parent
        for _ in range(MAX_NESTING):
            if above is None or task.id in {above.id, above.parent}:
                break
            above = None if above.parent is None else work.task(above.parent)
        if above is not None:
            raise InvalidField(
                f"Tasks stand in each other at most {MAX_NESTING} deep, and never in themselves",
                field="parent",
            )

    def _make_room(self, channel: Channel, task: Task, work: Work) -> None:
        """Unfinished tasks are in every snapshot and never let go of, so there must be an end to them too."""
        log, coming = channel.log, channel.coming
        if log.unfinished + len(coming) >= self._max_live:
            # Those that are shown by now were counted twice.
            unseen = sum(log.get(task_id) is None for task_id in coming)
            if log.unfinished + unseen >= self._max_live:
                raise QuotaReached(
                    f"There are {self._max_live} unfinished tasks in {channel.name}, as many as are allowed; "
                    "let some of them finish, or cancel them",
                    limit=self._max_live,
                )
        coming.add(task.id)
        work.coming.append((channel, task.id))

    def _published(self, grant: Grant, record: str, new: Task | Notification, work: Work) -> None:
        work.created = True
        audit = self._access.audit
        work.changes.afterwards.append(partial(audit.published, grant.user, record, new.id, new.channel))
