"""Tokens: what they carry, and what is not believed."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from headway.errors import ConfigurationError, HeadwayError, InvalidField, TokenExpired, Unauthenticated
from headway.model.grant import Ability, Grant
from headway.server.tokens import Tokens, kept_secret

SECRET = "a secret of the tests that is long enough"
NOW = 1_800_000_000.5


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(SECRET, lambda: NOW)


def signed(claims: Any, header: dict[str, Any] | None = None, secret: str = SECRET) -> str:
    """A token that somebody else made, with the right secret unless told otherwise."""
    header = header or {"alg": "HS256"}
    return jwt.encode(header, claims, OctKey.import_key(secret), algorithms=[header["alg"]])


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_what_was_put_in_comes_out(tokens: Tokens) -> None:
    token = tokens.make(
        "ada",
        channels=["project:*", "public"],
        tasks=["t-1"],
        can=[Ability.READ, Ability.PUBLISH],
        ttl=60,
        token_id="mine",
    )
    assert tokens.verify(token) == Grant(
        "ada",
        ("project:*", "public"),
        ("t-1",),
        frozenset((Ability.READ, Ability.PUBLISH)),
        expires_at=int(NOW) + 60,
        id="mine",
        issued_at=NOW,
    )


def test_a_token_is_never_younger_than_it_is() -> None:
    # Or a revocation of all that its user had would pass it over.
    made = Tokens(SECRET, lambda: NOW + 0.000_7)
    assert made.verify(made.make("ada")).issued_at == NOW + 0.000_7


def test_without_abilities_a_token_reads_and_cancels(tokens: Tokens) -> None:
    assert tokens.verify(signed({"sub": "ada"})).can == {Ability.READ, Ability.CANCEL}
    assert tokens.verify(signed({"sub": "ada", "can": []})).can == frozenset()
    assert tokens.verify(tokens.make("ada")).expires_at is None


@pytest.mark.parametrize("user", ["", "a b", "a/b", "*", "a\n", "é", "x" * 300])
def test_nobody_is_made_who_cannot_be(tokens: Tokens, user: str) -> None:
    with pytest.raises(InvalidField):
        tokens.make(user)


@pytest.mark.parametrize("given", [{"channels": ["everything"]}, {"channels": ["user:"]}, {"tasks": ["a b"]}])
def test_no_token_is_made_for_what_cannot_be(tokens: Tokens, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidField):
        tokens.make("ada", **given)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "é.é.é",
        "\0",
        "\ud800",
        "x" * 8193,
        f"{part({'alg': 'none'})}.{part({'sub': 'ada'})}.",
        f"{part({'alg': 'none'})}.{part({'sub': 'ada'})}",
        f"{part({'alg': 'HS256'})}.{part({'sub': 'ada'})}.",
        f"{part({'alg': 'RS256'})}.{part({'sub': 'ada'})}.AAAA",
        f"{part([])}.{part({'sub': 'ada'})}.AAAA",
        f"{part({'alg': ['HS256']})}.{part({'sub': 'ada'})}.AAAA",
        f"{'W' * 4000}.{part({'sub': 'ada'})}.AAAA",
        signed({"sub": "ada"}, secret="another secret that is also long enough"),
        signed({"sub": "ada"}, {"alg": "HS512"}),
        signed({"sub": "ada"})[:-2],
        signed({"sub": "ada"}) + "A",
        signed({"sub": "ada"}) + ".x",
    ],
)
def test_what_is_no_token_of_ours(tokens: Tokens, token: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        tokens.verify(token)
    # Whatever is logged about it, the token is not.
    assert len(token) < 5 or token not in f"{refused.value!r} {refused.value.details}"


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sub": None},
        {"sub": 5},
        {"sub": ["ada"]},
        {"sub": "a b"},
        {"sub": "*"},
        {"sub": "ada", "can": "admin"},
        {"sub": "ada", "can": {"admin": True}},
        {"sub": "ada", "can": ["fly"]},
        {"sub": "ada", "can": [["admin"]]},
        {"sub": "ada", "can": ["read"] * 101},
        {"sub": "ada", "channels": "*"},
        {"sub": "ada", "channels": ["all"]},
        {"sub": "ada", "channels": [5]},
        {"sub": "ada", "tasks": ["a b"]},
        {"sub": "ada", "tasks": [None]},
        {"sub": "ada", "exp": "tomorrow"},
        {"sub": "ada", "exp": True},
        {"sub": "ada", "exp": -1},
        {"sub": "ada", "exp": 10**400},
        {"sub": "ada", "nbf": NOW + 60},
        {"sub": "ada", "nbf": "now"},
    ],
)
def test_signed_claims_that_make_no_sense(tokens: Tokens, claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(signed(claims))


def test_expiry_is_told_from_other_refusals(tokens: Tokens) -> None:
    assert tokens.verify(signed({"sub": "ada", "exp": NOW + 0.5})).expires_at == NOW + 0.5
    for exp in (NOW, NOW - 1, 0):
        with pytest.raises(TokenExpired):
            tokens.verify(signed({"sub": "ada", "exp": exp}))
    # One that was never ours has not expired.
    with pytest.raises(Unauthenticated):
        tokens.verify(signed({"sub": "ada", "exp": 0}, secret="another secret that is also long enough"))


def test_the_secret_of_a_folder_is_kept_for_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    secret = kept_secret(folder)
    assert len(secret) >= 32
    assert kept_secret(folder) == secret
    assert kept_secret(tmp_path / "other") != secret
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    # A folder in a repository is not committed by mistake.
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        kept_secret(tmp_path / "file" / "data")


@pytest.mark.parametrize("content", ["", "  \n"])
def test_a_secret_that_was_half_written_is_not_used(tmp_path: Path, content: str) -> None:
    # Nothing at all would be a secret that everybody knows.
    (tmp_path / "secret").write_text(content)
    with pytest.raises(HeadwayError):
        kept_secret(tmp_path)
