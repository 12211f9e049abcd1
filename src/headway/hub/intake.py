"""What producers and people ask for becomes changes: access, then rules, then the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from headway.errors import (
    Forbidden,
    HeadwayError,
    IllegalTransition,
    InvalidField,
    KeyReused,
    NotFound,
    QuotaReached,
)
from headway.hub.access import Access, Action, check, covers
from headway.hub.inbox import Inbox
from headway.hub.ledger import Changes, Ledger
from headway.hub.liveness import Liveness
from headway.hub.records import Records
from headway.hub.task_logs import TaskLogs
from headway.hub.tellings import Ready, Tellings
from headway.model import report as r
from headway.model.channel import check_channel, is_channel, user_channel
from headway.model.grant import Grant
from headway.model.ids import check_id, is_id
from headway.model.notification import Notification, NotificationStatus, check_notification, keyed_id
from headway.model.progress import START, Tick, merge
from headway.model.rules import advance, attach_result, beat, confirm_stopped, transition
from headway.model.task import Command, Task, TaskState, check_task
from headway.model.telling import as_telling

__all__ = ["Intake"]

_COMMANDS: dict[type, Command] = {
    r.Start: Command.START,
    r.Pause: Command.PAUSE,
    r.Resume: Command.RESUME,
    r.Cancel: Command.CANCEL,
    r.Retry: Command.RETRY,
    r.Succeed: Command.SUCCEED,
    r.Fail: Command.FAIL,
}
_TAKEN = "This id is taken by another record; choose another id"
"""Nothing of what has it: that is for those who may see it."""
MAX_NESTING = 32
_CONTROL = frozenset((Command.PAUSE, Command.RESUME, Command.CANCEL, Command.RETRY))
# What a worker says before it has heard that the task is over; it learns that from the answer.
_LATE = (r.TickReport, r.Beat, r.Result)
_ENDINGS = (r.Succeed, r.Fail, r.Cancel)


class _Work:
    """One request on its way: what was looked up for it, and what it has changed."""

    __slots__ = ("changes", "coming", "created", "found", "notes", "now", "open", "tellings", "told")

    def __init__(self, now: int) -> None:
        self.now = now
        self.changes = Changes()
        self.found: dict[str, Task] = {}
        self.notes: dict[str, Notification] = {}
        self.tellings: Ready = {}
        # Channels in which the grant may publish whatever there is.
        self.open: set[str] = set()
        self.created = False
        # New tasks of this request by channel; those of others show as soon as they are durable.
        self.coming: dict[str, int] = {}
        # What the audit is told as soon as it is durable.
        self.told: list[Callable[[], None]] = []


class Intake:
    """Takes reports. Each is checked and applied by itself; one that is refused does not touch the others."""

    def __init__(
        self,
        records: Records,
        ledger: Ledger,
        logs: TaskLogs,
        liveness: Liveness,
        clock: Callable[[], int],
        access: Access,
        inbox: Inbox,
        tellings: Tellings,
        max_live: int = 0,
    ) -> None:
        """Take reports.

        Args:
            max_live: unfinished tasks in one channel; 0 for any number.
        """
        self._records = records
        self._ledger = ledger
        self._logs = logs
        self._liveness = liveness
        self._clock = clock
        self._access = access
        self._inbox = inbox
        self._tellings = tellings
        self._max_live = max_live

    async def batch(self, grant: Grant, batch: r.Batch) -> r.BatchAnswer:
        """Take a batch; returns when its facts are durable.

        Raises:
            StoreUnavailable: nothing of it was acknowledged.
        """
        work = _Work(self._clock())
        await self._look_up(grant, batch.reports, work)
        work.now = self._clock()
        rejected = []
        named = work.changes.named
        for index, report in enumerate(batch.reports):
            try:
                named.add(self._apply(grant, report, work).id)
            except HeadwayError as error:
                rejected.append(r.Rejected(index, error.code, error.message, error.retryable))
        # Before the commit: it waits for what is said here, and not for what others do meanwhile.
        states = self._states(grant, batch.reports, work)
        await self._commit(work)
        return r.BatchAnswer(len(batch.reports) - len(rejected), rejected, states)

    async def one(self, grant: Grant, report: r.Report) -> tuple[Task | Notification, bool]:
        """Take one report; unlike in a batch, one that comes too late is refused too.

        Returns:
            the record now, and whether it was created by this.

        Raises:
            HeadwayError: the report was refused.
        """
        work = _Work(self._clock())
        await self._look_up(grant, (report,), work)
        work.now = self._clock()
        task = None if isinstance(report, r.Notify | r.Create) else self._task(report.task, work)
        if task is not None and isinstance(report, _LATE) and task.state.terminal:
            # Access comes first: a state is nothing that a stranger may learn.
            self._access.check(grant, Action.PUBLISH, task.channel, task.id)
            raise IllegalTransition(
                f"A task that is {task.state} takes no more reports",
                state=task.state.value,
                wanted=TaskState.RUNNING.value,
            )
        record = self._apply(grant, report, work)
        work.changes.named.add(record.id)
        await self._commit(work)
        own = work.changes.records.get(record.channel, {}).get(record.id)
        newest = own or self._records.tasks.get(record.id) or self._records.notifications.get(record.id)
        return newest or record, work.created  # type: ignore[return-value]

    async def _commit(self, work: _Work) -> None:
        await self._ledger.commit(work.changes)
        self._tellings.settled(work.changes)
        for tell in work.told:
            tell()
        await self._inbox.fit(work.changes)

    async def _look_up(self, grant: Grant, reports: Sequence[r.Report], work: _Work) -> None:
        """Bring everything that the reports name into memory, so that applying them never waits."""
        tasks = self._records.tasks
        new: set[str] = set()
        for report in reports:
            if isinstance(report, r.Notify):
                await self._look_up_notification(grant, report, work)
                continue
            task = tasks.get(report.task)
            if task is not None and not isinstance(report, r.Log):
                if task.parent is not None:
                    work.found |= await self._records.ancestors(task)
                continue
            if isinstance(report, r.Create):
                new.add(report.task)
                await self._look_up_creation(grant, report, work)
            await self._fetch(report.task, work)
            if isinstance(report, r.Log) and (
                report.task in new or self._task(report.task, work) is not None
            ):
                await self._logs.open(report.task)
        await self._look_up_tellings(grant, reports, work)

    async def _look_up_tellings(self, grant: Grant, reports: Sequence[r.Report], work: _Work) -> None:
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
                    task = self._task(report.task, work)
                    reading |= task is not None and await self._tellings.look_up(task, work.tellings)
            while new:
                await self._tellings.look_up_new(*new.popitem(), work.tellings)

    async def _look_up_creation(self, grant: Grant, report: r.Create, work: _Work) -> None:
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

    async def _look_up_notification(self, grant: Grant, report: r.Notify, work: _Work) -> None:
        try:
            channel = _notify_channel(grant, report)
        except InvalidField:
            # Said again, and to its own producer alone, when it is applied.
            return
        note_id = _note_id(report, channel)
        await self._open(grant, channel)
        await self._fetch_note(note_id, work)
        if note_id not in work.notes and self._records.notifications.get(note_id) is None:
            await self._fetch(note_id, work)

    async def _open(self, grant: Grant, channel: str) -> str | None:
        # Whoever may not use a channel must not make us hold it.
        if not is_channel(channel) or not covers(grant, channel):
            return None
        await self._records.channel(channel)
        return channel

    async def _fetch(self, task_id: str, work: _Work) -> None:
        if task_id not in work.found:
            task = await self._records.find(task_id)
            if task is not None:
                # What is in memory may be taken back while others are looked up; what was stored stays true.
                if task_id not in self._records.tasks:
                    work.found[task_id] = task
                work.found |= await self._records.ancestors(task)

    async def _fetch_note(self, notification_id: str, work: _Work) -> None:
        found = await self._records.find_notification(notification_id)
        if found is not None and found.id not in self._records.notifications:
            work.notes[found.id] = found

    def _note(self, notification_id: str, work: _Work) -> Notification | None:
        return self._records.notifications.get(notification_id) or work.notes.get(notification_id)

    def _task(self, task_id: str, work: _Work) -> Task | None:
        return self._records.tasks.get(task_id) or work.found.get(task_id)

    def _apply(self, grant: Grant, report: r.Report, work: _Work) -> Task | Notification:
        if isinstance(report, r.Create):
            return self._create(grant, report, work)
        if isinstance(report, r.Notify):
            return self._notify(grant, report, work)
        task = self._records.tasks.get(report.task) or work.found.get(report.task)
        command = _COMMANDS.get(type(report))
        controls = command is not None and command in _CONTROL
        if task is None:
            action = Action.CONTROL if controls else Action.PUBLISH
            raise self._access.missing(grant, action, report.task)
        if controls:
            self._access.check(grant, Action.CONTROL, task.channel, task.id)
        elif task.channel not in work.open:
            self._check_publish(grant, task, work)
        if report.attempt is not None and report.attempt != task.attempt:
            return task
        if task.state.terminal and isinstance(report, _LATE):
            return task
        after = self._report(task, report, command, work)
        if controls and command is not None and after is not task:
            audit = self._access.audit
            work.told.append(partial(audit.commanded, grant.user, command.value, task.channel, task.id))
        return after

    def _report(self, task: Task, report: r.Report, command: Command | None, work: _Work) -> Task:
        now = work.now
        if command is not None:
            after = transition(
                task,
                command,
                now,
                result=report.result if isinstance(report, r.Succeed) else None,
                error=report.error if isinstance(report, r.Fail) else None,
            )
            if after is task:
                return task
            self._keep(after, work, fact=True)
            if after.state.terminal:
                self._tellings.ended(work.changes, after, work.tellings, now)
            return after
        if isinstance(report, r.TickReport):
            after = advance(task, report, now)
            # That it began (or came back) is a fact, however it was said.
            return self._keep(after, work, fact=after.state is not task.state)
        if isinstance(report, r.Beat):
            after = beat(task, now)
            return self._keep(after, work, fact=after.state is not task.state)
        if isinstance(report, r.Log):
            work.changes.logs += self._logs.append(task.id, report, now)
            if task.state is TaskState.LOST:
                return self._keep(beat(task, now), work, fact=True)
            return task
        if isinstance(report, r.Result):
            return self._keep(attach_result(task, report.result, now), work, fact=False)
        if isinstance(report, r.Stopped):
            after = confirm_stopped(task, now)
            return self._keep(after, work, fact=True) if after is not task else task
        raise AssertionError(report)

    def _create(self, grant: Grant, report: r.Create, work: _Work) -> Task:
        channel = check_channel(report.channel or grant.own_channel)
        self._access.check(grant, Action.PUBLISH, channel)
        check_id(report.task, "task")
        existing = self._task(report.task, work)
        if report.idempotency_key is not None:
            known = self._records.known_key(channel, report.idempotency_key)
            existing = (self._task(known, work) if known is not None else None) or existing
        if self._note(report.task, work) is not None:
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
            parent = self._task(task.parent, work)
            if parent is None or parent.channel != channel:
                raise InvalidField("A parent is an existing task in the same channel", field="parent")
            self._check_nesting(task, parent, work)
        self._check_room(channel, work)
        task = replace(task, number=self._records.next_number())
        if report.start:
            task = transition(task, Command.START, work.now)
        if report.idempotency_key is not None:
            self._records.remember_key(channel, report.idempotency_key, task.id)
            work.changes.keys[task.id] = report.idempotency_key
        work.created = True
        audit = self._access.audit
        work.told.append(partial(audit.published, grant.user, "task", task.id, channel))
        self._keep(task, work, fact=True)
        self._tellings.begun(work.changes, task, work.tellings, work.now)
        return task

    def _notify(self, grant: Grant, report: r.Notify, work: _Work) -> Notification:
        channel = check_channel(_notify_channel(grant, report))
        self._access.check(grant, Action.PUBLISH, channel)
        note_id = _note_id(report, channel)
        existing = self._note(note_id, work)
        if self._task(note_id, work) is not None:
            raise KeyReused(_TAKEN, id=note_id)
        if existing is not None:
            if existing.channel != channel:
                raise KeyReused(_TAKEN, id=note_id)
            return existing
        notification = check_notification(
            Notification(
                id=note_id,
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
        work.created = True
        audit = self._access.audit
        work.told.append(partial(audit.published, grant.user, "notification", notification.id, channel))
        self._records.put(notification)
        work.changes.add(notification, fact=True)
        work.changes.announce(notification)
        return notification

    def _keep(self, task: Task, work: _Work, *, fact: bool) -> Task:
        before = self._records.tasks.get(task.id) or work.found.get(task.id)
        self._ledger.keep(work.changes, task, before, work.now, work.found, fact)
        self._liveness.watch(task)
        return task

    def _check_nesting(self, task: Task, parent: Task, work: _Work) -> None:
        """A change of a task changes all that are above it, so there must be an end to them."""
        above: Task | None = parent
        for _ in range(MAX_NESTING):
            if above is None or task.id in {above.id, above.parent}:
                break
            above = None if above.parent is None else self._task(above.parent, work)
        if above is not None:
            raise InvalidField(
                f"Tasks stand in each other at most {MAX_NESTING} deep, and never in themselves",
                field="parent",
            )

    def _check_room(self, channel: str, work: _Work) -> None:
        """Unfinished tasks are in every snapshot and never let go of, so there must be an end to them too."""
        if not self._max_live:
            return
        coming = work.coming.get(channel, 0)
        if self._records.channels[channel].log.unfinished + coming >= self._max_live:
            raise QuotaReached(
                f"There are {self._max_live} unfinished tasks in {channel}, as many as are allowed; "
                "let some of them finish, or cancel them",
                limit=self._max_live,
            )
        work.coming[channel] = coming + 1

    def _check_publish(self, grant: Grant, task: Task, work: _Work) -> None:
        self._access.check(grant, Action.PUBLISH, task.channel, task.id)
        if covers(grant, task.channel):
            work.open.add(task.channel)

    def _states(self, grant: Grant, reports: Sequence[r.Report], work: _Work) -> dict[str, tuple[str, int]]:
        states: dict[str, tuple[str, int]] = {}
        for report in reports:
            if isinstance(report, r.Notify) or report.task in states:
                continue
            task = self._task(report.task, work)
            if task is not None:
                if task.channel not in work.open:
                    try:
                        # It was refused, and noted, when it was applied.
                        check(grant, Action.PUBLISH, task.channel, task.id)
                    except (NotFound, Forbidden):
                        continue
                states[report.task] = (task.state.value, task.attempt)
        return states


def _note_id(report: r.Notify, channel: str) -> str:
    """The id of what is reported: a key stands for one in its channel, and says nothing in any other."""
    if report.idempotency_key is None:
        return report.id
    return keyed_id(channel, report.idempotency_key)


def _notify_channel(grant: Grant, report: r.Notify) -> str:
    if report.channel is not None and report.user is not None:
        raise InvalidField("A notification is for a user or for a channel, not both", field="user")
    if report.user is not None:
        return user_channel(report.user)
    return report.channel or grant.own_channel
