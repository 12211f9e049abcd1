"""How long a connection may last."""

from __future__ import annotations

import pytest

from headway.errors import LifetimeOver, TokenExpired
from headway.wire.lease import Lease
from headway.wire.session import SessionLimits

LIMITS = SessionLimits(expiring_before=60, grace=5)


def test_without_a_token_that_ends_it_lasts_for_ever() -> None:
    lease = Lease(LIMITS, None, 0)
    lease.renew(None, 0)
    assert lease.next() == float("inf")
    assert not lease.due(1e12)


def test_it_is_told_once_and_ends_after_the_grace() -> None:
    lease = Lease(LIMITS, None, 0)
    lease.renew(100, 0)
    assert lease.next() == 40
    assert not lease.due(39.9)
    assert lease.due(40)
    assert lease.remaining(40) == 60
    assert not lease.due(41)
    assert lease.next() == 105
    assert not lease.due(104.9)
    assert lease.remaining(104) == 0
    with pytest.raises(TokenExpired):
        lease.due(105)


def test_a_new_token_begins_anew_even_in_the_grace() -> None:
    lease = Lease(LIMITS, None, 0)
    lease.renew(10, 0)
    assert lease.due(0)
    lease.renew(100, 14)
    assert lease.next() == 54
    assert not lease.due(20)
    assert lease.due(54)
    lease.renew(None, 60)
    assert lease.next() == float("inf")


def test_no_token_makes_a_lifetime_longer() -> None:
    lease = Lease(LIMITS, 30, 5)
    lease.renew(1000, 20)
    assert lease.next() == 35
    with pytest.raises(LifetimeOver):
        lease.due(35)
