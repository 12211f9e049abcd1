"""The conversation as a state machine: what may be said when, and what falls due."""

from __future__ import annotations

import pytest

from headway.errors import AuthTimeout, LifetimeOver, RateLimited
from headway.wire.lease import Due
from headway.wire.session import Session, SessionLimits

LIMITS = SessionLimits(auth_timeout=10, heartbeat=25, message_rate=10, message_burst=5)
PING = b'{"type":"ping"}'


def test_messages_are_allowed_at_a_rate_whatever_they_are() -> None:
    session = Session(LIMITS, 0)
    for _ in range(5):
        session.receive(PING, 0)
    with pytest.raises(RateLimited):
        session.receive(b"nonsense", 0)
    session.count(1)


def test_a_lifetime_begins_with_the_first_token_and_is_not_renewed() -> None:
    session = Session(LIMITS, 0)
    session.welcome("ada", None, 5, lifetime=30)
    session.welcome("ada", None, 20, lifetime=30)
    assert session.wait(20) == 10
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
