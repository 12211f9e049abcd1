"""Our own tokens, and the secret of a development server."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from joserfc import jwt

from headway.errors import ConfigurationError
from headway.model.channel import check_pattern, user_channel
from headway.model.grant import Ability, Grant
from headway.model.ids import check_id
from headway.server.identity.claims import DEFAULT_ABILITIES, Terms
from headway.server.identity.keys import secret_key
from headway.server.identity.verifier import Verifier

__all__ = ["SECRET_FILE", "Tokens", "kept_secret"]

SECRET_FILE = "secret"  # noqa: S105 - the name of a file
_LEAST_SECRET = 8


class Tokens:
    """Makes tokens with one secret (HS256), and verifies those that were made with it."""

    def __init__(
        self, secret: str, clock: Callable[[], float] = time.time, terms: Terms | None = None
    ) -> None:
        """Use a secret.

        Args:
            clock: Unix seconds.
            terms: issuer, audience and names of claims of this deployment.
        """
        self.key = secret_key(secret)
        self._clock = clock
        self._terms = terms or Terms()
        self._verifier = Verifier((self.key,), self._terms, clock=clock)

    def make(
        self,
        user: str,
        *,
        channels: Iterable[str] = (),
        tasks: Iterable[str] = (),
        can: Iterable[Ability] = DEFAULT_ABILITIES,
        ttl: float | None = None,
        token_id: str | None = None,
    ) -> str:
        """Sign a token.

        Args:
            ttl: seconds until it expires; None for one that does not.
            token_id: what it goes by when it is revoked; a new one when None.

        Raises:
            InvalidField: a user, channel or task that cannot be one.
        """
        user_channel(user)
        now = self._clock()
        terms = self._terms
        claims: dict[str, Any] = {
            terms.user: user,
            # As it is, so that "all tokens of before" has a before within each second, and none of them is rounded out of it.
            "iat": now,
            terms.can: sorted(ability.value for ability in can),
            "jti": token_id or secrets.token_urlsafe(12),
        }
        if terms.issuer is not None:
            claims["iss"] = terms.issuer
        if terms.audience is not None:
            claims["aud"] = terms.audience
        if channels := [check_pattern(pattern) for pattern in channels]:
            claims[terms.channels] = channels
        if tasks := [check_id(task) for task in tasks]:
            claims[terms.tasks] = tasks
        if ttl is not None:
            claims["exp"] = int(now) + ttl
        return jwt.encode({"alg": "HS256"}, claims, self.key.key)

    def verify(self, token: str) -> Grant:
        """The grant of a token that was made with this secret, whatever was revoked since.

        Raises:
            Unauthenticated: it is not one of ours, or says something that cannot be; never with its text.
            TokenExpired: it was one.
        """
        grant = self._verifier.verify(token)
        assert isinstance(grant, Grant)  # noqa: S101 - the key is at hand
        return grant


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
