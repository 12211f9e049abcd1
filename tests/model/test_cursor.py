"""Cursors. (What is one and what is none is in `spec/vectors/native.json`.)"""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.model.cursor import CURSOR_CHARS, MAX_REV, Cursor


@given(st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True), st.integers(0, MAX_REV))
def test_a_cursor_reads_back_as_it_was(epoch: str, rev: int) -> None:
    text = str(Cursor(epoch, rev))
    assert len(text) <= CURSOR_CHARS
    assert Cursor.parse(text) == Cursor(epoch, rev)


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        1.5,
        True,
        b"a.1",
        ["a", 1],
        {"epoch": "a"},
        Cursor("a", 1),
        "a\ud800.1",
        "a." + "9" * 10_000,
        f"a.{MAX_REV + 1}",
    ],
)
def test_anything_else_is_none(value: object) -> None:
    assert Cursor.parse(value) is None


@given(st.text() | st.from_regex(r"[a-z]{0,3}\.?[0-9]{0,20}"))
def test_what_is_read_is_written_back_the_same(text: str) -> None:
    cursor = Cursor.parse(text)
    assert cursor is None or (str(cursor) == text and 0 <= cursor.rev <= MAX_REV)


def test_a_subscription_pays_little_for_its_cursor() -> None:
    assert sys.getsizeof(Cursor("a", 1)) <= 64
