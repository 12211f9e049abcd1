"""A task: the record of one background job, and the transition table of its states."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from headway.errors import IllegalTransition, InvalidField
from headway.model.bounds import check_json, check_label, is_number
from headway.model.channel import check_channel
from headway.model.ids import check_id
from headway.model.progress import Progress, StepPlan, check_plan

__all__ = [
    "ERROR_CHARS",
    "KEPT_ATTEMPTS",
    "RESULT_BYTES",
    "TITLE_CHARS",
    "TRANSITIONS",
    "UNFINISHED",
    "Attempt",
    "Children",
    "Command",
    "Task",
    "TaskState",
    "Telling",
    "check_task",
    "next_state",
]

TITLE_CHARS = 300
KIND_CHARS = 64
MAX_TAGS = 20
TAG_CHARS = 64
META_BYTES = 4096
RESULT_BYTES = 16384
ERROR_CHARS = 4000
KEPT_ATTEMPTS = 5
MAX_WEIGHT = 1_000_000


class TaskState(StrEnum):
    """Where a task stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def terminal(self) -> bool:
        return self not in UNFINISHED


UNFINISHED = frozenset((TaskState.QUEUED, TaskState.RUNNING, TaskState.PAUSED, TaskState.LOST))


class Command(StrEnum):
    """What can happen to a task's state."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    SUCCEED = "succeed"
    FAIL = "fail"
    RETRY = "retry"
    LOSE = "lose"
    """Its worker fell silent."""
    REVIVE = "revive"
    """Its worker gave a sign of life: a tick, a log line or a heartbeat."""


_Q, _R, _P, _S, _F, _C, _L = TaskState
TRANSITIONS: dict[tuple[TaskState, Command], TaskState] = {
    (_Q, Command.START): _R,
    (_Q, Command.REVIVE): _R,
    (_Q, Command.CANCEL): _C,
    (_Q, Command.SUCCEED): _S,
    (_Q, Command.FAIL): _F,
    (_R, Command.REVIVE): _R,
    (_R, Command.PAUSE): _P,
    (_R, Command.CANCEL): _C,
    (_R, Command.SUCCEED): _S,
    (_R, Command.FAIL): _F,
    (_R, Command.RETRY): _Q,
    (_R, Command.LOSE): _L,
    (_P, Command.REVIVE): _P,
    (_P, Command.RESUME): _R,
    (_P, Command.CANCEL): _C,
    (_P, Command.SUCCEED): _S,
    (_P, Command.FAIL): _F,
    (_P, Command.RETRY): _Q,
    (_L, Command.START): _R,
    (_L, Command.REVIVE): _R,
    (_L, Command.CANCEL): _C,
    (_L, Command.SUCCEED): _S,
    (_L, Command.FAIL): _F,
    (_L, Command.RETRY): _Q,
    (_F, Command.RETRY): _Q,
    (_C, Command.RETRY): _Q,
}
"""Every legal transition. A command that asks for the state a task is in already changes nothing."""

WANTED: dict[Command, TaskState] = {
    Command.START: _R,
    Command.PAUSE: _P,
    Command.RESUME: _R,
    Command.CANCEL: _C,
    Command.SUCCEED: _S,
    Command.FAIL: _F,
    Command.RETRY: _Q,
    Command.LOSE: _L,
    Command.REVIVE: _R,
}


def next_state(state: TaskState, command: Command) -> TaskState:
    """The state after `command`; the same state when it is already the wanted one.

    Raises:
        IllegalTransition: the table has no such row; its details name both states.
    """
    after = TRANSITIONS.get((state, command))
    if after is not None:
        return after
    wanted = WANTED[command]
    if wanted is state:
        return state
    raise IllegalTransition(
        f"A task that is {state} cannot become {wanted} by {command}",
        state=state.value,
        wanted=wanted.value,
        command=command.value,
    )


class Telling(StrEnum):
    """When somebody is told that a task is over."""

    ALWAYS = "always"
    UNWATCHED = "unwatched"
    """Only who does not watch at that moment."""
    ONGOING = "ongoing"
    """By a notification that is there at once, follows the task, and becomes the message that it is over."""


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is left of an earlier attempt."""

    attempt: int
    state: TaskState
    percent: float | None = None
    error: str | None = None
    started_at: int | None = None
    finished_at: int | None = None


