"""What others make tokens with: key pairs, key sets, and tokens that say what a test wants."""

from __future__ import annotations

import base64
import json
import warnings
from typing import Any

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from tests.servers import SECRET

__all__ = ["KEYS", "crude", "key_set", "public_pem", "signed"]

SECRET_KEY = OctKey.import_key(SECRET)
KEYS: dict[str, Key] = {
    "RS256": RSAKey.generate_key(2048),
    "ES256": ECKey.generate_key("P-256"),
    "EdDSA": OKPKey.generate_key("Ed25519"),
}


def signed(claims: Any, key: Key | None = None, algorithm: str = "HS256", **header: Any) -> str:
    """A token, with the secret of the tests unless told otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.encode({"alg": algorithm, **header}, claims, key or SECRET_KEY, algorithms=[algorithm])


def crude(header: Any, claims: Any, signature: bytes = b"") -> str:
    """A token as nobody's library would make it."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def public_pem(algorithm: str) -> str:
    key = KEYS[algorithm]
    assert not isinstance(key, OctKey)
    return key.as_pem(private=False).decode()


def key_set(*keys: tuple[Key, dict[str, Any]]) -> bytes:
    """A JSON Web Key Set of the public halves, each with what is said about it."""
    return json.dumps(
        {"keys": [{**key.as_dict(private=isinstance(key, OctKey)), **said} for key, said in keys]}
    ).encode()
