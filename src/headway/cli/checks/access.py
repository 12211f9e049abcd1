"""Checks of who may do what: the secret, the token in the environment, and the note of a development server. Never shows any."""

from __future__ import annotations

import os
import secrets
import stat
import time
from datetime import UTC, datetime

import urllib3

from headway.cli.checks.finding import Finding, fail, ok, warn
from headway.cli.checks.network import Answer
from headway.cli.secret import find_secret
from headway.errors import ConfigurationError, HeadwayError, TokenExpired, Unauthenticated
from headway.server.settings import Settings
from headway.server.tokens import SECRET_FILE, Tokens
from headway.worker.discovery import read_runtime, runtime_dir

__all__ = ["check_environment_token", "check_runtime", "check_tokens"]

_SOON = 3600.0
_SECONDS = 3.0
_RENEW = "get a new one with headway token --user NAME"


def check_tokens(settings: Settings) -> Finding:
    """A token that is made here is understood here, and nobody else can read what it is signed with."""
    what = "tokens"
    try:
        secret = find_secret(settings)
        tokens = Tokens(secrets.token_urlsafe(32) if secret is None else secret)
        tokens.verify(tokens.make("doctor", ttl=60))
    except HeadwayError as error:
        return fail(what, error.message)
    if settings.secret is not None:
        return ok(what, "made and verified with the configured secret")
    path = settings.data / SECRET_FILE
    if secret is None or not path.exists():
        return ok(what, "can be made and verified; the first start makes a secret")
    if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return warn(what, f"others can read the secret; chmod 600 {path.absolute()}")
    return ok(what, "made and verified with the secret of the data folder")


def check_environment_token(settings: Settings, server: Answer | None) -> Finding | None:
    """`HEADWAY_TOKEN` is good, and for how long; nothing is said when it is not set."""
    what = "HEADWAY_TOKEN"
    token = os.environ.get("HEADWAY_TOKEN")
    if not token:
        return None
    try:
        # Without a secret nothing was ever signed here.
        grant = Tokens(find_secret(settings) or secrets.token_urlsafe(32)).verify(token)
        user, expires_at = grant.user, grant.expires_at
    except TokenExpired:
        return fail(what, f"it has expired; {_RENEW}")
    except (Unauthenticated, ConfigurationError):
        if server is None:
            return warn(
                what,
                f"it is not signed with the secret of here, and no server answers that could know it; {_RENEW}",
            )
        told = _ask(server.url, token)
        if told is None:
            return fail(what, f"{server.url} does not take it; {_RENEW}")
        user, expires_at = told
    if expires_at is None:
        return ok(what, f"good for {user}, and does not expire")
    left = expires_at - time.time()
    at = f"{datetime.fromtimestamp(expires_at, UTC):%Y-%m-%d %H:%M} UTC"
    if left < _SOON:
        return warn(what, f"good for {user} until {at} only; {_RENEW}")
    return ok(what, f"good for {user} until {at}")


def check_runtime() -> Finding:
    """The note by which jobs find a development server is its user's alone."""
    what = "runtime file"
    path = runtime_dir() / "server.json"
    try:
        status = path.lstat()
    except FileNotFoundError:
        return ok(what, "none; no development server runs")
    except OSError as error:
        return fail(what, f"{path} cannot be looked at ({error.strerror}); see to its folder")
    if not stat.S_ISREG(status.st_mode):
        return fail(what, f"{path} is no plain file, and is not used; remove it")
    if hasattr(os, "getuid"):
        if status.st_uid != os.getuid():
            return fail(what, f"{path} belongs to another user, and is not used; remove it")
        if stat.S_IMODE(status.st_mode) & 0o077:
            return fail(
                what,
                f"others can read {path}, and the token in it, so it is not used; remove it, start again",
            )
    note = read_runtime()
    if note is None:
        return warn(what, f"{path} cannot be understood, and is not used; remove it")
    try:
        if os.name != "nt":
            os.kill(note.pid, 0)
    except ProcessLookupError:
        return warn(
            what, f"left by a server that was killed (process {note.pid}); the next start replaces it"
        )
    except (PermissionError, OverflowError):
        pass
    return ok(what, f"of process {note.pid} at {note.url}, readable by this user alone")


def _ask(url: str, token: str) -> tuple[str, float | None] | None:
    try:
        answer = urllib3.request(
            "GET",
            f"{url}/api/me",
            headers={"Authorization": f"Bearer {token}"},
            timeout=_SECONDS,
            retries=False,
        )
        me = answer.json()
        expires_at = me.get("expires_at")
        return str(me["user"]), None if expires_at is None else expires_at / 1000
    except (urllib3.exceptions.HTTPError, ValueError, KeyError):
        return None