class Children(msgspec.Struct, frozen=True, omit_defaults=True):
    """The children of a task, added up, so that a group of any size costs the same to update.

    `points` is the sum over all children of weight times progress in hundredths of a percent; a child that has
    finished counts in full, however it finished. Whole numbers, so that taking a child out again is exact.
    """

    count: int = 0
    weight: int = 0
    points: int = 0
    queued: int = 0
    running: int = 0
    paused: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    lost: int = 0


class Task(msgspec.Struct, frozen=True, omit_defaults=True):
    """The record of one job. Times are Unix milliseconds.

    Attributes:
        id: exact, case counts.
        channel: where it lives, for good.
        rev: strictly increases within the channel; 0 before the record was published.
        kind: what it is (`dedup`, `audio`).
        attempt: counts from 1; a retry is the next one.
        steps: the plan; `progress.step` says where the task is.
        seen_at: the last sign of life of its worker.
        progressed_at: when `done` or `percent` last moved.
        stopping: it is cancelled, and its worker has not confirmed that it stopped.
        lost_after: seconds of silence until it counts as lost; the server's setting when None.
        earlier: the newest attempts before this one, at most five.
        weight: its share of its parent.
        notify: when the channel it lives in is told that it is over; None for never.
        number: a short id, for people and for clients that know only whole numbers: counts from 1 through all tasks of a
            deployment, and is never given twice. None before the record was published.
    """

    id: str
    channel: str
    rev: int
    title: str
    kind: str
    state: TaskState
    attempt: int
    progress: Progress
    created_at: int
    updated_at: int
    tags: tuple[str, ...] = ()
    meta: dict[str, Any] | None = None
    parent: str | None = None
    weight: int = 1
    steps: tuple[StepPlan, ...] = ()
    children: Children | None = None
    result: Any = None
    error: str | None = None
    started_at: int | None = None
    finished_at: int | None = None
    seen_at: int | None = None
    progressed_at: int | None = None
    stopping: bool = False
    lost_after: float | None = None
    earlier: tuple[Attempt, ...] = ()
    notify: Telling | None = None
    number: int | None = None


def check_task(task: Task) -> Task:
    """Return `task`, as somebody asked to create it: `meta` as JSON has it, each tag once.

    Raises:
        InvalidField: a field is out of bounds.
    """
    check_id(task.id)
    check_channel(task.channel)
    if not check_label(task.title, "title", TITLE_CHARS).strip():
        raise InvalidField(f"A title has 1 to {TITLE_CHARS} characters", field="title")
    check_label(task.kind, "kind", KIND_CHARS)
    tags = tuple(dict.fromkeys(task.tags))
    if len(tags) > MAX_TAGS or not all(check_label(tag, "tags", TAG_CHARS) for tag in tags):
        raise InvalidField(f"At most {MAX_TAGS} tags of 1 to {TAG_CHARS} characters", field="tags")
    meta = None if task.meta is None else check_json(task.meta, "meta", META_BYTES)
    if task.parent is not None:
        check_id(task.parent, "parent")
    # Whole, so that children add up exactly.
    if type(task.weight) is not int or not 1 <= task.weight <= MAX_WEIGHT:
        raise InvalidField(f"A weight is a whole number from 1 to {MAX_WEIGHT}", field="weight")
    if task.lost_after is not None and not (is_number(task.lost_after) and 1 <= task.lost_after <= 86_400):
        raise InvalidField("lost_after is a number of seconds from 1 to 86400", field="lost_after")
    check_plan(task.steps)
    return replace(task, meta=meta, tags=tags)
