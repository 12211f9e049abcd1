"""Ids: ours sort by time, others' are taken when they can stand in a path and a key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import InvalidField
from headway.model.ids import check_id, ulid

moments = st.integers(0, 2**48 - 1)
chances = st.binary(min_size=10, max_size=10)


def test_the_example_of_the_ulid_specification() -> None:
    assert ulid(1469918176385, bytes(10)) == "01ARYZ6S41" + "0" * 16
    assert ulid(2**48 - 1, b"\xff" * 10) == "7" + "Z" * 25


@given(moments, chances, moments, chances)
def test_ulids_sort_by_time(one: int, a: bytes, two: int, b: bytes) -> None:
    first, second = ulid(one, a), ulid(two, b)
    assert (first < second) is ((one, a) < (two, b))
    assert (first == second) is ((one, a) == (two, b))
    assert len(check_id(first)) == 26


@pytest.mark.parametrize(
    "value", ["a", "0", "A" * 64, "celery-5f2b_1", "0b9c6f5e-3f0a-4e0e-9a59-000000000000"]
)
def test_ids(value: str) -> None:
    assert check_id(value) == value


@pytest.mark.parametrize(
    "value",
    ["", "-a", "_a", "a" * 65, "a b", "a/b", "a.b", "ä", "a\n", "a\0", "\ud800", "..", None, 5, b"a", True],
)
def test_no_ids(value: object) -> None:
    with pytest.raises(InvalidField) as caught:
        check_id(value, "task")
    assert caught.value.details == {"field": "task"}
