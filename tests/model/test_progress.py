"""Progress: the merge that never goes backwards, steps, rate and ETA."""

from __future__ import annotations

from math import isfinite
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import InvalidField, ProgressBackwards
from headway.model.progress import (
    MAX_AMOUNT,
    MAX_STEPS,
    START,
    Progress,
    Step,
    StepPlan,
    Tick,
    check_plan,
    merge,
)

PLAN = (StepPlan("a"), StepPlan("b", 3.0))


def after(*ticks: Tick, plan: tuple[StepPlan, ...] = (), every: int = 1000) -> Progress:
    """The progress after ticks, `every` milliseconds apart."""
    progress, now, since = START, 0, 0
    for tick in ticks:
        now += every
        old = progress
        progress, plan = merge(progress, tick, plan, now, since, 0)
        since = now if (progress.done, progress.percent) != (old.done, old.percent) else since
    return progress


def test_what_is_left_out_stays() -> None:
    progress = after(Tick(done=1, total=4, unit="rows", message="m", detail={"a": 1}), Tick(done=2))
    assert (progress.done, progress.total, progress.unit, progress.message) == (2, 4, "rows", "m")
    assert (progress.detail, progress.percent) == ({"a": 1}, 50.0)


@pytest.mark.parametrize(
    "tick",
    [
        Tick(), Tick(done=3), Tick(done=3.0, total=9), Tick(unit="rows", message="m"), Tick(step="b"), Tick(percent=62.5),
        Tick(detail={"a": 1}),
    ],
)  # fmt: skip
def test_nothing_new_is_the_very_same_object(tick: Tick) -> None:
    old = after(
        Tick(step="b", done=3, total=9, unit="rows", message="m", detail={"a": 1}),
        Tick(percent=62.5),
        plan=PLAN,
    )
    new, plan = merge(old, tick, PLAN, 3000, 2000)
    assert new is old
    assert plan is PLAN


@pytest.mark.parametrize(("before", "now"), [(1, True), (0, False), (1, 1.5), ([], [0])])
def test_a_detail_that_python_calls_equal_is_still_new(before: Any, now: Any) -> None:
    old = after(Tick(detail={"a": before}))
    new, _ = merge(old, Tick(detail={"a": now}), (), 2000, 1000)
    assert new is not old
    assert type((new.detail or {})["a"]) is type(now)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field, value)
        for field in ("done", "total")
        for value in (-1, -0.5, MAX_AMOUNT + 1, 10**400, float("nan"), float("inf"), True, "5", [1])
    ]
    + [("percent", value) for value in (-0.1, 100.01, 10**400, float("nan"), float("-inf"), False, "50")]
    + [("message", value) for value in ("x" * 1001, "\ud800", 5)]
    + [("unit", value) for value in ("x" * 33, "\udfff")]
    + [("step", value) for value in ("x" * 201, "\ud800")]
    + [("detail", {"a": "x" * 4096}), ("detail", {"a": object()}), ("detail", {"\ud800": 1})],
    ids=lambda value: str(value)[:12].encode("ascii", "replace").decode(),
)
def test_a_wrong_value_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(InvalidField) as caught:
        after(msgspec.structs.replace(Tick(), **{field: value}))
    assert caught.value.details["field"] == field
    msgspec.json.encode(caught.value.body())


def test_a_detail_nested_without_end_is_refused() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"a": deep}
    with pytest.raises(InvalidField):
        after(Tick(detail=deep))


def test_a_detail_with_nan_is_kept_with_null() -> None:
    assert after(Tick(detail={"loss": float("nan")})).detail == {"loss": None}


def test_a_detail_is_not_the_callers_own() -> None:
    detail: dict[str, Any] = {"a": [1]}
    progress = after(Tick(detail=detail))
    detail["a"].append(2)
    assert progress.detail == {"a": [1]}


@pytest.mark.parametrize(
    ("tick", "field", "at", "reported"),
    [
        (Tick(done=4), "done", 5, 4),
        (Tick(percent=49.99), "percent", 50.0, 49.99),
        (Tick(step="a"), "step", "b", "a"),
    ],
)
def test_backwards_is_refused_with_both_values(tick: Tick, field: str, at: object, reported: object) -> None:
    old = after(Tick(step="b", done=5), Tick(percent=50.0), plan=PLAN)
    with pytest.raises(ProgressBackwards) as caught:
        merge(old, tick, PLAN, 3000, 2000)
    assert caught.value.details == {"field": field, "at": at, "reported": reported}


