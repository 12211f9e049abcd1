"""The newest state wins, and nothing that was said is lost by merging."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from headway.errors import InvalidField, ProgressBackwards
from headway.model.progress import START, Progress, StepPlan, merge
from headway.model.report import TickReport
from headway.worker.conflate import combine, fit

PLAN = tuple(StepPlan(name) for name in "abcd")
ORDER = tuple("abcd")
NOW = 1_000_000

ticks = st.builds(
    TickReport,
    task=st.just("t"),
    done=st.none() | st.integers(0, 20),
    total=st.none() | st.integers(0, 20),
    percent=st.none() | st.integers(0, 100).map(float),
    message=st.none() | st.text(max_size=3),
    step=st.none() | st.sampled_from("abcd"),
    unit=st.none() | st.sampled_from(["files", "B"]),
    detail=st.none() | st.just({"k": 1}) | st.just({}),
)


def told(progress: Progress, tick: TickReport) -> Progress:
    return merge(progress, tick, PLAN, NOW, NOW)[0]


def shown(progress: Progress) -> tuple[object, ...]:
    return progress.done, progress.total, progress.message, progress.step, progress.unit, progress.detail


@given(st.lists(ticks, max_size=12))
def test_whatever_a_job_says_a_server_takes_it(said: list[TickReport]) -> None:
    so_far, progress = TickReport(task="t"), START
    for tick in said:
        tick, _ = fit(so_far, tick, ORDER, progress.percent)
        so_far = combine(so_far, tick)
        try:
            after = told(progress, tick)
        except (InvalidField, ProgressBackwards) as error:
            raise AssertionError(f"{tick} after {so_far}") from error
        assert (after.percent or 0) >= (progress.percent or 0)
        progress = after
    # The full state alone brings a server that lost everything to the same place.
    assert shown(told(START, so_far))[:4] == shown(progress)[:4]


@given(st.lists(ticks, min_size=2, max_size=8), st.data())
def test_combined_ticks_lead_where_single_ones_do(said: list[TickReport], data: st.DataObject) -> None:
    so_far, fitted, one_by_one = TickReport(task="t"), [], START
    for tick in said:
        tick, _ = fit(so_far, replace(tick, percent=None), ORDER)
        so_far = combine(so_far, tick)
        fitted.append(tick)
        one_by_one = told(one_by_one, tick)

    cut = data.draw(st.integers(1, len(fitted)))
    first, rest = fitted[0], fitted[1:]
    joined = START
    for index, tick in enumerate(rest, 1):
        if index == cut:
            joined, first = told(joined, first), tick
        else:
            first = combine(first, tick)
    assert shown(told(joined, first)) == shown(one_by_one)


def test_an_older_steps_amounts_do_not_leak_into_a_newer_step() -> None:
    older = TickReport(task="t", done=90, total=100, message="almost", unit="files", step="a")
    newer = TickReport(task="t", step="b")

    assert combine(older, newer) == TickReport(task="t", step="b", unit="files")


def test_done_beyond_total_raises_total() -> None:
    tick, changed = fit(TickReport(task="t", total=10), TickReport(task="t", done=12), ())

    assert (tick.done, tick.total, changed) == (12, 12, True)


def test_an_earlier_step_is_left_out_with_its_amounts() -> None:
    so_far = TickReport(task="t", step="b", done=3)

    tick, changed = fit(so_far, TickReport(task="t", step="a", done=9, message="m"), ORDER)

    assert tick == TickReport(task="t", message="m")
    assert changed
