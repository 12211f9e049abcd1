"""What claims must say, under which names, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest

from headway.errors import HeadwayError, TokenExpired, Unauthenticated
from headway.model.grant import Ability, Grant
from headway.server.identity.claims import Terms, read_grant

NOW = 1_800_000_000.0


def read(claims: dict[str, Any], **terms: Any) -> Grant:
    return read_grant({"sub": "ada", **claims}, Terms(**terms), NOW, lambda: "~digest")


def test_a_token_has_a_name_to_be_revoked_by() -> None:
    assert read({"jti": "t-1"}).id == "t-1"
    assert read({}).id == "~digest"
    wrong: Any
    for wrong in ("~looks like a digest", 5, "x" * 151, [], True):
        with pytest.raises(Unauthenticated):
            read({"jti": wrong})


@pytest.mark.parametrize(
    "issuer", [None, "https://login.example", "https://login.example/ ", 5, ["https://login.example/"]]
)
def test_only_the_issuer_that_was_set_counts(issuer: Any) -> None:
    with pytest.raises(Unauthenticated, match="issuer"):
        read({"iss": issuer}, issuer="https://login.example/")
    assert read({"iss": "https://login.example/"}, issuer="https://login.example/").user == "ada"


@pytest.mark.parametrize("audience", [None, "billing", [], ["billing"], "headwa", {"headway": 1}, "headway2"])
def test_who_is_not_named_in_the_audience_refuses(audience: Any) -> None:
    with pytest.raises(Unauthenticated, match="audience"):
        read({"aud": audience}, audience="headway")
    for meant in ("headway", ["billing", "headway"]):
        assert read({"aud": meant}, audience="headway").user == "ada"


def test_a_token_for_somebody_else_by_name_is_not_for_a_server_without_a_name() -> None:
    with pytest.raises(Unauthenticated, match="audience"):
        read({"aud": "billing"})


def test_clocks_may_differ_by_the_leeway() -> None:
    for late in (0, 9):
        with pytest.raises(TokenExpired):
            read({"exp": NOW - late})
        # What counts here is when it ends here.
        assert read({"exp": NOW - late}, leeway=10).expires_at == NOW - late + 10
    with pytest.raises(TokenExpired):
        read({"exp": NOW - 10}, leeway=10)
    with pytest.raises(Unauthenticated, match="not valid yet"):
        read({"nbf": NOW + 5})
    assert read({"nbf": NOW + 5}, leeway=10).user == "ada"


def test_a_token_from_the_future_would_outlive_every_revocation() -> None:
    assert read({"iat": NOW + 30}).issued_at == NOW + 30
    with pytest.raises(Unauthenticated, match="future"):
        read({"iat": NOW + 3600})


def test_claims_may_have_other_names() -> None:
    names = {
        "user": "https://example.com/login",
        "channels": "https://example.com/channels",
        "tasks": "jobs",
        "can": "scope",
    }
    claims = {
        "https://example.com/login": "bob",
        "https://example.com/channels": ["project:7"],
        "jobs": ["t-1"],
        "scope": "openid headway:read publish email headway:fly",
        "channels": ["*"],
        "can": ["admin"],
    }
    grant = read(claims, **names)
    assert (grant.user, grant.channels, grant.tasks) == ("bob", ("project:7",), ("t-1",))
    assert grant.can == {Ability.READ, Ability.PUBLISH}
    with pytest.raises(HeadwayError):
        read({}, user="email")


def test_words_in_one_text_count_only_where_that_is_the_form() -> None:
    with pytest.raises(Unauthenticated):
        read({"can": "admin"})
    assert read({"scope": "read"}, can="scope").can == {Ability.READ}
    # Somebody's scopes that say nothing of us allow nothing.
    assert read({"scope": "openid"}, can="scope").can == frozenset()
