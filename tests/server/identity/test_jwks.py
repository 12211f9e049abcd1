"""Keys behind a URL: one fetch for all who wait, none in a storm, and the last ones stay when the other side is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest
from joserfc.jwk import OctKey, RSAKey

from headway.errors import ConfigurationError, KeysUnavailable, TokenExpired, Unauthenticated
from headway.model.grant import Grant
from headway.server.identity import jwks
from headway.server.identity.claims import Terms
from headway.server.identity.jwks import KeyUrl
from headway.server.identity.keys import secret_key
from headway.server.identity.verifier import Verifier
from tests.server.identity.far_keys import FarKeys, far_keys
from tests.server.identity.makers import KEYS, key_set, signed
from tests.servers import SECRET

NEW = RSAKey.generate_key(2048)
OLD_SET = key_set((KEYS["RS256"], {"kid": "old"}))
BOTH_SETS = key_set((KEYS["RS256"], {"kid": "old"}), (NEW, {"kid": "new"}))


@pytest.fixture
async def far() -> AsyncIterator[FarKeys]:
    async with far_keys() as far:
        far.body = OLD_SET
        yield far


def make(far: FarKeys, cooldown: float = 3600.0) -> tuple[Verifier, KeyUrl]:
    url = KeyUrl(far.url, cooldown=cooldown)
    return Verifier([secret_key(SECRET)], Terms(), urls=[url]), url


def old(**claims: object) -> str:
    return signed({"sub": "ada", **claims}, KEYS["RS256"], "RS256", kid="old")


def new() -> str:
    return signed({"sub": "ada"}, NEW, "RS256", kid="new")


async def told(found: Grant | Awaitable[Grant]) -> str:
    return (found if isinstance(found, Grant) else await found).user


async def test_the_first_token_waits_for_the_keys_and_the_next_does_not(far: FarKeys) -> None:
    verifier, _ = make(far)
    first = verifier.verify(old())
    assert not isinstance(first, Grant)
    assert await told(first) == "ada"
    assert isinstance(verifier.verify(old(n=2)), Grant)
    assert far.asked == 1


async def test_many_at_once_make_one_request(far: FarKeys) -> None:
    verifier, _ = make(far)
    far.answering.clear()
    waiting = [asyncio.ensure_future(told(verifier.verify(old(n=n)))) for n in range(200)]
    while not far.asked:
        await asyncio.sleep(0.001)
    far.answering.set()
    assert set(await asyncio.gather(*waiting)) == {"ada"}
    assert far.asked == 1


async def test_who_gives_up_takes_nothing_from_the_others(far: FarKeys) -> None:
    verifier, _ = make(far)
    far.answering.clear()
    waiting = [asyncio.ensure_future(told(verifier.verify(old(n=n)))) for n in range(3)]
    while not far.asked:
        await asyncio.sleep(0.001)
    waiting[0].cancel()
    far.answering.set()
    assert await asyncio.gather(*waiting[1:]) == ["ada", "ada"]


async def test_a_key_that_is_not_known_is_looked_for_once_the_keys_have_changed(far: FarKeys) -> None:
    verifier, _ = make(far, cooldown=0)
    await told(verifier.verify(old()))
    far.body = BOTH_SETS
    assert await told(verifier.verify(new())) == "ada"
    assert isinstance(verifier.verify(old(n=2)), Grant)
    assert far.asked == 2


async def test_made_up_keys_do_not_make_a_storm(far: FarKeys) -> None:
    verifier, _ = make(far)
    await told(verifier.verify(old()))
    for number in range(50):
        with pytest.raises(Unauthenticated, match="not known"):
            await told(verifier.verify(signed({"sub": "eve"}, NEW, "RS256", kid=f"made-up-{number}")))
    assert far.asked == 1


async def test_a_wrong_signature_of_a_known_key_asks_nobody(far: FarKeys) -> None:
    verifier, _ = make(far, cooldown=0)
    await told(verifier.verify(old()))
    for forged in (
        signed({"sub": "eve"}, NEW, "RS256", kid="old"),
        signed({"sub": "eve"}, None, "HS256", kid="x"),
    ):
        found: Grant | Awaitable[Grant] | None = None
        try:
            found = verifier.verify(forged)
        except Unauthenticated:
            continue
        # Our own secret has no name, so it may be called as somebody likes.
        assert isinstance(found, Grant)
    assert far.asked == 1


async def test_a_key_that_was_taken_out_counts_no_more_and_is_not_remembered(far: FarKeys) -> None:
    verifier, url = make(far, cooldown=0)
    token = old()
    await told(verifier.verify(token))
    far.body = key_set((NEW, {"kid": "new"}))
    await url.fetch()
    with pytest.raises(Unauthenticated):
        await told(verifier.verify(token))


async def test_no_signature_makes_an_expired_token_good(far: FarKeys) -> None:
    verifier, _ = make(far)
    with pytest.raises(TokenExpired):
        await told(verifier.verify(old(exp=1)))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"broken"),
        (404, b""),
        (200, b"<html>"),
        (200, b'{"keys": []}'),
        (200, b"x" * 300_000),
        (302, b""),
    ],
)
async def test_what_is_known_stays_while_the_other_side_is_broken(
    far: FarKeys, status: int, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    verifier, url = make(far, cooldown=0)
    await told(verifier.verify(old()))
    far.status, far.body = status, body
    if status == 302:
        far.headers["Location"] = "/elsewhere.json"
    await url.fetch()
    assert isinstance(verifier.verify(old(n=2)), Grant)
    assert far.asked == 2
    assert "those known so far stay" in caplog.text
    # And it is found again when it is back.
    far.status, far.body, far.headers = 200, BOTH_SETS, {}
    assert await told(verifier.verify(new())) == "ada"


async def test_while_nobody_answers_a_token_may_come_again_and_our_own_count(far: FarKeys) -> None:
    far.status = 503
    verifier, _ = make(far)
    for _ in range(2):
        with pytest.raises(KeysUnavailable):
            await told(verifier.verify(old()))
    assert far.asked == 1
    with pytest.raises(Unauthenticated):
        await told(
            verifier.verify(signed({"sub": "ada"}, OctKey.import_key("another secret that is long enough")))
        )
    assert isinstance(verifier.verify(signed({"sub": "ada"})), Grant)


async def test_a_server_that_never_answers_is_given_up(far: FarKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "_SECONDS", 0.05)
    far.answering.clear()
    verifier, _ = make(far)
    with pytest.raises(KeysUnavailable):
        await told(verifier.verify(old()))


async def test_keys_are_fetched_anew_by_themselves(far: FarKeys) -> None:
    url = KeyUrl(far.url, refresh=0.01, cooldown=0)
    url.open()
    while far.asked < 3:
        await asyncio.sleep(0.001)
    await url.close()
    await url.close()
    assert [key.kid for key in url.keys] == ["old"]


@pytest.mark.parametrize(
    "address",
    [
        "http://login.example/keys",
        "ftp://login.example/keys",
        "file:///etc/passwd",
        "login.example/keys",
        "https://",
        "",
        "https://me:secret@login.example/keys",
    ],
)
def test_an_address_that_is_not_safe_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(ConfigurationError, match="jwks_url") as refused:
        KeyUrl(address)
    assert "secret" not in refused.value.message
