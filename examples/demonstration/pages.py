"""Files that the pages of all examples share, served from this machine."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

__all__ = ["SHARED", "File", "shared_file"]

_HERE = Path(__file__).parent
_CLIENT = _HERE.parents[1] / "web/node_modules/socket.io-client/dist/socket.io.esm.min.js"


class File(NamedTuple):
    """A file and its type."""

    path: Path
    type: str


SHARED = {
    "style.css": File(_HERE / "style.css", "text/css"),
    "page.js": File(_HERE / "page.js", "text/javascript"),
    "socket.io.js": File(_CLIENT, "text/javascript"),
}


def shared_file(name: str) -> File | None:
    """A file by its name in an address; None when there is none."""
    return SHARED.get(name)
