"""Claims in, a grant out. Pure: whether the claims can be believed was settled before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from headway.errors import HeadwayError, TokenExpired, Unauthenticated
from headway.model.channel import check_pattern, user_channel
from headway.model.grant import Ability, Grant
from headway.model.ids import check_id
from headway.model.token import DIGEST

__all__ = ["DEFAULT_ABILITIES", "Terms", "read_grant"]

DEFAULT_ABILITIES = frozenset((Ability.READ, Ability.CANCEL))
"""Of a token that says nothing of what it can do."""

_MAX_LISTED = 100
_MAX_ID = 150
_SCOPES = frozenset(("scope", "scp"))
_SCOPE_PREFIX = "headway:"
_AHEAD = 60.0
"""Seconds that the clock of whoever issues tokens may be ahead of ours before its tokens count as made up."""


class Terms(msgspec.Struct, frozen=True):
    """What a token must say to count here, and under which names.

    Attributes:
        issuer: that `iss` must be; None for any.
        audience: that must be in `aud`. When None, a token that is meant for somebody by name is not meant for us.
        leeway: seconds by which clocks may differ.
        user, channels, tasks, can: the names of the claims.
    """

    issuer: str | None = None
    audience: str | None = None
    leeway: float = 0.0
    user: str = "sub"
    channels: str = "channels"
    tasks: str = "tasks"
    can: str = "can"


def read_grant(claims: dict[str, Any], terms: Terms, now: float, digest: Callable[[], str]) -> Grant:
    """The grant of a token whose signature is right.

    Args:
        now: Unix seconds.
        digest: gives a name to a token that has none (`jti`).

    Raises:
        TokenExpired: it was good once.
        Unauthenticated: it is not good here, or not yet, or says something that cannot be.
    """
    try:
        _check_issued_for(claims, terms)
        issued_at, expires_at = _times(claims, terms.leeway, now)
        return Grant(
            user=_user(claims.get(terms.user)),
            channels=tuple(check_pattern(pattern) for pattern in _listed(claims.get(terms.channels))),
            tasks=tuple(check_id(task) for task in _listed(claims.get(terms.tasks))),
            can=_abilities(claims.get(terms.can), scope=terms.can in _SCOPES),
            expires_at=expires_at,
            id=_id(claims.get("jti")) or digest(),
            issued_at=issued_at,
        )
    except (TokenExpired, Unauthenticated):
        raise
    except (HeadwayError, ValueError, TypeError):
        raise Unauthenticated("The token's claims are not of the form that Headway uses") from None


def _check_issued_for(claims: dict[str, Any], terms: Terms) -> None:
    if terms.issuer is not None and claims.get("iss") != terms.issuer:
        raise Unauthenticated("The token is of an issuer that does not count here")
    audience = claims.get("aud")
    # RFC 7519 §4.1.3: who is not named must refuse it.
    if terms.audience is None:
        meant = audience is None
    else:
        meant = terms.audience in audience if isinstance(audience, list) else terms.audience == audience
    if not meant:
        raise Unauthenticated("The token is meant for another audience")


def _times(claims: dict[str, Any], leeway: float, now: float) -> tuple[float | None, float | None]:
    """When the token was issued, and when it expires."""
    expires_at = _moment(claims.get("exp"))
    if expires_at is not None:
        expires_at += leeway
        if expires_at <= now:
            raise TokenExpired
    starts_at = _moment(claims.get("nbf"))
    if starts_at is not None and starts_at > now + leeway:
        raise Unauthenticated("The token is not valid yet")
    issued_at = _moment(claims.get("iat"))
    # It would count as newer than every revocation of its user.
    if issued_at is not None and issued_at > now + leeway + _AHEAD:
        raise Unauthenticated("The token was issued in the future; set the clocks")
    return issued_at, expires_at


def _user(value: Any) -> str:
    # RFC 7519 §4.1.2: a text. A number would be another user than the same digits in a channel's name.
    if not isinstance(value, str):
        raise TypeError("not a user")
    user_channel(value)
    return value


def _id(value: Any) -> str:
    if value is None:
        return ""
    # One that begins like our digests could stand for another token.
    if not isinstance(value, str) or len(value) > _MAX_ID or value.startswith(DIGEST):
        raise ValueError("not an id")
    return value


def _abilities(value: Any, *, scope: bool) -> frozenset[Ability]:
    if value is None:
        return DEFAULT_ABILITIES
    if scope and isinstance(value, str):
        # RFC 8693 §4.2: words, of which most mean something elsewhere.
        words = {word.removeprefix(_SCOPE_PREFIX) for word in value.split()}
        return frozenset(ability for ability in Ability if ability.value in words)
    return frozenset(Ability(ability) for ability in _listed(value))


def _moment(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise ValueError("not a moment")
    return float(value)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MAX_LISTED:
        raise ValueError("not a list")
    return value
