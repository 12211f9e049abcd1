"""The counters that the delivery thread reads while a job writes them."""

from __future__ import annotations

import pytest

from headway.model.report import TickReport
from headway.worker.live import Cancelled, Live


def live(outer: Live | None = None, **fields: object) -> tuple[Live, list[Live]]:
    woken: list[Live] = []
    made = Live("t", woken.append, outer)
    made.put(**fields)
    return made, woken


def test_a_sample_holds_what_changed_since_the_last_one() -> None:
    task, _ = live(done=1, total=5, message="m")
    assert task.sample() == TickReport(task="t", done=1, total=5, message="m")
    assert task.sample() is None
    task.add(2)
    assert task.sample() == TickReport(task="t", done=3)


def test_a_new_step_begins_from_nothing() -> None:
    task, _ = live(done=5, total=5, message="m", unit="files")
    task.sample()
    task.enter("b", 2.0, 5, None)
    assert task.sample() == TickReport(task="t", step="b", weight=2.0, total=5)
    task.enter("b", None, 6, None)
    assert task.sample() == TickReport(task="t", total=6)


def test_the_delivery_thread_is_woken_once_for_each_time_it_asked() -> None:
    task, woken = live()
    task.attend()
    assert (woken, task.attention) == ([task], False)
    task.arm()
    assert task.attention
    task.attend()
    task.attend()
    assert woken == [task, task]


@pytest.mark.parametrize(("state", "superseded"), [("cancelled", False), ("running", True)])
def test_a_wish_to_stop_reaches_the_tasks_inside(state: str, superseded: bool) -> None:
    outer, _ = live()
    inner, _ = live(outer)
    inner.attend()
    outer.told(state, superseded)
    assert inner.attention
    with pytest.raises(Cancelled):
        inner.attend()
    with pytest.raises(Cancelled):
        inner.attend()


def test_a_copy_in_a_forked_process_is_not_held_by_a_pause() -> None:
    task, _ = live()
    task.told("paused")
    task.renew()
    task.attend()
    assert not task.paused
