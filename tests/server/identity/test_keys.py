"""A key verifies its own algorithm and no other, whatever a token says of itself."""

from __future__ import annotations

import hashlib
import hmac
import json
from itertools import product
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from headway.errors import ConfigurationError
from headway.server.identity.keys import candidates, jwks_keys, pem_keys, secret_key
from tests.server.identity.makers import KEYS, SECRET_KEY, crude, key_set, public_pem, signed
from tests.servers import SECRET

CLAIMS = {"sub": "ada"}


@pytest.mark.parametrize("algorithm", KEYS)
def test_what_the_other_half_has_signed_is_believed(algorithm: str) -> None:
    (key,) = pem_keys(public_pem(algorithm))
    assert key.algorithm == algorithm
    assert key.claims(signed(CLAIMS, KEYS[algorithm], algorithm)) == CLAIMS


def test_eddsa_has_two_names() -> None:
    (key,) = pem_keys(public_pem("EdDSA"))
    assert key.claims(signed(CLAIMS, KEYS["EdDSA"], "Ed25519")) == CLAIMS
    assert key.fits("Ed25519", None)


@pytest.mark.parametrize(("mine", "theirs"), [pair for pair in product(KEYS, KEYS) if pair[0] != pair[1]])
def test_a_key_of_another_kind_is_not_believed(mine: str, theirs: str) -> None:
    (key,) = pem_keys(public_pem(mine))
    token = signed(CLAIMS, KEYS[theirs], theirs)
    assert key.claims(token) is None
    assert not key.fits(theirs, None)


@pytest.mark.parametrize(("key", "algorithm"), [("RS256", "RS384"), ("RS256", "RS512"), ("RS256", "PS256")])
def test_the_same_key_with_another_algorithm_is_not_believed(key: str, algorithm: str) -> None:
    (pinned,) = pem_keys(public_pem(key))
    assert pinned.claims(signed(CLAIMS, KEYS[key], algorithm)) is None


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_public_key_is_no_secret(algorithm: str) -> None:
    """The oldest trick: sign by HMAC with what everybody may know."""
    pem = public_pem(algorithm)
    for known in (pem, pem.strip(), pem.rstrip("\n") + "\r\n"):
        header = {"alg": "HS256", "typ": "JWT"}
        unsigned = crude(header, CLAIMS).rpartition(".")[0]
        forged = crude(header, CLAIMS, hmac.digest(known.encode(), unsigned.encode(), hashlib.sha256))
        for key in (*pem_keys(pem), secret_key(SECRET)):
            assert key.claims(forged) is None


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", None, ["HS256"], {"a": 1}, 0])
@pytest.mark.parametrize("signature", [b"", b"x" * 32])
def test_unsigned_is_never_believed(name: Any, signature: bytes) -> None:
    token = crude({"alg": name}, CLAIMS, signature)
    for key in (secret_key(SECRET), *(key for kind in KEYS for key in pem_keys(public_pem(kind)))):
        assert key.claims(token) is None
        assert not key.fits(name, None)


def test_what_must_be_understood_and_is_not_is_not_believed() -> None:
    assert secret_key(SECRET).claims(signed(CLAIMS, SECRET_KEY)) == CLAIMS
    assert secret_key(SECRET).claims(crude({"alg": "HS256", "crit": ["exp"], "exp": 1}, CLAIMS)) is None


def test_headers_that_others_use_do_no_harm() -> None:
    token = signed(CLAIMS, KEYS["RS256"], "RS256", x5t="abc", kid="k1")
    (key,) = pem_keys(public_pem("RS256"))
    assert key.claims(token) == CLAIMS


def test_several_keys_may_stand_in_one_text() -> None:
    keys = pem_keys("\n".join(["Our keys:", public_pem("RS256"), public_pem("ES256")]))
    assert [key.algorithm for key in keys] == ["RS256", "ES256"]
    # In a variable there is often no room for lines.
    assert [key.algorithm for key in pem_keys(public_pem("RS256").replace("\n", "\\n"))] == ["RS256"]


def weak_rsa() -> str:
    key = generate_private_key(65537, 1024).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----",
        weak_rsa(),
        ECKey.generate_key("P-384").as_pem(private=False).decode(),
        ECKey.generate_key("secp256k1").as_pem(private=False).decode(),
        OKPKey.generate_key("Ed448").as_pem(private=False).decode(),
        OKPKey.generate_key("X25519").as_pem(private=False).decode(),
    ],
)
def test_a_key_that_is_none_is_said_at_the_start(text: str) -> None:
    with pytest.raises(ConfigurationError, match="token_keys") as refused:
        pem_keys(text)
    assert "AAAA" not in refused.value.message


def test_a_key_set_gives_what_can_be_used_of_it() -> None:
    data = key_set(
        (KEYS["RS256"], {"kid": "r", "use": "sig"}),
        (KEYS["ES256"], {"kid": "e", "alg": "ES256"}),
        (KEYS["EdDSA"], {"kid": "d", "alg": "Ed25519"}),
        (RSAKey.generate_key(2048), {"kid": "for encryption", "use": "enc"}),
        (KEYS["RS256"], {"kid": "another algorithm", "alg": "PS256"}),
        (KEYS["ES256"], {"kid": "not to verify", "key_ops": ["sign"]}),
        (OctKey.generate_key(256), {"kid": "a secret that everybody can read"}),
    )
    keys = jwks_keys(data, secrets=False)
    assert [(key.kid, key.algorithm) for key in keys] == [("r", "RS256"), ("e", "ES256"), ("d", "EdDSA")]
    # In a file of one's own a secret is a secret.
    assert jwks_keys(data, secrets=True)[-1].algorithm == "HS256"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"keys": 5}',
        b'{"keys": []}',
        b'{"keys": [5, null, {}, {"kty": "RSA"}, {"kty": "magic"}]}',
        json.dumps({"keys": [{}] * 101}).encode(),
        b'{"keys": ' + b"[" * 100_000,
    ],
)
def test_what_is_no_key_set(data: bytes) -> None:
    with pytest.raises(ValueError, match="it "):
        jwks_keys(data, secrets=False)


def test_a_token_that_names_a_key_is_for_that_one() -> None:
    first, second = jwks_keys(
        key_set((KEYS["RS256"], {"kid": "1"}), (RSAKey.generate_key(2048), {"kid": "2"})), secrets=False
    )
    (nameless,) = pem_keys(public_pem("RS256"))
    keys = [nameless, first, second]
    assert candidates(keys, "RS256", "2") == [second, nameless]
    assert candidates(keys, "RS256", "3") == [nameless]
    assert candidates(keys, "RS256", None) == [first, second, nameless]
    assert candidates(keys, "ES256", "1") == []
