"""The record of a task: its bounds, its table, and how it looks as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from headway.errors import IllegalTransition, InvalidField
from headway.model.progress import START, Progress, Step, StepPlan
from headway.model.task import (
    TRANSITIONS,
    UNFINISHED,
    WANTED,
    Attempt,
    Children,
    Command,
    Task,
    TaskState,
    check_task,
    next_state,
)


def make(**fields: Any) -> Task:
    known: dict[str, Any] = {
        "id": "t1", "channel": "user:ada", "rev": 0, "title": "T", "kind": "", "state": TaskState.QUEUED, "attempt": 1,
        "progress": START, "created_at": 1, "updated_at": 1,
    }  # fmt: skip
    return Task(**{**known, **fields})


def test_a_full_one_passes_and_reads_back_as_it_was() -> None:
    task = make(
        title="x" * 300, kind="k" * 64, tags=tuple(f"{n}" * 32 for n in range(10, 30)), meta={"a": {"b": [1, 2.5, None]}},
        parent="t0", weight=1_000_000, steps=(StepPlan("a"), StepPlan("b", 0.5)), children=Children(1, 2, 3, lost=1),
        result=[1, {"a": "é"}], error="e", started_at=1, finished_at=2, seen_at=3, progressed_at=4, stopping=True,
        lost_after=86_400, earlier=(Attempt(1, TaskState.FAILED, 2.5, "e", 1, 2),),
        progress=Progress(1, 2.5, 40.0, "m", "rows", Step(1, 2, "a"), 0.5, 3.5, {"d": 1}, 0.25),
    )  # fmt: skip
    assert check_task(task) == task
    assert msgspec.json.decode(msgspec.json.encode(task), type=Task) == task


def test_defaults_are_left_out() -> None:
    assert msgspec.to_builtins(make()) == {
        "id": "t1", "channel": "user:ada", "rev": 0, "title": "T", "kind": "", "state": "queued", "attempt": 1,
        "progress": {"done": 0, "total": None, "percent": None, "message": ""}, "created_at": 1, "updated_at": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "a b"), ("channel", "team:1"), ("title", ""), ("title", "\t "), ("title", "x" * 301), ("title", "a\0b"),
        ("title", "\ud800"), ("title", 5), ("kind", "x" * 65), ("kind", "\0"), ("kind", "\udc00"), ("tags", ("",)),
        ("tags", ("x" * 65,)), ("tags", ("\ud800",)), ("tags", ("\0",)), ("tags", tuple(map(str, range(21)))),
        ("meta", {"a": "x" * 4096}), ("meta", {"a": object()}), ("meta", {"a": "\ud800"}), ("parent", "a/b"), ("weight", 0),
        ("weight", -1), ("weight", 1_000_001), ("weight", 10**400), ("weight", 1.5), ("weight", True),
        ("lost_after", 0), ("lost_after", float("nan")), ("lost_after", float("inf")), ("lost_after", 86_401),
        ("lost_after", True),
    ],
)  # fmt: skip
def test_out_of_bounds(field: str, value: object) -> None:
    with pytest.raises(InvalidField) as caught:
        check_task(make(**{field: value}))
    assert caught.value.details == {"field": field}


def test_meta_nested_without_end_is_refused() -> None:
    deep: Any = {}
    for _ in range(1500):
        deep = {"a": deep}
    with pytest.raises(InvalidField):
        check_task(make(meta=deep))


def test_a_tag_counts_once() -> None:
    assert check_task(make(tags=("b", "a", "b"))).tags == ("b", "a")


def test_meta_is_what_a_reader_will_get() -> None:
    assert check_task(make(meta={"a": (1, float("inf"))})).meta == {"a": [1, None]}


def test_every_command_has_what_it_wants() -> None:
    assert set(WANTED) == set(Command)
    for (_, command), after in TRANSITIONS.items():
        assert after is WANTED[command] or (command is Command.REVIVE and after is TaskState.PAUSED)


def test_terminal_states_are_left_by_a_retry_alone() -> None:
    for (state, command), after in TRANSITIONS.items():
        if state.terminal:
            assert (state in (TaskState.FAILED, TaskState.CANCELLED), command, after) == (
                True, Command.RETRY, TaskState.QUEUED,
            )  # fmt: skip
    assert {state for state in TaskState if state.terminal} == set(TaskState) - UNFINISHED


def test_the_table_is_that_of_the_contract() -> None:
    rows = {
        "queued": "running succeeded failed cancelled",
        "running": "paused succeeded failed cancelled lost queued",
        "paused": "running succeeded failed cancelled queued",
        "lost": "running succeeded failed cancelled queued",
        "failed": "queued",
        "cancelled": "queued",
        "succeeded": "",
    }
    found: dict[str, set[str]] = {state.value: set() for state in TaskState}
    for (state, _), after in TRANSITIONS.items():
        if after is not state:
            found[state.value].add(after.value)
    assert found == {state: set(row.split()) for state, row in rows.items()}


def test_an_illegal_transition_says_what_is_and_what_was_wanted() -> None:
    with pytest.raises(IllegalTransition, match="succeeded cannot become cancelled by cancel") as caught:
        next_state(TaskState.SUCCEEDED, Command.CANCEL)
    assert caught.value.details == {"state": "succeeded", "wanted": "cancelled", "command": "cancel"}
    assert next_state(TaskState.SUCCEEDED, Command.SUCCEED) is TaskState.SUCCEEDED
