"""The rules, one by one, and under any sequence of ticks, commands and times."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import isfinite
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from headway.errors import HeadwayError, IllegalTransition, InvalidField, ProgressBackwards
from headway.model.progress import START, StepPlan, Tick
from headway.model.rules import adopt, advance, attach_result, beat, confirm_stopped, transition
from headway.model.task import TRANSITIONS, WANTED, Attempt, Children, Command, Task, TaskState

S, C = TaskState, Command


def make(task_id: str = "t", state: TaskState = S.QUEUED, **fields: Any) -> Task:
    known: dict[str, Any] = {"progress": START, "created_at": 0, "updated_at": 0, "attempt": 1}
    return Task(id=task_id, channel="public", rev=0, title="T", kind="", state=state, **{**known, **fields})


def running(**fields: Any) -> Task:
    return transition(make(**fields), C.START, 1000)


@pytest.mark.parametrize(("state", "command"), [*product(TaskState, Command)])
def test_every_transition_is_legal_or_named_as_illegal(state: TaskState, command: Command) -> None:
    task = make(state=state)
    after = TRANSITIONS.get((state, command))
    if after is not None or WANTED[command] is state:
        moved = transition(task, command, 5)
        assert moved.state is (after or state)
        assert (moved is task) is (moved.state is state)
        return
    with pytest.raises(IllegalTransition) as caught:
        transition(task, command, 5)
    assert caught.value.details["state"] == state.value
    assert caught.value.details["wanted"] == WANTED[command].value
    assert task == make(state=state)


def test_a_task_starts_by_its_first_tick() -> None:
    task = advance(make(), Tick(done=1, total=4), 1000)
    assert (task.state, task.started_at, task.seen_at, task.progress.percent) == (S.RUNNING, 1000, 1000, 25.0)


def test_a_lost_task_comes_back_by_a_tick_and_by_a_beat() -> None:
    lost = transition(running(), C.LOSE, 9000)
    assert lost.state is S.LOST
    assert advance(lost, Tick(done=1), 9500).state is S.RUNNING
    assert beat(lost, 9500).state is S.RUNNING


def test_a_paused_task_stays_paused_while_its_worker_speaks() -> None:
    paused = transition(running(), C.PAUSE, 2000)
    assert beat(paused, 3000).state is S.PAUSED
    assert beat(paused, 3000).seen_at == 3000
    assert advance(paused, Tick(done=1), 3000).state is S.PAUSED


def test_success_completes_and_has_no_forecast() -> None:
    task = advance(advance(running(), Tick(done=10, total=100), 2000), Tick(done=20), 3000)
    assert task.progress.rate is not None
    done = transition(task, C.SUCCEED, 4000, result={"ok": 1})
    assert (done.progress.done, done.progress.percent) == (100, 100.0)
    assert (done.progress.rate, done.progress.eta, done.progress.speed) == (None, None, None)
    assert (done.result, done.finished_at, done.error) == ({"ok": 1}, 4000, None)


def test_success_keeps_an_earlier_result() -> None:
    task = attach_result(running(), [1], 2000)
    assert transition(task, C.SUCCEED, 3000).result == [1]
    assert transition(task, C.SUCCEED, 3000, result=0).result == 0


@pytest.mark.parametrize("command", [C.FAIL, C.CANCEL])
def test_failing_keeps_the_progress_that_was_reached(command: Command) -> None:
    task = advance(running(), Tick(done=40, total=100, message="m"), 2000)
    ended = transition(task, command, 3000, error="why")
    assert (ended.progress.done, ended.progress.percent, ended.progress.message) == (40, 40.0, "m")
    assert ended.error == ("why" if command is C.FAIL else None)


def test_an_error_is_cut_and_always_readable() -> None:
    assert transition(running(), C.FAIL, 2, error="x" * 5000).error == "x" * 4000
    assert transition(running(), C.FAIL, 2, error="caf\udce9.png: é").error == "caf?.png: é"
    assert transition(running(), C.FAIL, 2).error == ""


def test_only_a_worker_that_spoke_is_awaited_when_it_is_cancelled() -> None:
    assert transition(make(), C.CANCEL, 2).stopping is False
    assert transition(make(state=S.RUNNING), C.CANCEL, 2).stopping is False
    cancelled = transition(running(), C.CANCEL, 2)
    assert cancelled.stopping is True
    assert confirm_stopped(cancelled, 3).stopping is False
    quiet = running()
    assert confirm_stopped(quiet, 3) is quiet


def test_what_was_cancelled_before_it_began_never_began() -> None:
    cancelled = transition(make(), C.CANCEL, 2)
    assert (cancelled.started_at, cancelled.finished_at) == (None, 2)
    assert transition(make(), C.FAIL, 2).started_at == 2


def test_a_retry_is_the_next_attempt_and_keeps_five() -> None:
    task = make(tags=("a",), meta={"m": 1})
    for attempt in range(1, 8):
        task = advance(task, Tick(done=attempt, total=10, unit="rows", detail={"d": 1}), attempt * 10)
        task = transition(transition(task, C.FAIL, attempt * 10 + 1, error="e"), C.RETRY, attempt * 10 + 2)
        assert (task.state, task.attempt) == (S.QUEUED, attempt + 1)
        assert task.progress == msgspec.structs.replace(START, unit="rows", total=10, percent=0.0)
        assert (task.error, task.result, task.started_at, task.finished_at, task.seen_at) == (None,) * 5
    assert [past.attempt for past in task.earlier] == [3, 4, 5, 6, 7]
    assert task.earlier[-1] == Attempt(7, S.FAILED, 70.0, "e", 70, 71)
    assert (task.tags, task.meta) == (("a",), {"m": 1})


def test_a_retry_forgets_the_total_of_the_last_step() -> None:
    task = advance(make(), Tick(step="a", done=1, total=10, unit="rows"), 10)
    again = transition(task, C.RETRY, 20)
    assert again.progress == msgspec.structs.replace(START, unit="rows")
    assert [step.name for step in again.steps] == ["a"]


@pytest.mark.parametrize("state", [S.SUCCEEDED, S.FAILED, S.CANCELLED])
def test_nothing_is_taken_after_the_end(state: TaskState) -> None:
    task = make(state=state)
    calls: list[Callable[[], Task]] = [
        lambda: advance(task, Tick(done=1), 5),
        lambda: attach_result(task, 1, 5),
    ]
    for call in calls:
        with pytest.raises(IllegalTransition) as caught:
            call()
        assert caught.value.details == {"state": state.value, "wanted": "running"}
    assert beat(task, 5) is task


@pytest.mark.parametrize("result", ["x" * 16384, {"a": object()}, "\ud800", [10**5000]])
def test_a_result_that_cannot_be_kept_is_refused(result: object) -> None:
    calls: list[Callable[[], Task]] = [
        lambda: attach_result(running(), result, 2),
        lambda: transition(running(), C.SUCCEED, 2, result=result),
    ]
    for call in calls:
        with pytest.raises(InvalidField) as caught:
            call()
        assert caught.value.details["field"] == "result"


def test_a_parent_shows_its_children_unless_it_counts_for_itself() -> None:
    child = make("c", weight=3)
    parent = adopt(running(), None, child, 5)
    assert parent.progress.percent == 0.0
    half = advance(child, Tick(percent=50), 6)
    parent = adopt(parent, child, half, 6)
    assert (parent.progress.percent, parent.updated_at) == (50.0, 6)
    assert adopt(parent, half, half, 9) is parent
    other = make("d")
    parent = adopt(parent, None, other, 7)
    assert parent.progress.percent == 50.0, "a new child must not move the bar back"
    assert parent.children == Children(count=2, weight=4, points=15_000, running=1, queued=1)
    ended = transition(parent, C.FAIL, 8)
    assert adopt(ended, other, transition(other, C.FAIL, 8), 8).progress == ended.progress
    counting = advance(running(), Tick(done=1, total=10), 2)
    assert adopt(counting, None, half, 6).progress.percent == 10.0


def test_a_child_that_ended_counts_in_full_however_it_ended() -> None:
    parent = adopt(running(), None, transition(make("c"), C.FAIL, 2), 5)
    assert (parent.children, parent.progress.percent) == (Children(1, 1, 10_000, failed=1), 100.0)


amounts = (
    st.none()
    | st.integers(-2, 60)
    | st.floats(0, 60)
    | st.sampled_from([2**53 - 1, 10**400, float("nan"), True])
)
percents = st.none() | st.floats(-1, 101) | st.integers(0, 100) | st.just(float("inf"))
texts = st.none() | st.text(max_size=5) | st.just("\ud800")
values = st.none() | st.dictionaries(
    st.text(max_size=2), st.integers() | st.floats() | st.booleans(), max_size=2
)
ticks = st.builds(
    Tick, amounts, amounts, texts, percents, texts, st.none() | st.sampled_from(["a", "b", "c", "d", ""]), values,
    st.none() | st.floats(-1, 5),
)  # fmt: skip


class Life(RuleBasedStateMachine):
    """A parent, its children, and everything that may be said about them."""

    @initialize(weights=st.lists(st.integers(1, 1000), min_size=1, max_size=4), planned=st.booleans())
    def begin(self, weights: list[int], planned: bool) -> None:
        plan = (StepPlan("a", 2.0), StepPlan("b"), StepPlan("c", 0.5)) if planned else ()
        self.now = 1000
        self.parent = running()
        self.children: dict[str, Task] = {}
        for number, weight in enumerate(weights):
            self.change(str(number), make(str(number), weight=weight, steps=plan))

    def change(self, name: str, after: Task | None) -> None:
        before = self.children.get(name)
        percent = self.parent.progress.percent or 0.0
        self.parent = adopt(self.parent, before, after, self.now)
        assert (self.parent.progress.percent or 0.0) >= percent
        if after is None:
            del self.children[name]
        else:
            self.children[name] = after

    def pick(self, data: st.DataObject) -> tuple[str, Task]:
        return data.draw(st.sampled_from(sorted(self.children.items(), key=lambda item: item[0])))

    @rule(passed=st.integers(-500, 1_000_000))
    def wait(self, passed: int) -> None:
        self.now += passed

    @precondition(lambda self: self.children)
    @rule(data=st.data(), tick=ticks)
    def tick(self, data: st.DataObject, tick: Tick) -> None:
        name, old = self.pick(data)
        kept = msgspec.json.encode(old)
        try:
            new = advance(old, tick, self.now)
        except (InvalidField, ProgressBackwards):
            assert not old.state.terminal
        except IllegalTransition:
            assert old.state.terminal
        else:
            assert not old.state.terminal
            assert new.attempt == old.attempt
            assert (new.progress.percent or 0.0) >= (old.progress.percent or 0.0)
            if old.progress.step is None or new.progress.step is None:
                pass
            elif new.progress.step.name == old.progress.step.name:
                assert new.progress.done >= old.progress.done
            else:
                assert new.progress.step.index > old.progress.step.index
            self.change(name, new)
        assert msgspec.json.encode(old) == kept

    @precondition(lambda self: self.children)
    @rule(data=st.data(), command=st.sampled_from(Command), result=values)
    def command(self, data: st.DataObject, command: Command, result: Any) -> None:
        name, old = self.pick(data)
        kept = msgspec.json.encode(old)
        try:
            new = transition(old, command, self.now, result=result, error="e")
        except IllegalTransition:
            assert (old.state, command) not in TRANSITIONS
            assert msgspec.json.encode(old) == kept
            return
        if old.state.terminal and new is not old:
            assert (old.state in (S.FAILED, S.CANCELLED), new.state) == (True, S.QUEUED)
        retried = new.state is S.QUEUED and new is not old
        assert new.attempt == old.attempt + retried
        if retried:
            assert new.earlier[-1].percent == old.progress.percent
        elif new.state in (S.FAILED, S.CANCELLED):
            assert (new.progress.done, new.progress.percent) == (old.progress.done, old.progress.percent)
        else:
            assert (new.progress.percent or 0.0) >= (old.progress.percent or 0.0)
        self.change(name, new)

    @precondition(lambda self: self.children)
    @rule(data=st.data(), result=values, call=st.sampled_from(["beat", "stopped", "result"]))
    def say(self, data: st.DataObject, result: Any, call: str) -> None:
        name, old = self.pick(data)
        try:
            if call == "result":
                new = attach_result(old, result, self.now)
            else:
                new = beat(old, self.now) if call == "beat" else confirm_stopped(old, self.now)
        except HeadwayError:
            assert old.state.terminal
            return
        assert new.progress == old.progress
        self.change(name, new)

    @precondition(lambda self: self.children)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        self.change(self.pick(data)[0], None)

    @rule(weight=st.integers(1, 1_000_000))
    def add(self, weight: int) -> None:
        name = str(len(self.children) + 100)
        if name not in self.children:
            self.change(name, make(name, weight=weight))

    @invariant()
    def the_children_are_exactly_what_a_recount_gives(self) -> None:
        counts = dict.fromkeys(Children.__struct_fields__, 0)
        for child in self.children.values():
            share = 10_000 if child.state.terminal else round((child.progress.percent or 0.0) * 100)
            counts["count"] += 1
            counts["weight"] += child.weight
            counts["points"] += child.weight * share
            counts[child.state.value] += 1
        assert (self.parent.children or Children()) == Children(**counts)

    @invariant()
    def numbers_are_finite_and_in_bounds(self) -> None:
        for task in (self.parent, *self.children.values()):
            progress = task.progress
            assert progress.percent is None or 0 <= progress.percent <= 100
            assert progress.total is None or progress.done <= progress.total
            for number in (progress.rate, progress.eta, progress.speed):
                assert number is None or (isfinite(number) and number >= 0)

    @invariant()
    def everything_reads_back_as_it_was(self) -> None:
        for task in (self.parent, *self.children.values()):
            assert msgspec.json.decode(msgspec.json.encode(task), type=Task) == task


TestLife = Life.TestCase
TestLife.settings = settings(deadline=None, stateful_step_count=40, max_examples=150)
