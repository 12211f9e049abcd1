"""Tokens: signed claims in, grants out; and the secret of a development server."""

from __future__ import annotations

import os
import secrets
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OctKey

from headway.errors import ConfigurationError, HeadwayError, TokenExpired, Unauthenticated
from headway.model.channel import check_pattern, user_channel
from headway.model.grant import Ability, Grant
from headway.model.ids import check_id

__all__ = ["SECRET_FILE", "Tokens", "kept_secret"]

SECRET_FILE = "secret"  # noqa: S105 - the name of a file
_ALGORITHM = "HS256"
_MAX_CHARS = 8192
_MAX_LISTED = 100
_LEAST_SECRET = 8
_DEFAULT = frozenset((Ability.READ, Ability.CANCEL))


class Tokens:
    """Makes and verifies tokens with one secret (HS256 and nothing else)."""

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        """Use a secret.

        Args:
            clock: Unix seconds.
        """
        with warnings.catch_warnings():
            # Settings decide how short a secret may be, and where.
            warnings.simplefilter("ignore", SecurityWarning)
            self._key = OctKey.import_key(secret)
        self._clock = clock

    def make(
        self,
        user: str,
        *,
        channels: Iterable[str] = (),
        tasks: Iterable[str] = (),
        can: Iterable[Ability] = _DEFAULT,
        ttl: float | None = None,
    ) -> str:
        """Sign a token.

        Args:
            ttl: seconds until it expires; None for one that does not.

        Raises:
            InvalidField: a user, channel or task that cannot be one.
        """
        user_channel(user)
        now = int(self._clock())
        claims: dict[str, Any] = {
            "sub": user,
            "iat": now,
            "can": sorted(ability.value for ability in can),
        }
        if channels := [check_pattern(pattern) for pattern in channels]:
            claims["channels"] = channels
        if tasks := [check_id(task) for task in tasks]:
            claims["tasks"] = tasks
        if ttl is not None:
            claims["exp"] = now + ttl
        return jwt.encode({"alg": _ALGORITHM}, claims, self._key)

    def verify(self, token: str) -> Grant:
        """The grant of a token.

        Raises:
            Unauthenticated: it is not one of ours, or says something that cannot be; never with its text.
            TokenExpired: it was one.
        """
        if not token or len(token) > _MAX_CHARS:
            raise Unauthenticated
        try:
            claims = jwt.decode(token, self._key, algorithms=[_ALGORITHM]).claims
        except (JoseError, ValueError, TypeError, RecursionError):
            raise Unauthenticated("The token is not valid here") from None
        try:
            return self._grant(claims)
        except TokenExpired:
            raise
        except (HeadwayError, ValueError, TypeError):
            raise Unauthenticated("The token's claims are not of the form that Headway uses") from None

    def _grant(self, claims: dict[str, Any]) -> Grant:
        now = self._clock()
        user = claims.get("sub")
        # RFC 7519 §4.1.2: a text. A number would be another user than the same digits in a channel's name.
        if not isinstance(user, str):
            raise TypeError("not a user")
        user_channel(user)
        expires_at = _moment(claims.get("exp"))
        if expires_at is not None and expires_at <= now:
            raise TokenExpired
        starts_at = _moment(claims.get("nbf"))
        if starts_at is not None and starts_at > now:
            raise Unauthenticated("The token is not valid yet")
        can = claims.get("can")
        return Grant(
            user=user,
            channels=tuple(check_pattern(pattern) for pattern in _listed(claims.get("channels"))),
            tasks=tuple(check_id(task) for task in _listed(claims.get("tasks"))),
            can=_DEFAULT if can is None else frozenset(Ability(ability) for ability in _listed(can)),
            expires_at=expires_at,
        )


def kept_secret(folder: Path) -> str:
    """The secret of a development server, made when first asked for; it stays the same over restarts.

    Raises:
        ConfigurationError: the folder cannot be written to, or its secret is not one.
    """
    path = folder / SECRET_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            secret = path.read_text().strip()
            if len(secret) < _LEAST_SECRET:
                raise ConfigurationError(
                    f"The secret in {path} is too short, or was only half written; remove the file to get a new one"
                ) from None
            return secret
        with os.fdopen(descriptor, "w") as file:
            file.write(made := secrets.token_urlsafe(32))
    except OSError as error:
        raise ConfigurationError(
            f"The data folder {folder} cannot be used ({error.strerror}); name another with --data"
        ) from None
    return made


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
