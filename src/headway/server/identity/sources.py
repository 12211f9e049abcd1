"""Where keys come from: what the settings say, as keys that tokens are verified with."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from headway.errors import ConfigurationError
from headway.server.identity.claims import Terms
from headway.server.identity.jwks import KeyUrl
from headway.server.identity.keys import VerifyingKey, jwks_keys, pem_keys
from headway.server.identity.verifier import Verifier
from headway.server.settings import Settings

__all__ = ["terms_of", "verifier_of"]

_MAX_BYTES = 262_144


def terms_of(settings: Settings) -> Terms:
    """What a token must say here."""
    return Terms(
        issuer=settings.issuer,
        audience=settings.audience,
        leeway=settings.token_leeway,
        user=settings.claim_user,
        channels=settings.claim_channels,
        tasks=settings.claim_tasks,
        can=settings.claim_can,
    )


def verifier_of(
    settings: Settings, own: VerifyingKey, clock: Callable[[], float] = time.time
) -> tuple[Verifier, tuple[KeyUrl, ...]]:
    """What verifies tokens with all the keys that are set, and the addresses that it takes keys from.

    Args:
        own: the key of the secret.
        clock: Unix seconds.

    Raises:
        ConfigurationError: a key or a file cannot be used.
    """
    keys = [own]
    if settings.token_keys:
        keys += pem_keys(_text(settings.token_keys))
    if settings.jwks_file is not None:
        try:
            keys += jwks_keys(_read(settings.jwks_file, "jwks_file"), secrets=True)
        except ValueError as error:
            raise ConfigurationError(f"jwks_file {settings.jwks_file} cannot be used: {error}") from None
    urls: tuple[KeyUrl, ...] = ()
    if settings.jwks_url:
        urls = (
            KeyUrl(
                settings.jwks_url,
                refresh=settings.jwks_refresh,
                cooldown=settings.jwks_cooldown,
            ),
        )
    verifier = Verifier(keys, terms_of(settings), urls=urls, clock=clock)
    return verifier, urls


def _text(given: str) -> str:
    """Keys in line, or those of a file."""
    if "-----BEGIN" in given:
        return given
    return _read(Path(given), "token_keys").decode("utf-8", "replace")


def _read(path: Path, setting: str) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigurationError(f"{setting}: {path} is no file of keys, it is too large")
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{setting}: {path} cannot be read ({error.strerror})") from None
