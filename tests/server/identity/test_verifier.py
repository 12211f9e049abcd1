"""Tokens are verified with all keys at once, and a signature that was checked is not checked again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from headway.errors import TokenExpired, Unauthenticated
from headway.model.grant import Grant
from headway.model.token import names_of
from headway.server.identity.claims import Terms
from headway.server.identity.keys import pem_keys, secret_key
from headway.server.identity.verifier import Verifier
from tests.server.identity.makers import KEYS, crude, public_pem, signed
from tests.servers import SECRET

NOW = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(clock: Clock) -> Verifier:
    keys = [secret_key(SECRET), *(key for kind in KEYS for key in pem_keys(public_pem(kind)))]
    return Verifier(keys, Terms(), clock=clock)


def user(found: Grant | Awaitable[Grant]) -> str:
    assert isinstance(found, Grant)
    return found.user


@pytest.mark.parametrize("algorithm", ["HS256", *KEYS])
def test_each_source_is_believed_beside_the_others(verifier: Verifier, algorithm: str) -> None:
    assert user(verifier.verify(signed({"sub": "ada"}, KEYS.get(algorithm), algorithm))) == "ada"


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (crude({"alg": "none"}, {"sub": "ada"}), "algorithm"),
        (crude({"alg": "HS512"}, {"sub": "ada"}, b"x" * 64), "algorithm"),
        (crude({"alg": "HS256"}, {"sub": "ada"}, b"x" * 32), "not valid here"),
        (crude({}, {"sub": "ada"}, b"x" * 32), "algorithm"),
        (crude([], {"sub": "ada"}, b"x" * 32), "not valid here"),
        ("x" * 8193, "too long"),
        ("no token", "not valid here"),
        ("[" * 4000 + ".x.y", "not valid here"),
        ("W" * 6000 + ".x.y", "not valid here"),
        ("W1tbW1tb" * 500 + ".x.y", "not valid here"),
    ],
)
def test_what_is_refused_says_why_and_never_what(verifier: Verifier, token: str, said: str) -> None:
    with pytest.raises(Unauthenticated, match=said) as refused:
        verifier.verify(token)
    assert token[:40] not in refused.value.message


def test_what_is_remembered_still_expires(verifier: Verifier, clock: Clock) -> None:
    token = signed({"sub": "ada", "exp": NOW + 10})
    assert user(verifier.verify(token)) == "ada"
    assert user(verifier.verify(token)) == "ada"
    clock.now += 10
    for _ in range(2):
        with pytest.raises(TokenExpired):
            verifier.verify(token)


def test_only_the_very_same_token_is_remembered(verifier: Verifier) -> None:
    token = signed({"sub": "ada"})
    verifier.verify(token)
    for other in (token[:-4] + "AAAA", token + "x", token.replace(".", "..", 1)):
        with pytest.raises(Unauthenticated):
            verifier.verify(other)


def test_what_is_remembered_is_bounded(verifier: Verifier) -> None:
    for number in range(2100):
        verifier.verify(signed({"sub": "ada", "n": number}))
    assert len(verifier._remembered) == 2000


def test_a_token_is_known_by_its_id_or_by_what_it_says(verifier: Verifier) -> None:
    for token in (signed({"sub": "ada", "jti": "t-1"}), signed({"sub": "ada"})):
        grant = verifier.verify(token)
        assert isinstance(grant, Grant)
        assert grant.id == names_of(token)[0]


async def test_nothing_waits_while_keys_are_at_hand(verifier: Verifier) -> None:
    found = verifier.verify(signed({"sub": "ada"}))
    assert not asyncio.iscoroutine(found)