def test_done_beyond_total_is_refused() -> None:
    with pytest.raises(InvalidField, match="raise total first"):
        after(Tick(done=5, total=4))
    with pytest.raises(InvalidField):
        after(Tick(done=4, total=4), Tick(total=3))
    assert after(Tick(done=4, total=4), Tick(done=5, total=10)).done == 5


@given(st.floats(0, 100))
def test_the_same_percent_may_be_said_twice(percent: float) -> None:
    first = after(Tick(percent=percent))
    assert merge(first, Tick(percent=percent), (), 2000, 1000)[0] is first


def test_a_total_that_grows_does_not_move_the_bar_back() -> None:
    progress = after(Tick(done=50, total=100), Tick(total=1000), Tick(done=400))
    assert (progress.done, progress.total, progress.percent) == (400, 1000, 50.0)


def test_nothing_to_do_is_no_percent() -> None:
    assert after(Tick(done=0, total=0)).percent is None


def place(progress: Progress) -> tuple[int, int, str] | None:
    step = progress.step
    return None if step is None else (step.index, step.of, step.name)


def test_steps_weigh() -> None:
    first = after(Tick(step="a", done=1, total=2, message="m"), plan=PLAN)
    assert (first.percent, place(first)) == (12.5, (1, 2, "a"))
    second, plan = merge(first, Tick(step="b"), PLAN, 2000, 1000)
    assert (second.done, second.total, second.percent, second.message) == (0, None, 25.0, "")
    third, _ = merge(second, Tick(step="b", done=1, total=3), plan, 3000, 2000)
    assert (third.percent, place(third), third.step and third.step.started_at) == (50.0, (2, 2, "b"), 2000)


def test_a_step_that_was_not_planned_is_added_with_its_weight() -> None:
    progress, plan = merge(START, Tick(step="x"), PLAN, 1000, 0)
    assert (plan, place(progress)) == ((*PLAN, StepPlan("x")), (3, 3, "x"))
    _, plan = merge(progress, Tick(step="y", weight=5.0), plan, 2000, 1000)
    assert plan[-1] == StepPlan("y", 5.0)
    for weight in (0.0, -1.0, float("nan"), float("inf"), True):
        with pytest.raises(InvalidField) as caught:
            merge(progress, Tick(step="z", weight=weight), plan, 3000, 2000)
        assert caught.value.details["field"] == "steps.weight"


