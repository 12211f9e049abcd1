"""A task as its job sees it: a context manager whose methods say how far it is.

No method raises because of a wrong value, a missing server or a full disk. The only thing that reaches the job is what
somebody asked for: `Cancelled`, and waiting while the task is paused. It must not know how reports travel.
"""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import Any, Self

from headway.model.progress import DETAIL_BYTES, MAX_AMOUNT, MESSAGE_CHARS, NAME_CHARS, UNIT_CHARS, Amount
from headway.model.report import (
    LOG_LINE_CHARS,
    MAX_LOG_LINES,
    Cancel,
    Create,
    Fail,
    Log,
    LogLine,
    Report,
    Result,
    Retry,
    Start,
    Stopped,
    Succeed,
)
from headway.model.task import ERROR_CHARS, RESULT_BYTES
from headway.worker import ambient, delivery, values
from headway.worker.live import Cancelled, Live

__all__ = ["TaskHandle"]

_LEVELS = ("debug", "info", "warning", "error")
_PLAIN = (int, float)


class TaskHandle:
    """One task, to be entered with `with` or `async with`; made by `headway.task` and `headway.attach`.

    Leaving the block normally makes the task succeed. An exception makes it fail with its message, and goes on. When
    the task is cancelled, the next report raises `Cancelled`, which leaves the block too; so does Ctrl-C, which
    cancels the task.

    Attributes:
        id: the task's id, to be handed to a page or to another worker.
        outer: the task that the code worked on when it entered this one.
    """

    def __init__(
        self, task: str, create: Create | None, attempt: int | None = None, outer: TaskHandle | None = None
    ) -> None:
        """Make a handle; nothing is reported before it is entered.

        Args:
            task: the id.
            create: how to create the task; None when it exists already.
            attempt: the one to work on; a later one than the first is begun by a retry.
            outer: the task in which this one runs: who cancels or pauses that one means this one too.
        """
        self.id = task
        self.outer: TaskHandle | None = None
        self.channel = None if create is None else create.channel
        total = None if create is None else create.total
        self.live: Live = Live(task, delivery.wake, None if outer is None else outer.live, total)
        self.ended = False
        self._create = create
        self._attempt = attempt
        self._pid = 0
        self._result: Any = None

    def __repr__(self) -> str:
        return f"<TaskHandle {self.id}{' ended' if self.ended else ''}>"

    @property
    def cancelled(self) -> bool:
        """Whether the task, or one around it, was cancelled."""
        return any(live.cancelled for live in self.live.lineage())

    @property
    def paused(self) -> bool:
        """Whether the task, or one around it, is paused."""
        return any(live.paused for live in self.live.lineage())

    def advance(self, n: Amount = 1) -> None:
        """So many more are done. Threads may call it at the same time.

        Raises:
            Cancelled: the task was cancelled.
        """
        if type(n) not in _PLAIN or not 0 <= n <= MAX_AMOUNT:
            n = self._amount(n, "advance") or 0
        live = self.live
        live.add(n)
        if live.attention:
            self.check()

    def progress(
        self,
        done: Amount | None = None,
        total: Amount | None = None,
        message: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """This much is done, of the current step if there are steps. What is left out stays.

        What is said by one call is one change: nobody sees the one without the other.

        Args:
            done: never goes down within a step; a smaller one is ignored.
            total: raised to `done` when that is beyond it.
            message: one line for a person, at most 1000 characters.
            detail: see `detail`.

        Raises:
            Cancelled: the task was cancelled.
        """
        if done is not None and (type(done) not in _PLAIN or not 0 <= done <= MAX_AMOUNT):
            done = self._amount(done, "done")
        if total is not None and (type(total) not in _PLAIN or not 0 <= total <= MAX_AMOUNT):
            total = self._amount(total, "total")
        if message is not None:
            message = values.text(message, MESSAGE_CHARS)
        if detail is not None:
            complaints: list[str] = []
            detail = values.json_object(detail, "detail", DETAIL_BYTES, complaints)
            delivery.complain(self.id, complaints)
        live = self.live
        live.put(done=done, total=total, message=message, detail=detail)
        if live.attention:
            self.check()

    def percent(self, percent: float, message: str | None = None) -> None:
        """This much of the whole is done, for jobs that know nothing else.

        Args:
            percent: 0 to 100.
            message: one line for a person.

        Raises:
            Cancelled: the task was cancelled.
        """
        complaints: list[str] = []
        self.live.put(
            percent=values.percent(percent, complaints),
            message=None if message is None else values.text(message, MESSAGE_CHARS),
        )
        self._done(complaints)

    def message(self, message: str) -> None:
        """What is going on, one line for a person.

        Raises:
            Cancelled: the task was cancelled.
        """
        self.live.put(message=values.text(message, MESSAGE_CHARS))
        self._done(())

    def step(
        self, name: str, *, weight: float | None = None, total: Amount | None = None, unit: str | None = None
    ) -> None:
        """Begin a step; amounts count from 0 again.

        Args:
            name: one that was announced, or another one, which is added.
            weight: its share of the whole; counts for a step that was not announced.
            total: amount of this step.
            unit: of the amounts.

        Raises:
            Cancelled: the task was cancelled.
        """
        complaints: list[str] = []
        name = values.text(name, NAME_CHARS)
        if name:
            self.live.enter(
                name,
                None if weight is None else values.weight(weight, complaints),
                values.amount(total, "total", complaints),
                None if unit is None else values.text(unit, UNIT_CHARS),
            )
        self._done(complaints)

    def detail(self, detail: dict[str, Any]) -> None:
        """A small JSON object of the job's own, shown beside the progress; the newest one counts.

        Raises:
            Cancelled: the task was cancelled.
        """
        complaints: list[str] = []
        self.live.put(detail=values.json_object(detail, "detail", DETAIL_BYTES, complaints))
        self._done(complaints)

    def log(self, text: str, level: str = "info") -> None:
        """Add to the task's log; each line of the text is one line there.

        Args:
            text: at most 4000 characters a line.
            level: `debug`, `info`, `warning` or `error`.

        Raises:
            Cancelled: the task was cancelled.
        """
        at = time.time_ns() // 1_000_000
        level = level if level in _LEVELS else "info"
        lines = values.text(text, MAX_LOG_LINES * LOG_LINE_CHARS).splitlines() or [""]
        self._say(
            Log(
                self.id,
                lines=tuple(
                    LogLine(values.text(line, LOG_LINE_CHARS), at, level) for line in lines[:MAX_LOG_LINES]
                ),
            )
        )
        self._done(())

    def result(self, value: Any) -> None:
        """What the task has produced so far; the newest one counts, and stays when the task ends.

        Args:
            value: a JSON value of at most 16384 bytes.

        Raises:
            Cancelled: the task was cancelled.
        """
        complaints: list[str] = []
        value = values.json_value(value, "result", RESULT_BYTES, complaints)
        if not complaints:
            self._say(Result(self.id, result=value))
        self._done(complaints)

    def check(self) -> None:
        """Wait here while the task is paused (not in a thread that runs an event loop: see `acheck`).

        Raises:
            Cancelled: the task was cancelled.
        """
        if not self.ended:
            self.live.attend()

    async def acheck(self) -> None:
        """Wait here while the task is paused, and let other coroutines go on.

        Raises:
            Cancelled: the task was cancelled.
        """
        if not self.ended:
            await self.live.attend_async()

    def succeed(self, result: Any = None) -> None:
        """End the task well before the block ends.

        Args:
            result: what it produced, see `result`.
        """
        complaints: list[str] = []
        if result is not None:
            result = values.json_value(result, "result", RESULT_BYTES, complaints)
            delivery.complain(self.id, complaints)
        self._end(Succeed(self.id, result=result))

    def fail(self, error: str | BaseException) -> None:
        """End the task as failed before the block ends.

        Args:
            error: why; an exception gives its type and message.
        """
        self._end(Fail(self.id, error=values.text(_reason(error), ERROR_CHARS)))

    def retry(self, reason: str | BaseException) -> None:
        """End this attempt, because the queue will try again: the task waits as `queued` for its next attempt.

        Args:
            reason: why, for the log; a text or an exception.
        """
        at = time.time_ns() // 1_000_000
        lines = tuple(
            LogLine(values.text(line, LOG_LINE_CHARS), at, "warning")
            for line in _reason(reason).splitlines()[:MAX_LOG_LINES]
        )
        self._end(Log(self.id, lines=lines), Retry(self.id, attempt=self._attempt or 1))

    def begin(self) -> Self:
        """Enter without making the task the ambient one; see `headway.track`."""
        self._pid = os.getpid()
        if not delivery.enabled():
            self.ended = True
            self.live.attention = False
            return self
        if self._create is not None:
            self._say(self._create)
        if self._attempt is not None and self._attempt > 1:
            # Both name the attempt they start from, so repeating them does not begin yet another one.
            self._say(Retry(self.id, attempt=self._attempt - 1), Start(self.id, attempt=self._attempt))
        elif self._create is None or not self._create.start:
            self._say(Start(self.id, attempt=self._attempt))
        delivery.courier().join(self.live)
        return self

    def end(self, error: BaseException | None) -> None:
        """End the task as a block does that is left by `error`, or normally."""
        if isinstance(error, SystemExit) and error.code in (None, 0):
            error = None
        if self.cancelled:
            self._end(*(() if self.live.cancelled else (Cancel(self.id),)), Stopped(self.id))
        elif error is None or isinstance(error, GeneratorExit):
            self._end(Succeed(self.id))
        elif isinstance(error, Cancelled | KeyboardInterrupt) or type(error).__name__ == "CancelledError":
            self._end(Cancel(self.id), Stopped(self.id))
        else:
            self.fail(error)

    def __enter__(self) -> Self:
        self.begin()
        ambient.enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ambient.leave(self)
        self.end(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _amount(self, value: Any, field: str) -> Amount | None:
        complaints: list[str] = []
        plain = values.amount(value, field, complaints)
        delivery.complain(self.id, complaints)
        return plain

    def _done(self, complaints: list[str] | tuple[()]) -> None:
        if complaints:
            delivery.complain(self.id, list(complaints))
        if self.live.attention:
            self.check()

    def _say(self, *reports: Report) -> None:
        if not self.ended:
            delivery.courier().report(*reports)

    def _end(self, *endings: Report) -> None:
        # Only the process that began a task ends it; a forked child may leave the same block.
        if self.ended or self._pid != os.getpid():
            return
        courier = delivery.courier()
        courier.leave(self.live)
        tick = self.live.sample()
        self._say(*endings) if tick is None else self._say(tick, *endings)
        self.ended = True
        self.live.close()


def _reason(error: str | BaseException) -> str:
    if not isinstance(error, BaseException):
        return values.text(error, ERROR_CHARS)
    kind = type(error).__name__
    said = values.text(error, ERROR_CHARS)
    return f"{kind}: {said}" if said else kind
