"""How much one client may say."""

from __future__ import annotations

import pytest

from headway.errors import Flooding, RateLimited
from headway.wire.allowance import Allowance
from headway.wire.session import SessionLimits

LIMITS = SessionLimits(message_rate=10, message_burst=5)


def refused(allowance: Allowance, now: float, count: int) -> int:
    """How many of so many messages are refused."""
    found = 0
    for _ in range(count):
        try:
            allowance.count(now)
        except RateLimited:
            found += 1
    return found


def test_a_burst_is_let_through_and_then_the_rate() -> None:
    allowance = Allowance(LIMITS, 0)
    assert refused(allowance, 0, 8) == 3
    assert refused(allowance, 1, 8) == 3
    assert refused(allowance, 1.3, 4) == 1


def test_who_is_a_little_above_the_rate_is_warned_for_ever() -> None:
    allowance = Allowance(LIMITS, 0)
    # 150 a second, where 10 are allowed.
    warned = sum(refused(allowance, second / 10, 15) for second in range(10_000))
    assert warned == pytest.approx(140_000, rel=0.01)


def test_who_goes_on_far_beyond_the_rate_is_closed() -> None:
    allowance = Allowance(LIMITS, 0)
    assert refused(allowance, 0, 1005) == 1000
    with pytest.raises(Flooding):
        allowance.count(0)


def test_who_calms_down_is_forgiven() -> None:
    allowance = Allowance(LIMITS, 0)
    for pause in range(20):
        refused(allowance, pause * 10, 1000)
    assert refused(allowance, 200, 5) == 0
