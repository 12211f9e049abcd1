"""What administers a running server from the command line: it is asked over REST, as anybody else would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import urllib3

from headway.cli.secret import find_secret
from headway.errors import ConfigurationError, HeadwayError
from headway.model.grant import Ability
from headway.server.identity.sources import terms_of
from headway.server.settings import load_settings
from headway.server.tokens import Tokens
from headway.worker import discovery

__all__ = ["ADMIN_HELP", "URL_HELP", "Ask", "administrator"]

URL_HELP = (
    "Address of the server; HEADWAY_URL, the one that runs on this machine, or the settings' when left out."
)
ADMIN_HELP = (
    "An administrator's token; HEADWAY_TOKEN when left out, else one is signed with the server's secret."
)

_SECONDS = 10.0
_MINUTE = 60.0
_NAME = "command-line"

Ask = Callable[..., Any]
"""`ask(method, path, body=None)`: the JSON of the answer, None when it is empty."""


def administrator(
    url: str | None, token: str | None, *, data: Path | None = None, config: Path | None = None
) -> Ask:
    """Somebody who may administer the server.

    Args:
        url: of the server.
        token: an administrator's.
        data: folder of the server, with its secret in development.
        config: settings file.

    Raises:
        ConfigurationError: there is no server, or no token for it.
    """
    settings = load_settings(config, data=data)
    target = discovery.find(discovery.Settings(url=url, token=token))
    if target is None:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        local = "127.0.0.1" if settings.host in ("0.0.0.0", "[::]") else host  # noqa: S104 - it is asked, not bound
        target = discovery.Target(
            f"http://{local}:{settings.port}{settings.base_path or ''}", token, "settings"
        )
    credentials = target.token
    if not credentials:
        secret = find_secret(settings)
        if secret is None:
            raise ConfigurationError(
                f"An administrator's token is needed for {target.url}: set HEADWAY_TOKEN, or the server's HEADWAY_SECRET"
            )
        credentials = Tokens(secret, terms=terms_of(settings)).make(
            _NAME, can=frozenset(Ability), ttl=_MINUTE
        )
    where, sent = target.url.rstrip("/"), {"Authorization": f"Bearer {credentials}"}

    def ask(method: str, path: str, body: Any = None) -> Any:
        return _ask(method, where + path, sent, body)

    return ask


def _ask(method: str, url: str, headers: dict[str, str], body: Any) -> Any:
    if body is not None:
        headers = {**headers, "Content-Type": "application/json"}
    try:
        answer = urllib3.request(
            method,
            url,
            body=None if body is None else msgspec.json.encode(body),
            headers=headers,
            timeout=_SECONDS,
            retries=False,
            redirect=False,
        )
    except urllib3.exceptions.HTTPError:
        raise ConfigurationError(
            f"No server answers at {url.partition('/api/')[0]}; start it, or name it with --url"
        ) from None
    if answer.status < 300:
        return msgspec.json.decode(answer.data) if answer.data else None
    try:
        message = str(msgspec.json.decode(answer.data)["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        message = f"What answers there is no Headway (HTTP {answer.status})"
    raise (ConfigurationError if answer.status in (401, 403) else HeadwayError)(message)
