"""What falls due on a connection, and how long it may last."""

from __future__ import annotations

import pytest

from headway.errors import LifetimeOver, TokenExpired
from headway.wire.lease import Due, Lease
from headway.wire.session import SessionLimits

SILENT = float("inf")
LIMITS = SessionLimits(heartbeat=SILENT, expiring_before=60, grace=5)


def test_without_a_token_that_ends_it_lasts_for_ever() -> None:
    lease = Lease(LIMITS, None, 0)
    lease.renew(None, 0)
    assert lease.next() == float("inf")
    assert lease.due(1e12) is Due.NOTHING


def test_it_is_told_once_and_ends_after_the_grace() -> None:
    lease = Lease(LIMITS, None, 0)
    lease.renew(100, 0)
    assert lease.next() == 40
    assert lease.due(39.9) is Due.NOTHING
    assert lease.due(40) is Due.EXPIRING
    assert lease.remaining(40) == 60
    assert lease.due(41) is Due.NOTHING
    assert lease.next() == 105
    assert lease.due(104.9) is Due.NOTHING
    assert lease.remaining(104) == 0
    with pytest.raises(TokenExpired):
        lease.due(105)


def test_a_new_token_begins_anew_even_in_the_grace() -> None:
    lease = Lease(LIMITS, None, 0)
    lease.renew(10, 0)
    assert lease.due(0) is Due.EXPIRING
    lease.renew(100, 14)
    assert lease.next() == 54
    assert lease.due(20) is Due.NOTHING
    assert lease.due(54) is Due.EXPIRING
    lease.renew(None, 60)
    assert lease.next() == float("inf")


def test_no_token_makes_a_lifetime_longer() -> None:
    lease = Lease(LIMITS, 30, 5)
    lease.renew(1000, 20)
    assert lease.next() == 35
    with pytest.raises(LifetimeOver):
        lease.due(35)


def test_it_beats_until_it_ends() -> None:
    lease = Lease(SessionLimits(heartbeat=25, expiring_before=60), 100, 0)
    assert lease.next() == 25
    assert lease.due(24.9) is Due.NOTHING
    assert lease.due(26) is Due.HEARTBEAT
    assert lease.due(26) is Due.NOTHING
    assert lease.next() == 51
    lease.put_off(50)
    assert lease.due(51) is Due.NOTHING
    assert lease.next() == 75
    # What ends soon is said before anything else, and the heartbeat is not lost by it.
    lease.renew(60, 75)
    assert [lease.due(75), lease.due(75), lease.due(75)] == [Due.EXPIRING, Due.HEARTBEAT, Due.NOTHING]
    assert lease.next() == 100
    with pytest.raises(LifetimeOver):
        lease.due(100)
