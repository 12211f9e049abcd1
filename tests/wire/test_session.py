"""The conversation as a state machine: what may be said when, and what falls due."""

from __future__ import annotations

import pytest

from headway.errors import AuthTimeout, Flooding, LifetimeOver, RateLimited
from headway.wire.session import Due, Session, SessionLimits

LIMITS = SessionLimits(auth_timeout=10, heartbeat=25, message_rate=10, message_burst=5)
PING = b'{"type":"ping"}'


def refused(session: Session, now: float, count: int) -> int:
    """How many of so many messages are refused."""
    found = 0
    for _ in range(count):
        try:
            session.receive(PING, now)
        except RateLimited:
            found += 1
    return found


def test_a_burst_is_let_through_and_then_the_rate() -> None:
    session = Session(LIMITS, 0)
    assert refused(session, 0, 8) == 3
    assert refused(session, 1, 8) == 3
    assert refused(session, 1.3, 4) == 1


def test_who_is_a_little_above_the_rate_is_warned_for_ever() -> None:
    session = Session(LIMITS, 0)
    # 150 a second, where 10 are allowed.
    warned = sum(refused(session, second / 10, 15) for second in range(10_000))
    assert warned == pytest.approx(140_000, rel=0.01)


def test_who_goes_on_far_beyond_the_rate_is_closed() -> None:
    session = Session(LIMITS, 0)
    assert refused(session, 0, 1005) == 1000
    with pytest.raises(Flooding):
        session.receive(PING, 0)


def test_who_calms_down_is_forgiven() -> None:
    session = Session(LIMITS, 0)
    for pause in range(20):
        refused(session, pause * 10, 1000)
    assert refused(session, 200, 5) == 0


def test_a_lifetime_begins_with_the_first_token_and_is_not_renewed() -> None:
    session = Session(LIMITS, 0)
    session.welcome("ada", None, 5, lifetime=30)
    session.welcome("ada", None, 20, lifetime=30)
    assert session.wait(20) == 5
    session.heard(34)
    assert session.turn(34.9) is Due.HEARTBEAT
    assert session.wait(34.9) == pytest.approx(0.1)
    with pytest.raises(LifetimeOver):
        session.turn(35)


def test_without_a_lifetime_a_conversation_goes_on() -> None:
    session = Session(LIMITS, 0)
    session.welcome("ada", None, 0)
    for now in range(0, 100_000, 25):
        session.heard(now)
        assert session.turn(now) in {Due.HEARTBEAT, Due.NOTHING}


def test_without_a_token_it_ends() -> None:
    session = Session(LIMITS, 0)
    assert session.wait(4) == 6
    assert session.turn(9.9) is Due.NOTHING
    with pytest.raises(AuthTimeout):
        session.turn(10)
