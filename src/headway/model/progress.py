"""Progress of one attempt: how far, how fast, how much longer; and the merge that never goes backwards."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from headway.errors import InvalidField, ProgressBackwards
from headway.model.bounds import check_json, check_text, is_number

__all__ = [
    "DETAIL_BYTES",
    "MAX_AMOUNT",
    "MAX_STEPS",
    "MESSAGE_CHARS",
    "NAME_CHARS",
    "START",
    "UNIT_CHARS",
    "Amount",
    "Progress",
    "Step",
    "StepPlan",
    "Tick",
    "check_plan",
    "merge",
]

Amount = int | float

MAX_AMOUNT = 2**53 - 1
MAX_STEPS = 100
MESSAGE_CHARS = 1000
NAME_CHARS = 200
UNIT_CHARS = 32
DETAIL_BYTES = 4096

_ETA_AFTER = 1000
"""Milliseconds of an attempt before which no end is foretold."""
_RATE_MEMORY = 15.0
"""Seconds over which the rate forgets: long enough to be calm, short enough to follow a change of pace."""


class StepPlan(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One planned step: its name and its share of the whole."""

    name: str
    weight: float = 1.0


class Step(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Where the task is among its steps; `index` counts from 1, `started_at` is Unix milliseconds."""

    index: int
    of: int
    name: str
    started_at: int | None = None


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far an attempt has come.

    Attributes:
        done, total: amounts of `unit` within the current step (or the task when it has no steps).
        percent: 0 to 100 over all steps, never decreasing within an attempt; None while unknown.
        message: what is going on, one line for a person.
        step: the current step.
        rate: `unit`s a second, smoothed.
        eta: seconds that are left, as of the task's `updated_at`.
        detail: a small JSON object of the job's own.
        speed: percent points a second, smoothed; the ETA comes from it.
    """

    done: Amount
    total: Amount | None
    percent: float | None
    message: str
    unit: str = ""
    step: Step | None = None
    rate: float | None = None
    eta: float | None = None
    detail: dict[str, Any] | None = None
    speed: float | None = None


START = Progress(done=0, total=None, percent=None, message="")


class Tick(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a producer says about progress. What is left out stays as it is.

    Attributes:
        done, total: amounts in the current step, 0 to 2**53 - 1.
        percent: 0 to 100 overall, for producers that know nothing else.
        step: the name of the step that is being worked on; a new name begins the next step at 0.
        detail: a small JSON object, at most 4096 bytes encoded.
        weight: the share of a `step` that was not planned; 1 when left out.
    """

    done: Amount | None = None
    total: Amount | None = None
    unit: str | None = None
    percent: float | None = None
    message: str | None = None
    step: str | None = None
    detail: dict[str, Any] | None = None
    weight: float | None = None


def _check_amount(value: Amount, field: str) -> Amount:
    if not is_number(value) or not 0 <= value <= MAX_AMOUNT:
        raise InvalidField(f"{field} must be a number from 0 to {MAX_AMOUNT}", field=field)
    return value


def check_plan(steps: tuple[StepPlan, ...]) -> tuple[StepPlan, ...]:
    """Return the planned steps.

    Raises:
        InvalidField: too many, a name twice or too long, or a weight that is not above 0 and finite.
    """
    if len(steps) > MAX_STEPS:
        raise InvalidField(f"A task has at most {MAX_STEPS} steps", field="steps")
    names = set()
    for step in steps:
        check_text(step.name, "steps.name", NAME_CHARS)
        if not step.name or step.name in names:
            raise InvalidField("Every step needs a name of its own", field="steps.name")
        names.add(step.name)
        if not is_number(step.weight) or not 0 < step.weight <= 1e9:
            raise InvalidField("A step's weight is a number above 0 and at most 1e9", field="steps.weight")
    return steps


def merge(
    old: Progress,
    tick: Tick,
    plan: tuple[StepPlan, ...],
    now: int,
    since: int,
    began: int | None = None,
) -> tuple[Progress, tuple[StepPlan, ...]]:
    """Apply a tick to the progress of an attempt.

    Args:
        old: the progress so far.
        tick: what the producer says now.
        plan: the steps known so far; a step that is not among them is added with the weight of the tick.
        now: Unix milliseconds.
        since: Unix milliseconds of the last time that `done` moved (or the attempt began).
        began: Unix milliseconds of the attempt's begin; `since` when None.

    Returns:
        the new progress (the very object `old` when nothing changed) and the steps.

    Raises:
        InvalidField: a value of the wrong type or out of bounds, or `done` beyond `total`.
        ProgressBackwards: `done` or `percent` below what was reported before, or an earlier step.
    """
    step = old.step
    fresh_step = False
    if tick.step is not None and (step is None or tick.step != step.name):
        step, plan = _enter(step, tick.step, plan, tick.weight, now)
        fresh_step = True
    elif step is not None and step.of != len(plan):
        step = Step(step.index, len(plan), step.name, step.started_at)

    done, total = (0, None) if fresh_step else (old.done, old.total)
    moved = False
    if tick.total is not None:
        total = _check_amount(tick.total, "total")
    if tick.done is not None:
        new_done = _check_amount(tick.done, "done")
        if new_done < done:
            raise ProgressBackwards(field="done", at=done, reported=new_done)
        moved = new_done > done
        done = new_done
    if total is not None and done > total:
        raise InvalidField("done is beyond total; raise total first", field="done", done=done, total=total)

    unit = old.unit if tick.unit is None else check_text(tick.unit, "unit", UNIT_CHARS)
    message = old.message if tick.message is None else check_text(tick.message, "message", MESSAGE_CHARS)
    if fresh_step and tick.message is None:
        message = ""
    detail = old.detail if tick.detail is None else check_json(tick.detail, "detail", DETAIL_BYTES)

    percent = _percent(old.percent, tick.percent, done, total, step, plan)

    seconds = (now - since) / 1000
    began = since if began is None else began
    rate, speed, eta = old.rate, old.speed, old.eta
    if fresh_step:
        rate = None
    if moved and seconds > 0:
        start = began if step is None or step.started_at is None or fresh_step else step.started_at
        rate = _smooth(
            rate, (done - (0 if fresh_step else old.done)) / seconds, seconds, (since - start) / 1000
        )
    if percent is not None and percent > (old.percent or 0.0) and seconds > 0:
        speed = _smooth(speed, (percent - (old.percent or 0.0)) / seconds, seconds, (since - began) / 1000)
    if percent is not None and speed is not None:
        # A speed that has faded to nothing says nothing about the time that is left, nor does one of a few moments.
        eta = round((100.0 - percent) / speed, 1) if speed and now - began >= _ETA_AFTER else None

    new = Progress(done, total, percent, message, unit, step, rate, eta, detail, speed)
    if new != old:
        return new, plan
    # To Python 1, 1.0 and True are equal; to a reader of the detail they are not.
    same = tick.detail is None or msgspec.json.encode(detail) == msgspec.json.encode(old.detail)
    return (old if same else new), plan


def _enter(
    current: Step | None, name: str, plan: tuple[StepPlan, ...], weight: float | None, now: int
) -> tuple[Step, tuple[StepPlan, ...]]:
    check_text(name, "step", NAME_CHARS)
    for index, planned in enumerate(plan, 1):
        if planned.name == name:
            if current is not None and index < current.index:
                raise ProgressBackwards(
                    "Steps only go forward within an attempt", field="step", at=current.name, reported=name
                )
            return Step(index, len(plan), name, now), plan
    plan = check_plan((*plan, StepPlan(name, 1.0 if weight is None else weight)))
    return Step(len(plan), len(plan), name, now), plan


def _percent(
    before: float | None,
    reported: float | None,
    done: Amount,
    total: Amount | None,
    step: Step | None,
    plan: tuple[StepPlan, ...],
) -> float | None:
    """The overall percent: what was reported, or the finished steps' weights plus the share of this one."""
    if reported is not None:
        if not is_number(reported) or not 0 <= reported <= 100:
            raise InvalidField("percent must be a number from 0 to 100", field="percent")
        # Rounded before it is compared, or the same report twice could count as going backwards.
        percent = round(float(reported), 2)
        if before is not None and percent < before:
            raise ProgressBackwards(field="percent", at=before, reported=percent)
        return percent
    share = done / total if total else None
    if step is not None:
        whole = sum(planned.weight for planned in plan)
        behind = sum(planned.weight for planned in plan[: step.index - 1])
        value = 100.0 * (behind + plan[step.index - 1].weight * (share or 0.0)) / whole
    elif share is not None:
        value = 100.0 * share
    else:
        return before
    # A total that grew must not move the bar back: it waits until the work has caught up.
    return max(round(value, 2), before or 0.0)


def _smooth(old: float | None, sample: float, seconds: float, before: float) -> float:
    """Exponential moving average over time, for which the beginning is no special case.

    A sample weighs by how long it took, and the average so far by how long it was averaged over: the first item of a
    loop, done within a millisecond, must not promise a thousand a second for the next quarter of a minute.

    Args:
        sample: the rate over the last `seconds`.
        before: seconds that `old` was averaged over.
    """
    if old is None or before <= 0:
        return round(sample, 6)
    keep = math.exp(-seconds / _RATE_MEMORY)
    known = keep * (1.0 - math.exp(-before / _RATE_MEMORY))
    fresh = 1.0 - keep
    return round((old * known + sample * fresh) / (known + fresh), 6)
