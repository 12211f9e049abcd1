"""What is said about an exception that ended a task."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

import pytest

from headway.worker.ending import place_of, raised_at

HEARD: list[str | None] = []


def items() -> Iterator[int]:
    place = place_of(sys._getframe(1))
    try:
        yield from range(5)
    except GeneratorExit:
        HEARD.append(raised_at(sys._getframe(1), place))
        raise


def by_break() -> None:
    for _ in items():
        break


def by_return() -> int | None:
    for item in items():
        return item
    return None


def by_return_in_with() -> int | None:
    for item in items():
        with contextlib.nullcontext():
            return item
    return None


def by_next() -> None:
    next(item for item in items())


def by_any() -> None:
    any(item == 2 for item in items())


def by_deletion() -> None:
    kept = items()
    next(kept)
    del kept


def by_close() -> None:
    with contextlib.closing(items()) as kept:  # type: ignore[type-var]
        next(kept)


def by_raise() -> None:
    for _ in items():
        raise ValueError


def by_call() -> None:
    for _ in items():
        int("x")


def by_key() -> None:
    for _ in items():
        dict[str, int]()["x"]


def by_zip() -> None:
    for _ in zip(items(), range(5), strict=False):
        raise ValueError


def by_error_and_close() -> None:
    with contextlib.closing(items()) as kept:  # type: ignore[type-var]
        for _ in kept:
            raise ValueError("bad row")


def heard(body: Callable[[], object]) -> str | None:
    HEARD.clear()
    with contextlib.suppress(ValueError, KeyError):
        body()
    (only,) = HEARD
    return only


@pytest.mark.parametrize(
    "body", [by_break, by_return, by_return_in_with, by_next, by_any, by_deletion, by_close]
)
def test_by_choice(body: Callable[[], object]) -> None:
    assert heard(body) is None


@pytest.mark.parametrize("body", [by_raise, by_call, by_key, by_zip])
def test_by_an_exception(body: Callable[[], object]) -> None:
    said = heard(body)
    assert said is not None
    assert "test_ending.py, line" in said


def test_an_exception_that_is_being_handled_is_named() -> None:
    assert heard(by_error_and_close) == "ValueError: bad row"
