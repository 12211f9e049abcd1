"""Which secret signs the tokens that this command line makes: the one by which the server will verify them."""

from __future__ import annotations

from pathlib import Path

from headway.server.identity.sources import terms_of
from headway.server.settings import Settings
from headway.server.tokens import SECRET_FILE, Tokens, kept_secret
from headway.worker.discovery import read_runtime

__all__ = ["find_secret", "tokens_for"]


def find_secret(settings: Settings) -> str | None:
    """The configured secret, else the one kept in the data folder, else that of the running development server."""
    if settings.secret is not None:
        return settings.secret.get_secret_value()
    folders = [settings.data]
    if (runtime := read_runtime()) is not None and runtime.data:
        folders.append(Path(runtime.data))
    for folder in folders:
        if (folder / SECRET_FILE).exists():
            return kept_secret(folder)
    return None


def tokens_for(settings: Settings) -> Tokens:
    """Tokens that the server with these settings takes.

    Raises:
        ConfigurationError: the data folder cannot be used.
    """
    secret = find_secret(settings)
    # A server that is started on this folder later on finds the secret there.
    return Tokens(kept_secret(settings.data) if secret is None else secret, terms=terms_of(settings))
