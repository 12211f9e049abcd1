"""What jobs say, made to fit the contract."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.model.progress import StepPlan, check_plan
from headway.worker import values


class Broken:
    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


class Scalar:
    def item(self) -> int:
        return 7


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.decimals(),
    st.builds(object),
    st.builds(Broken),
    st.lists(st.integers()),
    st.tuples(st.text(), st.floats()),
)


@given(anything)
def test_nothing_that_a_job_passes_raises(value: Any) -> None:
    complaints: list[str] = []
    number = values.amount(value, "done", complaints)
    assert number is None or 0 <= number <= 2**53 - 1
    values.percent(value, complaints)
    assert len(values.text(value, 5)) <= 5
    values.json_value(value, "result", 100, complaints)
    values.json_object(value, "meta", 100, complaints)
    values.identifier(value, "id", complaints)
    values.tags(value, 3, 5, complaints)
    check_plan(values.plan([value], complaints))
    check_plan(values.plan(value, complaints))


@pytest.mark.parametrize(
    ("value", "number"), [(3, 3), (2.5, 2.5), (Decimal("1.5"), 1.5), (2**53 - 1, 2**53 - 1)]
)
def test_numbers_of_all_kinds_become_plain_ones(value: Any, number: float) -> None:
    complaints: list[str] = []
    assert values.amount(value, "done", complaints) == number
    assert complaints == []


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), True, "3", 2**53, object()])
def test_what_is_no_amount_is_left_out_with_a_complaint(value: Any) -> None:
    complaints: list[str] = []
    assert values.amount(value, "done", complaints) is None
    assert len(complaints) == 1


def test_text_is_cut_and_can_always_be_sent() -> None:
    assert values.text("abcdef", 4) == "abc…"
    assert values.text("a\udc80b", 10) == "a?b"
    assert values.text(None, 10) == ""


def test_json_is_a_copy_that_the_job_cannot_reach() -> None:
    mine = {"rows": [1, 2], "score": Scalar(), "when": Decimal("1.5")}
    copy = values.json_value(mine, "result", 100, [])
    mine["rows"] = []
    assert copy == {"rows": [1, 2], "score": 7, "when": "1.5"}


def test_json_that_is_too_large_is_left_out() -> None:
    complaints: list[str] = []
    assert values.json_value("x" * 200, "result", 100, complaints) is None
    assert "at most 100" in complaints[0]


def test_plans_come_from_names_and_pairs() -> None:
    assert values.plan(["a", ("b", 3), StepPlan("c", 2), "a"], []) == (
        StepPlan("a"),
        StepPlan("b", 3),
        StepPlan("c", 2),
    )
