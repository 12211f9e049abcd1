"""What hostile or careless producers send: it is refused by name, or can always be encoded."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import InvalidField
from headway.model.bounds import MAX_DEPTH, check_json, check_label, check_text, is_number, readable


def nested(depth: int, kind: str = "list") -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value] if kind == "list" else {"k": value}
    return value


def test_numbers() -> None:
    assert is_number(0)
    assert is_number(0.5)
    for other in (True, "1", None, 1j, b"1"):
        assert not is_number(other)


@pytest.mark.parametrize("value", ["", "abcde", "ä\n\0é🚀"])
def test_text(value: str) -> None:
    assert check_text(value, "message", 5) is value


@pytest.mark.parametrize("value", ["abcdef", "\ud800", "a\udfff", 5, None, b"a", ["a"]])
def test_no_text(value: object) -> None:
    with pytest.raises(InvalidField) as caught:
        check_text(value, "message", 5)
    assert caught.value.details == {"field": "message"}


def test_a_label_has_no_nul() -> None:
    assert check_label("ä b", "kind", 5) == "ä b"
    with pytest.raises(InvalidField, match="NUL"):
        check_label("a\0", "kind", 5)


@given(st.text(st.characters()) | st.text("a\ud800\udc00é"))
def test_readable_has_an_encoding_and_keeps_what_had_one(text: str) -> None:
    shown = readable(text)
    shown.encode()
    assert len(shown) == len(text)
    assert all(
        new == old or (new == "?" and "\ud800" <= old <= "\udfff")
        for new, old in zip(shown, text, strict=True)
    )


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"a": (1, 2)}, {"a": [1, 2]}),
        ({"loss": float("nan"), "b": float("inf")}, {"loss": None, "b": None}),
        ({1: 2}, {"1": 2}),
        ([10**400], [10**400]),
        ({"at": dt.date(2026, 1, 2)}, {"at": "2026-01-02"}),
        (nested(MAX_DEPTH), nested(MAX_DEPTH)),
        ("[" * 500 + '\\"{', "[" * 500 + '\\"{'),
        ([[]] * 200, [[]] * 200),
        (None, None),
    ],
)
def test_json(value: Any, kept: Any) -> None:
    assert check_json(value, "detail", 2000) == kept


def test_json_is_a_copy() -> None:
    value = {"a": [1]}
    kept = check_json(value, "detail", 100)
    value["a"].append(2)
    assert kept == {"a": [1]}


def cycle() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        object(), "\ud800", {"\ud800": 1}, {"a": {None: 1}}, 10**5000, 1j, msgspec.Raw(b"{{"), cycle(),
        nested(MAX_DEPTH + 1), nested(MAX_DEPTH + 1, "object"), nested(500), nested(100_000), "x" * 1999,
    ],
    ids=[
        "object", "surrogate", "surrogate key", "key", "digits", "complex", "raw", "cycle",
        "deep list", "deep object", "deeper", "deepest", "long",
    ],
)  # fmt: skip
def test_no_json(value: Any) -> None:
    with pytest.raises(InvalidField) as caught:
        check_json(value, "detail", 2000)
    assert caught.value.details == {"field": "detail"}
    assert len(caught.value.message) < 100


def test_depth_is_not_fooled_by_strings() -> None:
    quoted = ['"[[' * 40, "\\", '\\"', "]]}}"] * 30
    assert check_json([quoted, nested(MAX_DEPTH - 1)], "meta", 20_000) == [quoted, nested(MAX_DEPTH - 1)]
    with pytest.raises(InvalidField, match="nested"):
        check_json([quoted, nested(MAX_DEPTH)], "meta", 20_000)


def test_what_is_wide_is_not_taken_for_deep() -> None:
    value: Any = [[] for _ in range(5000)]
    assert check_json(value, "result", 16_384) == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(json_values)
def test_what_passed_reads_back_as_it_was(value: Any) -> None:
    try:
        kept = check_json(value, "meta", 1_000)
    except InvalidField:
        return
    assert msgspec.json.decode(msgspec.json.encode(kept)) == kept
