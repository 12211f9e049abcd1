"""A ticket is good once, for seconds, and for pages of one origin."""

from __future__ import annotations

import asyncio

import pytest

from headway.errors import OriginRefused, Unauthenticated
from headway.model.grant import Grant
from headway.server.identity.tickets import Tickets
from headway.stores.memory import MemoryStore
from headway.transports.credentials import Brought

NOW = 1_800_000_000.0
APP = "https://app.example"
GRANT = Grant("ada", ("project:7",), id="t-1", expires_at=NOW + 3600, issued_at=NOW)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def tickets(clock: Clock) -> Tickets:
    store = MemoryStore()
    await store.open()
    return Tickets(store, frozenset(("https://friend.example",)), clock=clock)


def come(ticket: str, origin: str = APP, host: str = "headway.example") -> Brought:
    return Brought(ticket=ticket, origin=origin, host=host)


async def test_it_stands_for_the_grant_once(tickets: Tickets) -> None:
    ticket, seconds = await tickets.issue(GRANT, APP)
    assert (ticket[:4], seconds) == ("hwt_", 30)
    assert await tickets.redeem(come(ticket)) == GRANT
    with pytest.raises(Unauthenticated, match="was used"):
        await tickets.redeem(come(ticket))


async def test_of_many_who_use_it_at_once_one_comes_in(tickets: Tickets) -> None:
    ticket, _ = await tickets.issue(GRANT, APP)
    outcomes = await asyncio.gather(
        *(tickets.redeem(come(ticket)) for _ in range(20)), return_exceptions=True
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, Grant)] == [GRANT]


async def test_it_is_soon_too_old(tickets: Tickets, clock: Clock) -> None:
    ticket, _ = await tickets.issue(GRANT, APP)
    clock.now += 30
    with pytest.raises(Unauthenticated, match="too old"):
        await tickets.redeem(come(ticket))


@pytest.mark.parametrize(
    ("made_for", "used_by", "good"),
    [
        (APP, APP, True),
        (APP, "https://APP.example", True),
        (APP, "http://app.example", False),
        (APP, "https://app.example:8443", False),
        (APP, "https://evil.example", False),
        (APP, "https://app.example.evil.example", False),
        (APP, "null", False),
        (APP, "", False),
        # Browsers leave the origin out when a page asks its own server.
        ("https://headway.example", "", True),
        ("", "", True),
        ("", "https://headway.example", True),
        ("", "https://friend.example", True),
        ("", "https://evil.example", False),
        ("", "null", False),
    ],
)
async def test_who_may_use_it(tickets: Tickets, made_for: str, used_by: str, good: bool) -> None:
    ticket, _ = await tickets.issue(GRANT, made_for)
    if good:
        assert await tickets.redeem(come(ticket, used_by)) == GRANT
    else:
        with pytest.raises(OriginRefused):
            await tickets.redeem(come(ticket, used_by))
        # A page that may not use it cannot use it up either.
        rightful = made_for or "https://headway.example"
        assert await tickets.redeem(come(ticket, rightful)) == GRANT


@pytest.mark.parametrize("wrong", ["", "hwt_", "hwt_" + "A" * 32, "x" * 5000, "hwk_a_b", "\ud800", "hwt_\0"])
async def test_what_is_no_ticket(tickets: Tickets, wrong: str) -> None:
    with pytest.raises(Unauthenticated):
        await tickets.redeem(come(wrong))


async def test_what_is_kept_lets_nobody_in(tickets: Tickets) -> None:
    ticket, _ = await tickets.issue(GRANT, APP)
    (document,) = await tickets._store.documents("ticket")
    assert ticket not in f"{document}"
    with pytest.raises(Unauthenticated):
        await tickets.redeem(come(document.id))
