"""What a client brought with its request: a ticket, a token, or the login cookie, and whether the cookie counts."""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

import msgspec

from headway.errors import OriginRefused

__all__ = [
    "COOKIE",
    "LOOPBACK_ORIGINS",
    "Brought",
    "bring",
    "brought_token",
    "known_host",
    "origin_allowed",
    "same_origin",
]

COOKIE = "headway"
LOOPBACK_ORIGINS = "loopback"
"""Among the allowed origins: every page of this machine, for development."""

_MAX_FIELDS = 1000
_OWN = (".localhost", ".internal", ".home.arpa")
"""What names of this machine and of one's own network may end in: nobody can have one in the public DNS (RFC 6761, RFC 8375)."""
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


class Brought(msgspec.Struct, frozen=True):
    """What a client brought to say who it is.

    Attributes:
        token: a token, or a worker key; empty when it brought a ticket.
        ticket: good for one connection; empty when it brought a token.
        origin: the page that it comes from; empty when it is no page.
        host: that it asked for.
    """

    token: str = ""
    ticket: str = ""
    origin: str = ""
    host: str = ""


def bring(
    header: Callable[[str], str], query: str, origins: frozenset[str], *, query_tokens: bool
) -> Brought | None:
    """What came with a request: `?ticket=`, the header, `?token=` where that is taken, or the cookie; else None.

    Args:
        header: gives a header's value, or an empty text.
        query: as sent, without the question mark.
        origins: the allowed origins.
        query_tokens: whether `?token=` counts.

    Raises:
        OriginRefused: there is a cookie, and it does not count.
    """
    fields = _fields(query) if "ticket=" in query or "token=" in query else {}
    if ticket := fields.get("ticket"):
        return Brought(ticket=ticket, origin=header("origin"), host=header("host"))
    token = fields.get("token", "") if query_tokens else ""
    if not token or header("authorization"):
        token = brought_token(header, origins) or token
    return Brought(token) if token else None


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
    if same_origin(origin, host) or origin in origins:
        return True
    try:
        return LOOPBACK_ORIGINS in origins and urlsplit(origin).hostname in _LOOPBACK
    except ValueError:
        return False


def known_host(host: str, origins: frozenset[str]) -> bool:
    """Whether nobody else can have a page at this host: an address, a name of one's own network, or an allowed one.

    The owner of any other name can have it lead to us once its page is open, which is then of the same origin as we are
    (DNS rebinding). Without a host it is no browser.
    """
    name = _hostname(f"//{host}")
    if not host or "." not in name or name.endswith(_OWN):
        return True
    return _is_address(name) or any(name == _hostname(origin) for origin in origins)


def same_origin(origin: str, host: str) -> bool:
    """Whether a page of `origin` is one of the server at `host`."""
    try:
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def _hostname(url: str) -> str:
    """In small letters; a dot, which is no name, for what is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return "."


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _fields(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, max_num_fields=_MAX_FIELDS))
    except ValueError:
        return {}


def _cookie(header: str) -> str | None:
    if COOKIE not in header:
        return None
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return found.value if found is not None and found.value else None
