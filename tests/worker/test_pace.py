"""How often batches leave."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headway.worker.pace import INTERVAL, LONGEST_DELAY, REFUSED_DELAY, Pace


def test_at_most_twenty_batches_a_second() -> None:
    pace = Pace()
    pace.sent(10.0)
    assert pace.ready_at == 10.0 + INTERVAL


@given(st.integers(1, 2000), st.floats(0, 1))
def test_delays_double_up_to_a_limit_and_are_spread(failures: int, chance: float) -> None:
    pace = Pace()
    for _ in range(failures):
        pace.failed(0.0, chance)
    assert INTERVAL <= pace.ready_at <= LONGEST_DELAY
    assert pace.ready_at == max(INTERVAL, chance * min(LONGEST_DELAY, 0.2 * 2.0 ** min(failures - 1, 16)))


def test_a_success_begins_anew_and_a_refusal_is_asked_about_rarely() -> None:
    pace = Pace()
    for _ in range(9):
        pace.failed(0.0, 1.0)
    pace.succeeded()
    pace.failed(0.0, 1.0)
    assert pace.ready_at == 0.2
    pace.refused(5.0)
    assert pace.ready_at == 5.0 + REFUSED_DELAY
    pace.hurry()
    assert pace.ready_at == 0.0
