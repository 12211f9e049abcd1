"""The state that a running job writes and the delivery thread reads, and the wishes that come back. No I/O.

A job only stores numbers and looks at one flag, `attention`; the delivery thread samples. So a report costs the job
next to nothing and no lock is shared between them while a loop counts. It must not know who samples.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from headway.model.progress import Amount
from headway.model.report import TickReport

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

__all__ = ["Cancelled", "Live"]

_FIELDS = ("done", "total", "unit", "percent", "message", "detail")
_PLACE = ("done", "total", "message")


class Cancelled(BaseException):
    """The task was cancelled; raised into the job by the next report it makes.

    It is a `BaseException`, like `asyncio.CancelledError`, so that an `except Exception` around one item of work does
    not swallow the wish to stop all of it.

    Attributes:
        task: the id of the task that was cancelled.
    """

    def __init__(self, task: str = "", reason: str = "the task was cancelled") -> None:
        super().__init__(reason)
        self.task = task


class Live:
    """One task that this process works on.

    Attributes:
        done, total, unit, percent, message, detail, step, weight: what is so, in plain values.
        pid: the process that began it.
        attention: the job is to call `attend` at its next opportunity.
        outer: the task in which this one runs; who cancels or pauses that one means this one too.
    """

    __slots__ = (
        "_armed",
        "_lock",
        "_resumed",
        "_told",
        "_waiters",
        "_wake",
        "attention",
        "cancelled",
        "detail",
        "done",
        "inner",
        "message",
        "outer",
        "paused",
        "percent",
        "pid",
        "step",
        "task",
        "total",
        "unit",
        "weight",
    )

    def __init__(
        self,
        task: str,
        wake: Callable[[Live], None],
        outer: Live | None = None,
        total: Amount | None = None,
    ) -> None:
        """Make the state of a task.

        Args:
            task: its id.
            wake: called in the job's thread when something changed and the delivery thread sleeps.
            outer: the task around it.
            total: the one it was created with.
        """
        self.task = task
        self.pid = os.getpid()
        self.done: Amount | None = None
        self.total = total
        self.unit: str | None = None
        self.percent: float | None = None
        self.message: str | None = None
        self.detail: dict[str, Any] | None = None
        self.step: str | None = None
        self.weight: float | None = None
        self.cancelled = False
        self.outer = outer
        self.inner: set[Live] = set()
        if outer is not None:
            outer.inner.add(self)
        self._wake = wake
        self._told: dict[str, Any] = {"total": total}
        self._waiters: list[tuple[AbstractEventLoop, Future[None]]] = []
        self.renew()

    def renew(self) -> None:
        """Forget locks that another thread may have held when the process forked."""
        self._lock = threading.RLock()
        self._resumed = threading.Event()
        self._waiters = []
        # A copy in a forked process has no heartbeat that would tell it to go on.
        self.paused = False
        self._armed = True
        self.attention = True

    # The job's side

    def add(self, amount: Amount) -> None:
        """Count up; threads may do so at the same time."""
        with self._lock:
            self.done = (self.done or 0) + amount

    def put(self, **fields: Any) -> None:
        """Set fields; None leaves one as it is."""
        with self._lock:
            for name, value in fields.items():
                if value is not None:
                    setattr(self, name, value)

    def enter(self, step: str, weight: float | None, total: Amount | None, unit: str | None) -> None:
        """Begin a step at 0; the same step again changes only what is given."""
        with self._lock:
            if step != self.step:
                self.step, self.weight = step, weight
                for name in _PLACE:
                    setattr(self, name, None)
            self.put(total=total, unit=unit)

    def attend(self) -> None:
        """Do what the delivery thread asked for: wake it, stop, or wait while paused.

        Raises:
            Cancelled: the task, or one around it, was cancelled.
        """
        held = self._answer()
        # A thread that runs an event loop must not be put to sleep; its tasks wait in `attend_async`.
        while held is not None and not _runs_a_loop():
            held.wait()
            held = self._answer()

    async def attend_async(self) -> None:
        """Like `attend`, for a coroutine: others go on while this one waits.

        Raises:
            Cancelled: see `attend`.
        """
        while (held := self._answer()) is not None:
            await held.wait_async()

    def wait(self) -> None:
        """Sleep while this very task is paused."""
        while self.paused and not self.cancelled:
            self._resumed.wait()

    async def wait_async(self) -> None:
        """Sleep while this very task is paused, and let the loop go on."""
        import asyncio

        loop = asyncio.get_running_loop()
        waiter: Future[None] = loop.create_future()
        self._waiters.append((loop, waiter))
        # Asked after the waiter is in place, so that a wish in between is not missed.
        if self.paused and not self.cancelled:
            await waiter

    def _answer(self) -> Live | None:
        self.attention = False
        if self._armed:
            self._armed = False
            self._wake(self)
        for live in self.lineage():
            if live.cancelled:
                self.attention = True
                raise Cancelled(live.task)
            if live.paused:
                self.attention = True
                return live
        return None

    def lineage(self) -> Iterator[Live]:
        """This task and those around it, innermost first."""
        live: Live | None = self
        while live is not None:
            yield live
            live = live.outer

    # The delivery thread's side

    def sample(self) -> TickReport | None:
        """What has changed since the last sample, or None."""
        with self._lock:
            told = self._told
            if self.step != told.get("step"):
                for name in _PLACE:
                    told.pop(name, None)
            changed = {
                name: value
                for name in _FIELDS
                if (value := getattr(self, name)) is not None and value != told.get(name)
            }
            if self.step is not None and self.step != told.get("step"):
                changed["step"] = self.step
                if self.weight is not None:
                    changed["weight"] = self.weight
            if not changed:
                return None
            told.update(changed)
        return TickReport(task=self.task, **changed)

    def arm(self) -> None:
        """Ask to be woken by the next change."""
        self._armed = True
        self.attention = True

    def told(self, state: str, superseded: bool = False) -> None:
        """The server says where the task stands."""
        self.cancelled = self.cancelled or state == "cancelled" or superseded
        self.paused = state == "paused" and not self.cancelled
        if self.cancelled or self.paused:
            self._alarm()
        if self.paused:
            self._resumed.clear()
            return
        self._resumed.set()
        waiters, self._waiters = self._waiters, []
        for loop, waiter in waiters:
            try:
                loop.call_soon_threadsafe(_release, waiter)
            except RuntimeError:
                continue  # that loop is closed, and with it whoever waited

    def close(self) -> None:
        """The task has ended here."""
        if self.outer is not None:
            self.outer.inner.discard(self)

    def _alarm(self) -> None:
        self.attention = True
        for live in list(self.inner):
            live._alarm()  # noqa: SLF001 - its own kind


def _runs_a_loop() -> bool:
    # asyncio takes longer to import than all of this package; who runs a loop has imported it.
    events = sys.modules.get("asyncio.events")
    return events is not None and events._get_running_loop() is not None  # noqa: SLF001 - documented for such use


def _release(waiter: Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
