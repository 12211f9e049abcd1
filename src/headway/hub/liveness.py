"""Silence: a running task whose worker has said nothing for too long is `lost`, until the worker speaks again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from headway.errors import HeadwayError
from headway.hub.changes import Changes
from headway.hub.ledger import Ledger
from headway.hub.records import Records
from headway.hub.wheel import Wheel
from headway.model.rules import confirm_stopped, transition
from headway.model.task import Command, Task, TaskState

__all__ = ["Liveness"]

_RETRY = 5.0
_LOOK = 60.0
"""Seconds after which a task is looked at again at the latest, so that one that has ended is forgotten, however patient it was."""


class Liveness:
    """Watches running tasks, and cancelled ones whose workers have not confirmed; one turn for each at a time."""

    def __init__(
        self,
        records: Records,
        ledger: Ledger,
        wheel: Wheel,
        clock: Callable[[], int],
        lost_after: float,
    ) -> None:
        """Begin to watch.

        Args:
            lost_after: seconds of silence, for tasks that do not say themselves.
        """
        self._records = records
        self._ledger = ledger
        self._wheel = wheel
        self._clock = clock
        self._lost_after = lost_after
        # Workers need time to find a server that has just started.
        self._began = clock()
        self._watched: set[str] = set()
        self._losing: set[asyncio.Task[None]] = set()

    def watch(self, task: Task) -> None:
        """Take care of a task; does nothing for one that needs no care or has it already."""
        if task.id not in self._watched and _wants_care(task):
            self._watched.add(task.id)
            self._look_again(task.id, self._patience(task))

    def _look_again(self, task_id: str, seconds: float) -> None:
        self._wheel.schedule(min(seconds, _LOOK), partial(self._turn, task_id))

    def _patience(self, task: Task) -> float:
        return task.lost_after or self._lost_after

    def _turn(self, task_id: str) -> None:
        task = self._records.tasks.get(task_id)
        if task is None or not _wants_care(task):
            shown = self._records.at_hand(task_id)
            if shown is not None and _wants_care(shown):
                # Its end is on its way, and may not arrive.
                self._look_again(task_id, _RETRY)
            else:
                self._watched.discard(task_id)
            return
        silent = (self._clock() - max(task.seen_at or 0, self._began)) / 1000
        patience = self._patience(task)
        if silent < patience:
            self._look_again(task_id, patience - silent)
            return
        self._watched.discard(task_id)
        losing = asyncio.create_task(self._lose(task))
        self._losing.add(losing)
        losing.add_done_callback(self._losing.discard)

    async def _lose(self, task: Task) -> None:
        try:
            ancestors = await self._records.ancestors(task)
            # While they were read its worker can have spoken.
            newest = self._records.tasks.get(task.id)
            if newest is None or not _wants_care(newest) or newest.seen_at != task.seen_at:
                if newest is not None:
                    self.watch(newest)
                return
            now = self._clock()
            if newest.state is TaskState.RUNNING:
                after = transition(newest, Command.LOSE, now)
            else:
                after = confirm_stopped(newest, now)
            changes = Changes()
            self._ledger.keep(changes, after, newest, now, ancestors, fact=True)
            await self._ledger.commit(changes)
        except HeadwayError:
            if task.id not in self._watched:
                self._watched.add(task.id)
                self._look_again(task.id, _RETRY)


def _wants_care(task: Task) -> bool:
    return task.state is TaskState.RUNNING or task.stopping
