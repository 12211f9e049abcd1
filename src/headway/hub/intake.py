"""What producers and people ask for becomes changes: access, then rules, then the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from headway.errors import Forbidden, HeadwayError, IllegalTransition, NotFound
from headway.hub.access import Access, Action, check, covers
from headway.hub.creation import Creation
from headway.hub.inbox import Inbox
from headway.hub.ledger import Ledger
from headway.hub.liveness import Liveness
from headway.hub.lookup import Lookup
from headway.hub.records import Records
from headway.hub.task_logs import TaskLogs
from headway.hub.tellings import Tellings
from headway.hub.work import Work, arrived
from headway.model import report as r
from headway.model.grant import Grant
from headway.model.notification import Notification
from headway.model.rules import advance, attach_result, beat, confirm_stopped, transition
from headway.model.task import Command, Task, TaskState

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
_CONTROL = frozenset((Command.PAUSE, Command.RESUME, Command.CANCEL, Command.RETRY))
# What a worker says before it has heard that the task is over; it learns that from the answer.
_LATE = (r.TickReport, r.Beat, r.Result)


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
        self._lookup = Lookup(records, logs, tellings)
        self._creation = Creation(records, ledger, liveness, access, tellings, max_live)

    async def batch(self, grant: Grant, batch: r.Batch) -> r.BatchAnswer:
        """Take a batch; returns when its facts are durable.

        Raises:
            StoreUnavailable: nothing of it was acknowledged.
        """
        work = Work(self._records, self._clock())
        await self._lookup.gather(grant, batch.reports, work)
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
        work = Work(self._records, self._clock())
        await self._lookup.gather(grant, (report,), work)
        work.now = self._clock()
        task = None if isinstance(report, r.Notify | r.Create) else work.task(report.task)
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

    async def _commit(self, work: Work) -> None:
        inboxes = self._inbox.expect(work.changes)
        if work.coming:
            work.changes.settled = partial(arrived, work.coming)
        await self._ledger.commit(work.changes)
        await self._inbox.fit(inboxes)

    def _apply(self, grant: Grant, report: r.Report, work: Work) -> Task | Notification:
        if isinstance(report, r.Create):
            return self._creation.task(grant, report, work)
        if isinstance(report, r.Notify):
            return self._creation.notification(grant, report, work)
        task = work.task(report.task)
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
            work.changes.afterwards.append(
                partial(audit.commanded, grant.user, command.value, task.channel, task.id)
            )
        return after

    def _report(self, task: Task, report: r.Report, command: Command | None, work: Work) -> Task:
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
            self._keep(task, after, work, fact=True)
            if after.state.terminal:
                self._tellings.ended(work.changes, after, work.tellings, now)
            return after
        if isinstance(report, r.TickReport):
            after = advance(task, report, now)
            # That it began (or came back) is a fact, however it was said.
            return self._keep(task, after, work, fact=after.state is not task.state)
        if isinstance(report, r.Beat):
            after = beat(task, now)
            return self._keep(task, after, work, fact=after.state is not task.state)
        if isinstance(report, r.Log):
            work.changes.logs += self._logs.append(task.id, report, now)
            if task.state is TaskState.LOST:
                return self._keep(task, beat(task, now), work, fact=True)
            return task
        if isinstance(report, r.Result):
            return self._keep(task, attach_result(task, report.result, now), work, fact=False)
        if isinstance(report, r.Stopped):
            after = confirm_stopped(task, now)
            return self._keep(task, after, work, fact=True) if after is not task else task
        raise AssertionError(report)

    def _keep(self, before: Task, after: Task, work: Work, *, fact: bool) -> Task:
        self._ledger.keep(work.changes, after, before, work.now, work.found, fact)
        self._liveness.watch(after)
        return after

    def _check_publish(self, grant: Grant, task: Task, work: Work) -> None:
        self._access.check(grant, Action.PUBLISH, task.channel, task.id)
        if covers(grant, task.channel):
            work.open.add(task.channel)

    def _states(self, grant: Grant, reports: Sequence[r.Report], work: Work) -> dict[str, tuple[str, int]]:
        states: dict[str, tuple[str, int]] = {}
        for report in reports:
            if isinstance(report, r.Notify) or report.task in states:
                continue
            task = work.task(report.task)
            if task is not None:
                if task.channel not in work.open:
                    try:
                        # It was refused, and noted, when it was applied.
                        check(grant, Action.PUBLISH, task.channel, task.id)
                    except (NotFound, Forbidden):
                        continue
                states[report.task] = (task.state.value, task.attempt)
        return states
