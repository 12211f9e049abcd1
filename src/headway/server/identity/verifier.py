"""Signed tokens in, grants out, whatever the keys come from.

At once when the keys are at hand, as they nearly always are; later when they must be fetched first.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any

from headway.errors import HeadwayError, KeysUnavailable, Unauthenticated
from headway.model.grant import Grant
from headway.model.token import token_id
from headway.server.identity.claims import Terms, read_grant
from headway.server.identity.jwks import KeyUrl
from headway.server.identity.keys import VerifyingKey, candidates

__all__ = ["MAX_TOKEN", "Verifier"]

MAX_TOKEN = 8192
"""Characters."""

_FAR = ("RS256", "ES256", "EdDSA", "Ed25519")
"""What keys at an address are for."""
_REMEMBERED = 2000
_HEADERS_REMEMBERED = 50
_MAX_HEADER = 4096


class Verifier:
    """Verifies tokens with a set of keys, each pinned to its algorithm.

    A signature that was checked is remembered, since a client comes again and again with the same token; what the token
    says of its time is looked at each time.
    """

    def __init__(
        self,
        keys: Sequence[VerifyingKey],
        terms: Terms,
        *,
        urls: Sequence[KeyUrl] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Use keys.

        Args:
            urls: where more of them are.
            clock: Unix seconds.
        """
        self._keys = tuple(keys)
        self._urls = tuple(urls)
        self._terms = terms
        self._clock = clock
        self._remembered: dict[str, dict[str, Any]] = {}
        for url in self._urls:
            url.changed = self._remembered.clear

    def verify(self, token: str) -> Grant | Awaitable[Grant]:
        """The grant of a token; an awaitable when keys must be fetched first.

        Raises:
            Unauthenticated: it is not one of ours, or says something that cannot be; never with its text.
            TokenExpired: it was one.
            KeysUnavailable: nobody can say yet; no key came from one of the addresses so far.
        """
        claims = self._remembered.pop(token, None)
        if claims is None:
            algorithm, kid = _header(token)
            claims = self._believed(token, algorithm, kid)
            if claims is None:
                asked = self._to_ask(algorithm, kid)
                if asked:
                    return self._verify_later(token, asked)
                raise self._refusal(algorithm, kid)
        return self._grant(token, claims)

    async def _verify_later(self, token: str, urls: list[KeyUrl]) -> Grant:
        algorithm, kid = _header(token)
        for url in urls:
            await url.fetch()
            claims = self._believed(token, algorithm, kid)
            if claims is not None:
                return self._grant(token, claims)
        raise self._refusal(algorithm, kid)

    def _grant(self, token: str, claims: dict[str, Any]) -> Grant:
        grant = read_grant(claims, self._terms, self._clock(), lambda: token_id(token))
        if len(self._remembered) >= _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[token] = claims
        return grant

    def _believed(self, token: str, algorithm: object, kid: object) -> dict[str, Any] | None:
        for key in candidates(self._all(), algorithm, kid):
            claims = key.claims(token)
            if claims is not None:
                return claims
        return None

    def _all(self) -> Sequence[VerifyingKey]:
        return [*self._keys, *(key for url in self._urls for key in url.keys)] if self._urls else self._keys

    def _refusal(self, algorithm: object, kid: object) -> HeadwayError:
        if algorithm in _FAR and any(not url.keys for url in self._urls):
            return KeysUnavailable()
        return _refusal(self._all(), algorithm, kid)

    def _to_ask(self, algorithm: object, kid: object) -> list[KeyUrl]:
        """The addresses that may have got a key for this token in the meantime."""
        if algorithm == "HS256" or (
            isinstance(kid, str) and any(key.kid == kid and key.fits(algorithm, kid) for key in self._all())
        ):
            return []
        return [url for url in self._urls if url.may_ask]


def _header(token: str) -> tuple[object, object]:
    """The algorithm and the key's name that a token says it has.

    Raises:
        Unauthenticated: it is no token at all.
    """
    if not token or len(token) > MAX_TOKEN:
        raise Unauthenticated("The token is too long" if token else None)
    first, dot, _ = token.partition(".")
    if not dot or len(first) > _MAX_HEADER:
        raise Unauthenticated("The token is not valid here")
    return _read_header(first)


# All tokens of one issuer have the same few.
@lru_cache(_HEADERS_REMEMBERED)
def _read_header(first: str) -> tuple[object, object]:
    """What `_header` gives.

    Raises:
        Unauthenticated: it is none; that is not remembered.
    """
    try:
        header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, RecursionError):
        raise Unauthenticated("The token is not valid here") from None
    if not isinstance(header, dict):
        raise Unauthenticated("The token is not valid here")
    return header.get("alg"), header.get("kid")


def _refusal(keys: Sequence[VerifyingKey], algorithm: object, kid: object) -> Unauthenticated:
    """Why no key has verified a token."""
    if not any(key.fits(algorithm, None) for key in keys):
        return Unauthenticated("The token is signed by an algorithm that no key here is for")
    if not candidates(keys, algorithm, kid):
        return Unauthenticated("The token is signed with a key that is not known here")
    return Unauthenticated("The token is not valid here")
