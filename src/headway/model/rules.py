"""How a task answers what happens to it. Each rule takes a task and gives the next one; none has side effects."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from headway.errors import IllegalTransition
from headway.model.bounds import check_json, readable
from headway.model.progress import START, Progress, Tick, merge
from headway.model.task import (
    ERROR_CHARS,
    KEPT_ATTEMPTS,
    RESULT_BYTES,
    Attempt,
    Children,
    Command,
    Task,
    TaskState,
    next_state,
)

__all__ = ["adopt", "advance", "attach_result", "beat", "confirm_stopped", "transition"]

_RUNNING, _QUEUED = TaskState.RUNNING, TaskState.QUEUED


def transition(
    task: Task, command: Command, now: int, *, result: Any = None, error: str | None = None
) -> Task:
    """Carry out a command.

    Args:
        now: Unix milliseconds.
        result: what the task produced, with `succeed`; a JSON value of at most 16384 bytes.
        error: why it failed, with `fail`; cut at 4000 characters.

    Returns:
        the next record, or the very same object when the task is already where the command leads.

    Raises:
        IllegalTransition: the table forbids it.
        InvalidField: the result is too large, or no JSON.
    """
    state = next_state(task.state, command)
    if state is task.state:
        return task
    progress = task.progress
    if command is Command.RETRY:
        return _retry(task, now)
    if state is TaskState.LOST:
        return replace(task, state=state, updated_at=now)
    if state.terminal:
        if state is TaskState.SUCCEEDED:
            progress = _complete(progress)
            result = task.result if result is None else check_json(result, "result", RESULT_BYTES)
        else:
            progress = _without_forecast(progress)
            result = task.result
        return replace(
            task,
            state=state,
            progress=progress,
            result=result,
            error=readable((error or "")[:ERROR_CHARS]) if state is TaskState.FAILED else None,
            # What is cancelled while it waits has never begun.
            started_at=task.started_at or (None if state is TaskState.CANCELLED else now),
            finished_at=now,
            updated_at=now,
            # Only a worker that has spoken can confirm that it stopped.
            stopping=state is TaskState.CANCELLED and task.seen_at is not None and task.state is not _QUEUED,
        )
    if state is TaskState.PAUSED:
        return replace(task, state=state, progress=_without_forecast(progress), updated_at=now)
    return replace(
        task,
        state=state,
        started_at=task.started_at or now,
        # The time in which nothing could be done must not count against the rate.
        progressed_at=now,
        seen_at=now if command is not Command.RESUME else task.seen_at,
        updated_at=now,
    )


def advance(task: Task, tick: Tick, now: int) -> Task:
    """Merge a tick; a queued task starts by it and a lost one comes back.

    Raises:
        IllegalTransition: the task has finished.
        InvalidField, ProgressBackwards: see `progress.merge`.
    """
    state = task.state
    if state is not _RUNNING:
        if state.terminal:
            raise IllegalTransition(
                f"A task that is {state} takes no progress", state=state.value, wanted=_RUNNING.value
            )
        task = transition(task, Command.REVIVE, now)
    old = task.progress
    began = task.started_at or now
    progress, plan = merge(old, tick, task.steps, now, task.progressed_at or began, began)
    moved = progress.done != old.done or progress.percent != old.percent or progress.step is not old.step
    return replace(
        task,
        progress=progress,
        steps=plan,
        seen_at=now,
        progressed_at=now if moved else task.progressed_at,
        updated_at=now,
    )


def beat(task: Task, now: int) -> Task:
    """Take note of a sign of life: a lost task comes back, a queued one starts."""
    if task.state.terminal:
        return task
    return replace(transition(task, Command.REVIVE, now), seen_at=now, updated_at=now)


def confirm_stopped(task: Task, now: int) -> Task:
    """The worker of a cancelled task has stopped."""
    return replace(task, stopping=False, updated_at=now) if task.stopping else task


def attach_result(task: Task, result: Any, now: int) -> Task:
    """Show a (partial) result before the task finishes.

    Raises:
        IllegalTransition: the task has finished.
        InvalidField: the result is too large, or no JSON.
    """
    if task.state.terminal:
        raise IllegalTransition(
            f"A task that is {task.state} takes no result", state=task.state.value, wanted=_RUNNING.value
        )
    return replace(task, result=check_json(result, "result", RESULT_BYTES), updated_at=now)


def adopt(parent: Task, before: Task | None, after: Task | None, now: int) -> Task:
    """Bring a parent up to date with one child.

    Args:
        before: the child as the parent knew it, or None when it is new.
        after: the child as it is now, or None when it was removed.
    """
    children = parent.children or Children()
    counts = {field: getattr(children, field) for field in Children.__struct_fields__}
    for child, sign in ((before, -1), (after, 1)):
        if child is not None:
            counts["count"] += sign
            counts["weight"] += sign * child.weight
            counts["points"] += sign * child.weight * _points(child)
            counts[child.state.value] += sign
    children = Children(**counts)
    if children == parent.children:
        return parent
    progress = parent.progress
    # A parent that counts for itself is believed; otherwise its children are its progress.
    if progress.total is None and not parent.steps and not parent.state.terminal and children.weight:
        percent = max(round(children.points / children.weight / 100, 2), progress.percent or 0.0)
        progress = replace(progress, percent=percent)
    return replace(parent, children=children, progress=progress, updated_at=now)


def _points(child: Task) -> int:
    return 10_000 if child.state.terminal else round((child.progress.percent or 0.0) * 100)


def _retry(task: Task, now: int) -> Task:
    past = Attempt(
        attempt=task.attempt,
        state=task.state,
        percent=task.progress.percent,
        error=task.error,
        started_at=task.started_at,
        finished_at=task.finished_at or now,
    )
    return replace(
        task,
        state=_QUEUED,
        attempt=task.attempt + 1,
        progress=_afresh(task),
        earlier=(*task.earlier, past)[-KEPT_ATTEMPTS:],
        result=None,
        error=None,
        started_at=None,
        finished_at=None,
        seen_at=None,
        progressed_at=None,
        stopping=False,
        updated_at=now,
    )


def _afresh(task: Task) -> Progress:
    """How much there is to do stays known; with steps, `total` was only that of the last one."""
    old = task.progress
    if old.total is None or task.steps:
        return replace(START, unit=old.unit)
    return replace(START, unit=old.unit, total=old.total, percent=0.0 if old.total else None)


def _complete(progress: Progress) -> Progress:
    done = progress.done if progress.total is None else progress.total
    step = progress.step
    return replace(_without_forecast(progress), done=done, percent=100.0, step=step)


def _without_forecast(progress: Progress) -> Progress:
    return replace(progress, rate=None, eta=None, speed=None)