def test_a_plan_that_grew_shows_in_the_step() -> None:
    first, plan = merge(START, Tick(step="a"), (StepPlan("a"),), 1000, 0)
    grown, _ = merge(first, Tick(done=1), (*plan, StepPlan("b")), 2000, 1000)
    assert grown.step == Step(1, 2, "a", 1000)


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ((StepPlan("a"), StepPlan("a")), "steps.name"),
        ((StepPlan(""),), "steps.name"),
        ((StepPlan("x" * 201),), "steps.name"),
        ((StepPlan("\ud800"),), "steps.name"),
        ((StepPlan("a", 0.0),), "steps.weight"),
        ((StepPlan("a", -1.0),), "steps.weight"),
        ((StepPlan("a", float("nan")),), "steps.weight"),
        ((StepPlan("a", float("inf")),), "steps.weight"),
        ((StepPlan("a", 10**400),), "steps.weight"),
        ((StepPlan("a", True),), "steps.weight"),
        (tuple(StepPlan(str(n)) for n in range(MAX_STEPS + 1)), "steps"),
    ],
    ids=lambda value: str(value)[:30].encode("ascii", "replace").decode(),
)
def test_no_plans(plan: tuple[StepPlan, ...], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check_plan(plan)
    assert caught.value.details["field"] == field


def test_the_hundred_and_first_step_is_refused() -> None:
    plan = tuple(StepPlan(str(n)) for n in range(MAX_STEPS))
    assert check_plan(plan) is plan
    with pytest.raises(InvalidField):
        merge(START, Tick(step="one more"), plan, 1000, 0)


def test_rate_and_eta_of_a_steady_job() -> None:
    progress = after(*[Tick(done=n, total=100) for n in range(1, 41)], every=500)
    assert progress.rate == pytest.approx(2.0)
    assert progress.speed == pytest.approx(2.0)
    assert progress.eta == pytest.approx(30.0)


def test_the_rate_follows_a_change_of_pace() -> None:
    slow = [Tick(done=n, total=10_000) for n in range(1, 11)]
    fast = [Tick(done=10 + 10 * n) for n in range(1, 61)]
    assert after(*slow).rate == pytest.approx(1.0)
    assert after(*slow, *fast).rate == pytest.approx(10.0, rel=0.05)


def test_a_new_step_has_a_rate_of_its_own() -> None:
    assert after(Tick(step="a", done=10, total=10), Tick(step="b"), plan=PLAN).rate is None


def test_a_speed_that_faded_to_nothing_gives_no_eta() -> None:
    first = after(Tick(percent=1.0))
    assert first.eta is not None
    late, _ = merge(first, Tick(percent=1.01), (), 10**12, 1000)
    assert (late.speed, late.eta) == (0.0, None)


@pytest.mark.parametrize("now", [-5, 0, 1000])
def test_a_clock_that_stands_or_goes_back_gives_no_rate(now: int) -> None:
    progress, _ = merge(START, Tick(done=5, total=10), (), now, 1000)
    assert (progress.rate, progress.speed, progress.eta) == (None, None, None)


amounts = st.none() | st.integers(0, 100) | st.floats(0, MAX_AMOUNT) | st.sampled_from([5e-324, MAX_AMOUNT])
weights = st.floats(0, 1e9, exclude_min=True)
ticks = st.builds(
    Tick, done=amounts, total=amounts, percent=st.none() | st.floats(0, 100),
    step=st.none() | st.sampled_from("abcdef"), weight=st.none() | weights,
)  # fmt: skip


@given(
    st.lists(ticks, max_size=30),
    st.lists(weights, max_size=4),
    st.lists(st.integers(-(10**6), 10**13), min_size=30, max_size=30),
)
def test_extreme_amounts_weights_and_times(
    ticks: list[Tick], shares: list[float], moments: list[int]
) -> None:
    progress = START
    plan = tuple(StepPlan(name, share) for name, share in zip("abcd", shares, strict=False))
    for tick, now, since in zip(ticks, moments, [0, *moments], strict=False):
        try:
            new, plan = merge(progress, tick, plan, now, since)
        except (InvalidField, ProgressBackwards) as error:
            msgspec.json.encode(error.body())
            continue
        assert (new.percent or 0.0) >= (progress.percent or 0.0)
        assert new.percent is None or 0 <= new.percent <= 100
        for number in (new.rate, new.speed, new.eta):
            assert number is None or (isfinite(number) and number >= 0)
        assert msgspec.json.decode(msgspec.json.encode(new), type=Progress) == new
        assert msgspec.json.decode(msgspec.json.encode(plan), type=tuple[StepPlan, ...]) == plan
        progress = new


def test_a_first_item_that_took_no_time_does_not_spoil_the_rate() -> None:
    # Given a loop of fifty a second, whose first item was done within a millisecond
    progress, plan = merge(START, Tick(done=1, total=400), (), 1001, 1000, 1000)
    now = 1001
    # When it has run for two seconds
    for done in range(2, 101):
        progress, plan = merge(progress, Tick(done=done), plan, now + 20, now, 1000)
        now += 20
    # Then its rate and its end are what they are
    assert progress.rate is not None
    assert 45 < progress.rate < 60
    assert progress.eta is not None
    assert 5 < progress.eta < 7


def test_no_end_is_foretold_from_a_few_moments() -> None:
    # Given a producer that did much before it said so for the first time
    early, plan = merge(START, Tick(done=12, total=40), (), 1020, 1000, 1000)
    assert early.eta is None
    # Then an end is foretold as soon as there is something to tell it from
    later, _ = merge(early, Tick(done=13), plan, 2100, 1020, 1000)
    assert later.eta is not None
