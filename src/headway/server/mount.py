"""Where we are mounted: which part of a request's path leads to us, and which is ours. Pure.

Frameworks differ in what they tell the applications that they mount: Starlette keeps the whole path and says the root
beside it, older ones take the root away, Litestar takes it away and says nothing; the raw path knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

import msgspec

__all__ = ["ROOT", "Place", "place_of", "place_within", "root_of"]

ROOT = "headway.root"
"""Where a scope that we pass on has the path, as browsers write it, below which everything of ours is."""

_SLASHES = re.compile("/{2,}")


class Place(msgspec.Struct, frozen=True):
    """The two parts of a request's path.

    Attributes:
        root: what leads to us, empty or without a slash at its end.
        path: what is ours; empty when the request names the root without a slash.
    """

    root: str
    path: str


def place_of(scope: Mapping[str, Any]) -> Place:
    """Where a request goes, as the application that mounts us, or a server's root path, tells it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    if root and (path == root or path.startswith(root + "/")):
        return Place(root, path[len(root) :])
    if root and "raw_path" not in scope:
        return Place(root, path)
    whole = unquote((scope.get("raw_path") or b"").decode("latin-1").partition("?")[0])
    ours = path.strip("/")
    if not whole or whole == path or not whole.strip("/").endswith(ours):
        return Place(root, path)
    slash = "/" if whole.endswith("/") else ""
    leads = whole.rstrip("/")
    if ours:
        leads = leads[: -len(ours)].rstrip("/")
    return Place(leads, f"/{ours}{slash}" if ours else slash)


def place_within(place: Place, base: str) -> Place | None:
    """The same below a base path of our own; None when the request is not for us.

    An application that mounts us at the base path itself has taken it away already.
    """
    if not base or place.root.endswith(base):
        return place
    if place.path == base or place.path.startswith(base + "/"):
        return Place(place.root + base, place.path[len(base) :])
    return None


def root_of(scope: Mapping[str, Any]) -> str:
    """The path below which everything of ours is, safe in pages, cookies and `Location`; empty for `/`."""
    # Two slashes in front would name another host.
    return quote(_SLASHES.sub("/", scope.get(ROOT, "")))
