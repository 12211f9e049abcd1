"""What a client brought with its request: a token in a header or the login cookie, and whether the cookie counts."""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from headway.errors import OriginRefused

__all__ = ["COOKIE", "LOOPBACK_ORIGINS", "brought_token", "origin_allowed"]

COOKIE = "headway"
LOOPBACK_ORIGINS = "loopback"
"""Among the allowed origins: every page of this machine, for development."""

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


def brought_token(header: Callable[[str], str], origins: frozenset[str]) -> str | None:
    """The token that came with a request; None when there is none.

    A header counts always, since a page of another site cannot set it. The cookie comes by itself, so it counts only
    for pages of our own origin and of those that are allowed.

    Args:
        header: gives a header's value, or an empty text.
        origins: the allowed origins.

    Raises:
        OriginRefused: there is a cookie, and it does not count.
    """
    scheme, _, value = header("authorization").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    token = _cookie(header("cookie"))
    if token is not None and not origin_allowed(header("origin"), header("host"), origins):
        raise OriginRefused
    return token


def origin_allowed(origin: str, host: str, origins: frozenset[str]) -> bool:
    """Whether a page of `origin` may act with the cookie of the server at `host`; no origin is no browser's page."""
    if not origin:
        return True
    try:
        parts = urlsplit(origin)
        ours = parts.netloc.lower() == host.lower()
        local = parts.hostname in _LOOPBACK
    except ValueError:
        return False
    return ours or origin in origins or (LOOPBACK_ORIGINS in origins and local)


def _cookie(header: str) -> str | None:
    if COOKIE not in header:
        return None
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return found.value if found is not None and found.value else None
