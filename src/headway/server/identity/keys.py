"""Keys that tokens are verified with: each with the one algorithm that it is for.

A key never verifies another algorithm, whatever a token's header says; so no public key can be taken for a secret.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry

from headway.errors import ConfigurationError

__all__ = ["ALGORITHMS", "VerifyingKey", "candidates", "jwks_keys", "pem_keys", "secret_key"]

ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")

_LEAST_RSA_BITS = 2048
_MAX_KEYS = 100
_MAX_HEADER = 4096
"""Characters of a token's header; some issuers put a certificate there."""
_END = "-----END "


class _Pinned(JWSRegistry):
    """Knows one algorithm, by the names that it has."""

    max_header_length = _MAX_HEADER

    def __init__(self, *names: str) -> None:
        # RFC 7515 §4: a parameter that is not understood is ignored, unless `crit` names it.
        super().__init__(algorithms=names, strict_check_header=False)
        self._models = {name: JWSRegistry.algorithms[name] for name in names}

    def get_alg(self, name: str) -> Any:
        model = self._models.get(name)
        if model is None:
            raise UnsupportedAlgorithmError(f"only {', '.join(self._models)}")
        return model


# RFC 9864 gave the algorithm that was called EdDSA the name of its curve.
_REGISTRIES = {
    "HS256": _Pinned("HS256"),
    "RS256": _Pinned("RS256"),
    "ES256": _Pinned("ES256"),
    "EdDSA": _Pinned("EdDSA", "Ed25519"),
}


class VerifyingKey:
    """A key and its algorithm.

    Attributes:
        algorithm: one of `ALGORITHMS`.
        kid: its name, None when it has none.
        key: the key itself.
    """

    __slots__ = ("_registry", "algorithm", "key", "kid")

    def __init__(self, key: Key, algorithm: str) -> None:
        self.key = key
        self._registry = _REGISTRIES[algorithm]
        self.algorithm = algorithm
        self.kid: str | None = key.kid

    def fits(self, algorithm: object, kid: object) -> bool:
        """Whether a token with this header may be one of this key's."""
        names = ("EdDSA", "Ed25519") if self.algorithm == "EdDSA" else (self.algorithm,)
        return algorithm in names and (self.kid is None or kid is None or kid == self.kid)

    def claims(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that this key has signed; None for any other."""
        try:
            return jwt.decode(token, self.key, registry=self._registry).claims
        except (JoseError, ValueError, TypeError, RecursionError):
            return None


def secret_key(secret: str) -> VerifyingKey:
    """A secret, for HS256."""
    with _trusting():
        return VerifyingKey(OctKey.import_key(secret), "HS256")


def pem_keys(text: str) -> list[VerifyingKey]:
    """The public keys and certificates of a text; the algorithm is that of the key's kind.

    Raises:
        ConfigurationError: there is none, or one that cannot be used. Never with a part of it.
    """
    blocks = [f"{block}{_END}{tail}" for block, tail in _blocks(text)]
    if not blocks:
        raise ConfigurationError(
            "token_keys has no PEM key: it begins with -----BEGIN PUBLIC KEY-----, or names a file with one"
        )
    keys = []
    for block in blocks:
        try:
            keys.append(_pinned(_import_pem(block)))
        except (JoseError, ValueError, TypeError) as error:
            raise ConfigurationError(
                "token_keys has a key that cannot be used: it takes public keys of RSA (2048 bits or more), P-256 and "
                f"Ed25519 ({type(error).__name__})"
            ) from None
    return keys


def jwks_keys(data: bytes, *, secrets: bool) -> list[VerifyingKey]:
    """The keys of a JSON Web Key Set (RFC 7517) that tokens can be verified with; others are left out.

    Args:
        secrets: whether it may hold secrets too, as no public address should.

    Raises:
        ValueError: it is no key set, or none of its keys can be used.
    """
    try:
        listed = json.loads(data)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError('it is no key set: {"keys": [...]}') from None
    if not isinstance(listed, list) or len(listed) > _MAX_KEYS:
        raise ValueError(f"it has no list of at most {_MAX_KEYS} keys")
    keys = []
    for entry in listed:
        if not isinstance(entry, dict) or not _for_signatures(entry):
            continue
        if entry.get("kty") == "oct" and not secrets:
            continue
        try:
            with _trusting():
                keys.append(_pinned(import_key(entry), entry.get("alg")))
        except (JoseError, ValueError, TypeError):
            continue
    if not keys:
        raise ValueError(f"it has no key for {', '.join(ALGORITHMS)}")
    return keys


@contextmanager
def _trusting() -> Iterator[None]:
    """How short a key may be is decided here and by the settings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        yield


def candidates(keys: Sequence[VerifyingKey], algorithm: object, kid: object) -> list[VerifyingKey]:
    """Those among the keys that a token with this header may be signed with, those that it names first."""
    fitting = [key for key in keys if key.fits(algorithm, kid)]
    return sorted(fitting, key=lambda key: key.kid is None) if len(fitting) > 1 else fitting


def _pinned(key: Key, named: object = None) -> VerifyingKey:
    """The key with its algorithm.

    Raises:
        ValueError: it is for none that we take.
    """
    algorithm = _algorithm(key)
    if algorithm is None or named not in (None, algorithm, "Ed25519" if algorithm == "EdDSA" else algorithm):
        raise ValueError("not an algorithm of ours")
    return VerifyingKey(key, algorithm)


def _algorithm(key: Key) -> str | None:
    if isinstance(key, OctKey):
        return "HS256"
    if isinstance(key, RSAKey):
        return "RS256" if key.public_key.key_size >= _LEAST_RSA_BITS else None
    if isinstance(key, ECKey):
        return "ES256" if key.curve_name == "P-256" else None
    return "EdDSA" if key.curve_name == "Ed25519" else None


def _for_signatures(entry: dict[str, Any]) -> bool:
    operations = entry.get("key_ops")
    return entry.get("use") in (None, "sig") and (
        operations is None or (isinstance(operations, list) and "verify" in operations)
    )


def _import_pem(block: str) -> Key:
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            with _trusting():
                return kind.import_key(block)
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
    raise ValueError("not a key")


def _blocks(text: str) -> list[tuple[str, str]]:
    found = []
    rest = text.replace("\\n", "\n")
    while "-----BEGIN " in rest and _END in rest:
        block, _, after = rest[rest.index("-----BEGIN ") :].partition(_END)
        tail, dashes, rest = after.partition("-----")
        found.append((block, tail + dashes))
    return found
