"""What producers say: the reports of `POST /api/ingest`, one tagged struct each.

Every report may arrive twice (an answer can be lost on its way back) and does no harm the second time: creating
is idempotent by id, progress only goes forward, states are final, log lines carry their producer's number.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from headway.model.notification import Severity
from headway.model.progress import MAX_AMOUNT, StepPlan, Tick

__all__ = [
    "KEY_CHARS",
    "LOG_LINE_CHARS",
    "MAX_LOG_LINES",
    "MAX_REPORTS",
    "Batch",
    "BatchAnswer",
    "Beat",
    "Cancel",
    "Create",
    "Fail",
    "Log",
    "LogLine",
    "Notify",
    "Pause",
    "Rejected",
    "Report",
    "Result",
    "Resume",
    "Retry",
    "Start",
    "Stopped",
    "Succeed",
    "TickReport",
]

KEY_CHARS = 200
MAX_REPORTS = 2000
MAX_LOG_LINES = 500
LOG_LINE_CHARS = 4000

_Id = Annotated[str, Meta(max_length=64)]
# Stores keep these in 64 bits and as text without NUL; one number beyond that would fail a whole batch of writes.
_Count = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]
_Source = Annotated[str, Meta(max_length=64, pattern=r"^[^\0]*\Z")]
_Key = Annotated[str, Meta(min_length=1, max_length=KEY_CHARS, pattern=r"^[^\0]*\Z")]


class Create(msgspec.Struct, frozen=True, omit_defaults=True, tag="create"):
    """There is a new task. Without a channel it lives in the token's user's channel.

    Attributes:
        task: its id, chosen by the producer (a ULID, or a queue's own job id).
        start: it is running already.
        notify: who lives in the channel is told when the task is over: true or `always`, `unwatched`, `ongoing`.
    """

    task: _Id
    title: str
    kind: str = ""
    channel: str | None = None
    total: int | float | None = None
    unit: str | None = None
    tags: tuple[str, ...] = ()
    meta: dict[str, Any] | None = None
    parent: str | None = None
    weight: int = 1
    steps: tuple[StepPlan, ...] = ()
    lost_after: float | None = None
    idempotency_key: _Key | None = None
    start: bool = False
    notify: bool | str | None = None


class TickReport(Tick, frozen=True, omit_defaults=True, tag="progress", kw_only=True):
    """How far the task is; one of an earlier attempt is ignored."""

    task: _Id
    attempt: int | None = None


class _Command(msgspec.Struct, frozen=True, omit_defaults=True):
    task: _Id
    attempt: int | None = None


class Start(_Command, frozen=True, tag="start"):
    """A worker has begun."""


class Pause(_Command, frozen=True, tag="pause"):
    """Hold the task."""


class Resume(_Command, frozen=True, tag="resume"):
    """Let it go on."""


class Cancel(_Command, frozen=True, tag="cancel"):
    """End it."""


class Retry(_Command, frozen=True, tag="retry"):
    """Begin the next attempt."""


class Beat(_Command, frozen=True, tag="heartbeat"):
    """The worker is alive, with nothing new to say."""


class Stopped(_Command, frozen=True, tag="stopped"):
    """The worker of a cancelled task has stopped."""


class Succeed(_Command, frozen=True, omit_defaults=True, tag="succeed"):
    """It is done."""

    result: Any = None


class Fail(_Command, frozen=True, omit_defaults=True, tag="fail"):
    """It failed."""

    error: str = ""


class Result(_Command, frozen=True, omit_defaults=True, tag="result", kw_only=True):
    """A result before the end; the newest one counts."""

    result: Any


class LogLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a task's log.

    Attributes:
        at: Unix milliseconds.
        level: `debug`, `info`, `warning` or `error`.
    """

    text: str
    at: _Count | None = None
    level: str = "info"


class Log(_Command, frozen=True, omit_defaults=True, tag="log", kw_only=True):
    """Lines for the task's log.

    Attributes:
        source: names the producer; with `seq` it makes a repeated report harmless.
        seq: this source's number of the first line, counting from 0; the lines after it follow on.
    """

    lines: Annotated[tuple[LogLine, ...], Meta(max_length=MAX_LOG_LINES)]
    source: _Source | None = None
    seq: _Count | None = None


class Notify(msgspec.Struct, frozen=True, omit_defaults=True, tag="notify"):
    """A notification for a user (or a channel).

    Attributes:
        id: chosen by the producer; it follows from the key when there is one.
        idempotency_key: the same one twice in a channel is one notification.
    """

    id: _Id
    title: str
    user: str | None = None
    channel: str | None = None
    content: str = ""
    kind: str = ""
    severity: Severity = Severity.INFO
    link: str | None = None
    source: str | None = None
    task: str | None = None
    data: dict[str, Any] | None = None
    idempotency_key: _Key | None = None


Report = (
    Create
    | TickReport
    | Start
    | Pause
    | Resume
    | Cancel
    | Retry
    | Beat
    | Stopped
    | Succeed
    | Fail
    | Result
    | Log
    | Notify
)


class Batch(msgspec.Struct, frozen=True):
    """The body of `POST /api/ingest`, in the order in which things happened."""

    reports: Annotated[list[Report], Meta(max_length=MAX_REPORTS)]


class Rejected(msgspec.Struct, frozen=True):
    """A report that was refused; the others of its batch count all the same."""

    index: int
    code: int
    message: str
    retryable: bool = False


class BatchAnswer(msgspec.Struct, frozen=True):
    """The answer to a batch, given when every fact in it is durable.

    Attributes:
        accepted: how many reports were taken (repeated ones too).
        rejected: the others.
        tasks: `[state, attempt]` of each task that the batch named and this token may see; a worker reads
            `cancelled` and `paused` here.
    """

    accepted: int
    rejected: list[Rejected]
    tasks: dict[str, tuple[str, int]]
