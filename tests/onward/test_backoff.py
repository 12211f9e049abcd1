"""Waits grow, stay within their bounds, and come to an end."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from headway.onward.backoff import Backoff

CHANCE = st.floats(0, 1)
BEGAN = 1_700_000_000_000


def attempts(chances: list[float], asked: list[float | None], backoff: Backoff) -> list[int]:
    """When each attempt was made, of a receiver that always fails at once."""
    made = [BEGAN]
    while True:
        number = len(made)
        at = backoff.next_try(
            BEGAN, number, made[-1], chances[number % len(chances)], asked[number % len(asked)]
        )
        if at is None:
            return made
        made.append(at)


@given(st.lists(CHANCE, min_size=1), st.lists(st.none() | st.floats(0, 1e6), min_size=1))
def test_a_receiver_that_always_fails_is_given_up_within_the_span_after_a_few_attempts(
    chances: list[float], asked: list[float | None]
) -> None:
    backoff = Backoff()
    made = attempts(chances, asked, backoff)
    assert made[-1] <= BEGAN + backoff.span * 1000
    assert 5 <= len(made) <= 15
    waits = [after - before for before, after in pairwise(made)]
    assert all(5_000 <= wait <= backoff.longest * 1200 for wait in waits)


@given(CHANCE)
def test_waits_grow_by_their_factor_and_at_most_a_fifth_of_chance(chance: float) -> None:
    backoff = Backoff(first=5, factor=3, longest=100)
    for number, wait in enumerate((5, 15, 45, 100, 100), 1):
        at = backoff.next_try(BEGAN, number, BEGAN, chance)
        assert at is not None
        assert wait * 1000 <= at - BEGAN <= wait * 1200


@given(CHANCE, st.floats(0, 1e9))
def test_what_the_receiver_asks_for_is_kept_to_within_reason(chance: float, asked: float) -> None:
    backoff = Backoff(first=5, longest=100, span=1e6)
    at = backoff.next_try(BEGAN, 1, BEGAN, chance, asked)
    assert at is not None
    assert max(5, min(asked, 100)) * 1000 - 1 <= at - BEGAN <= 100 * 1200


def test_the_first_day_with_its_usual_waits() -> None:
    made = attempts([0.0], [None], Backoff())
    assert [round((at - BEGAN) / 1000) for at in made[:6]] == [0, 5, 20, 65, 200, 605]


def test_after_thousands_of_attempts_it_still_counts() -> None:
    assert Backoff(span=1e9).next_try(BEGAN, 100_000, BEGAN, 0.0) == BEGAN + 14_400_000


def test_without_a_span_there_is_one_attempt() -> None:
    assert Backoff(span=0).next_try(BEGAN, 1, BEGAN, 0.0) is None
