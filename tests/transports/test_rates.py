"""Rates of users and addresses, with a clock of the test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from headway.errors import ConnectingTooOften, RateLimited
from headway.model.grant import ANONYMOUS
from headway.transports.addresses import Proxies
from headway.transports.rates import Buckets, Limits, Rates

PUBLIC = "192.0.2.7"


def test_a_bucket_gives_a_burst_and_then_its_rate() -> None:
    buckets = Buckets(2.0)
    assert [buckets.take("ada", 100.0) for _ in range(20)] == [0.0] * 20
    assert buckets.take("ada", 100.0) == 0.5
    # Asking in vain costs nothing.
    assert buckets.take("ada", 100.25) == 0.25
    assert buckets.take("ada", 100.5) == 0.0
    assert buckets.take("bob", 100.5) == 0.0


def test_a_quiet_bucket_fills_to_its_burst_and_no_further() -> None:
    buckets = Buckets(1.0)
    for _ in range(10):
        buckets.take("ada", 0.0)
    assert [buckets.take("ada", 1e6) for _ in range(11)] == [0.0] * 10 + [1.0]


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    buckets = Buckets(0.1)
    assert buckets.take("ada", 50.0) == 0.0
    assert buckets.take("ada", 40.0) == 10.0


def test_nothing_is_limited_or_remembered_without_a_rate() -> None:
    buckets = Buckets(0)
    assert [buckets.take("ada", 0.0) for _ in range(1000)] == [0.0] * 1000
    assert len(buckets) == 0


def test_memory_is_bounded_and_the_quietest_is_forgotten_first() -> None:
    buckets = Buckets(0.1, most=3)
    buckets.take("busy", 0.0)
    for number in range(100):
        assert buckets.take("busy", 0.0) > 0
        buckets.take(f"passing-{number}", 0.0)
    assert len(buckets) == 3


def test_each_kind_has_buckets_of_its_own() -> None:
    rates = Rates(Limits(*[0.1] * 6))
    rates.arrive(PUBLIC, 0.0)
    rates.enter("ada", PUBLIC, 0.0)
    rates.knock(PUBLIC, 0.0)
    rates.ask("ada", PUBLIC, 0.0)
    rates.ask("ada", PUBLIC, 0.0, reports=True)
    rates.say("ada", PUBLIC, 0.0)
    again: Callable[[], None]
    for again in (lambda: rates.arrive(PUBLIC, 0.0), lambda: rates.enter("ada", PUBLIC, 0.0)):
        with pytest.raises(ConnectingTooOften) as connecting:
            again()
        assert connecting.value.details == {"retry_after": 10}
    asking: Callable[[], None]
    for asking in (
        lambda: rates.knock(PUBLIC, 0.0),
        lambda: rates.ask("ada", PUBLIC, 0.0),
        lambda: rates.ask("ada", PUBLIC, 0.0, reports=True),
        lambda: rates.say("ada", PUBLIC, 0.0),
    ):
        with pytest.raises(RateLimited, match="try again in 10 s"):
            asking()
    rates.enter("bob", PUBLIC, 0.0)


def test_those_who_are_nobody_are_counted_by_their_place() -> None:
    rates = Rates(Limits(*[0.1] * 6))
    for address in (PUBLIC, "192.0.2.8"):
        rates.enter(ANONYMOUS, address, 0.0)
        rates.say(ANONYMOUS, address, 0.0)
    with pytest.raises(ConnectingTooOften):
        rates.enter(ANONYMOUS, PUBLIC, 0.0)
    with pytest.raises(RateLimited):
        rates.say(ANONYMOUS, PUBLIC, 0.0)
    # Nor do they use up what a user has whose name looks like a place.
    rates.enter(PUBLIC, PUBLIC, 0.0)


def test_a_network_of_ipv6_is_one_place() -> None:
    rates = Rates(Limits(requests_per_address=0.1))
    rates.knock("2001:db8::1", 0.0)
    with pytest.raises(RateLimited):
        rates.knock("2001:db8::2", 0.0)


@pytest.mark.parametrize("address", ["", "127.0.0.1"])
def test_who_speaks_for_many_is_not_limited(address: str) -> None:
    rates = Rates(Limits(*[0.1] * 6), Proxies(["127.0.0.1"]))
    for _ in range(100):
        rates.arrive(address, 0.0)
        rates.enter("ada", address, 0.0)
        rates.knock(address, 0.0)
        rates.ask("ada", address, 0.0)
        rates.say("ada", address, 0.0)
