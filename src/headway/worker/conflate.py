"""How two ticks become one, and how a tick is made to fit what was said before. Pure.

It must not know who sends ticks or when. What it promises: a server that gets the combined ticks ends where a
server would that got each of them, and no tick it lets through goes backwards.
"""

from __future__ import annotations

from msgspec.structs import replace

from headway.model.progress import MAX_STEPS
from headway.model.report import TickReport

__all__ = ["combine", "fit"]


def combine(older: TickReport, newer: TickReport) -> TickReport:
    """One tick that says what both say; the newest value of each field wins.

    Args:
        older: what was to be said.
        newer: what has happened since. A `step` in it begins a new step, so amounts and message of the older
            one, which belong to an earlier step, are left behind.
    """
    begins = newer.step is not None
    return TickReport(
        task=newer.task,
        attempt=older.attempt if newer.attempt is None else newer.attempt,
        done=newer.done if newer.done is not None or begins else older.done,
        total=newer.total if newer.total is not None or begins else older.total,
        message=newer.message if newer.message is not None or begins else older.message,
        step=newer.step if begins else older.step,
        weight=newer.weight if begins else older.weight,
        unit=older.unit if newer.unit is None else newer.unit,
        percent=older.percent if newer.percent is None else newer.percent,
        detail=older.detail if newer.detail is None else newer.detail,
    )


def fit(
    so_far: TickReport, tick: TickReport, order: tuple[str, ...], floor: float | None = None
) -> tuple[TickReport, bool]:
    """Make a tick acceptable to a server that knows `so_far`.

    What would go back (an amount, a percent, a step) is left out; `done` beyond `total` raises `total`, because
    what was counted is certain and a total is often a guess. A step that is current already is not named again,
    so a tick with a step always begins one.

    Args:
        so_far: everything said in this attempt, combined.
        tick: what the job says now.
        order: names of the steps known so far, in their order.
        floor: the overall percent that amounts, steps and earlier percents have led to.

    Returns:
        the tick to send, and whether anything in it had to be changed.
    """
    step, weight, done, total, percent = tick.step, tick.weight, tick.done, tick.total, tick.percent
    changed = False
    if step is not None and step == so_far.step:
        step = weight = None
    elif step is not None and not _is_ahead(so_far.step, step, order):
        step = weight = done = total = None
        changed = True

    at, of = (so_far.done or 0, so_far.total) if step is None else (0, None)
    if done is not None and done < at:
        done, changed = None, True
    reached = at if done is None else done
    limit = of if total is None else total
    if limit is not None and reached > limit:
        total, changed = reached, True
    if percent is not None and floor is not None and percent < floor:
        percent, changed = None, True
    return replace(tick, step=step, weight=weight, done=done, total=total, percent=percent), changed


def _is_ahead(current: str | None, step: str, order: tuple[str, ...]) -> bool:
    if step not in order:
        return len(order) < MAX_STEPS
    return current not in order or order.index(step) > order.index(current)
