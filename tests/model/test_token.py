"""A token goes by a name that does not open anything."""

from __future__ import annotations

import base64
import json
from typing import Any

from headway.model.token import names_of, token_id


def signed(header: Any, payload: Any, signature: str = "c2lnbmVk") -> str:
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, payload)
    )
    return ".".join((*parts, signature))


def test_the_name_of_a_signed_token_does_not_depend_on_how_its_signature_is_written() -> None:
    token = signed({"alg": "HS256"}, {"sub": "ada"})
    assert token_id(token) == token_id(token[:-1] + "B") == token_id(token + "=")
    assert token_id(token) != token_id(signed({"alg": "HS256"}, {"sub": "bob"}))


def test_of_any_other_token_every_letter_counts() -> None:
    # Its last part may be all that is secret about it, and different for everybody.
    for one, other in (
        ("opaque", "another"),
        ("session.ada-1", "session.bob-2"),
        ("v1.session.ada-1", "v1.session.bob-2"),
        (signed("text", {}, "one"), signed("text", {}, "two")),
        (signed({}, {}, "one"), signed({}, {}, "two")),
    ):
        assert token_id(one) != token_id(other)


def test_a_name_says_nothing_of_the_token() -> None:
    secret = "a-session-of-ada"
    assert all(secret not in name for name in names_of(secret))
    assert len(token_id(secret)) == 25


def test_a_token_goes_by_its_own_id_too() -> None:
    token = signed({"alg": "HS256"}, {"sub": "ada", "jti": "t-1"})
    assert names_of(token) == ("t-1", token_id(token))
    assert names_of("t-1") == (token_id("t-1"),)
    for odd in (
        "",
        "a.b.c",
        "..",
        "\ud800",
        signed({"alg": 1}, {"jti": 5}),
        signed({"alg": 1}, []),
        "[" * 9000 + ".x.y",
    ):
        assert names_of(odd) == (token_id(odd),)
