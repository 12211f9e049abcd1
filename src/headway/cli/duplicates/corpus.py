"""Which files there are to compare, in an order that is the same each time."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import msgspec

__all__ = ["FILES", "Source", "find_files", "installed_python", "read_text"]

FILES = 15_000
"""How many are compared unless told otherwise: enough to watch for half a minute."""

_MOST_BYTES = 2 * 2**20
_HOLDERS = frozenset(("site-packages", "dist-packages"))
"""Folders that hold packages and are none."""


class Source(msgspec.Struct, frozen=True):
    """A file.

    Attributes:
        name: its path below the folder that was searched, for people.
        group: the package (or first folder) that it belongs to.
    """

    path: Path
    name: str
    group: str


def installed_python() -> list[Path]:
    """Where this interpreter's Python sources are: installed packages first, then the standard library."""
    places = (Path(sysconfig.get_path(key)).resolve() for key in ("purelib", "platlib", "stdlib"))
    return list(dict.fromkeys(place for place in places if place.is_dir()))


def find_files(folders: list[Path], suffix: str = "") -> Iterator[Source]:
    """Every regular file below some folders, folder by folder and by name; links are not followed.

    Args:
        suffix: what names end with.
    """
    elsewhere = {os.fspath(folder) for folder in folders}
    for folder in folders:
        # The standard library holds the installed packages, and each file is wanted once.
        for path in _walk(os.fspath(folder), elsewhere - {os.fspath(folder)}):
            if path.endswith(suffix):
                inside = Path(path).relative_to(folder)
                # A name may hold bytes that are no text; those are shown as they can be.
                name = os.fsencode(folder.name / inside).decode("utf-8", "replace")
                yield Source(Path(path), name, _group(inside) or folder.name)


def read_text(path: Path) -> str | None:
    """The text of a file; None when it is binary, or too large to be written by hand.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES or b"\0" in content:
        return None
    return content.decode("utf-8", "replace")


def _group(inside: Path) -> str | None:
    folders = [part for part in inside.parts[:-1] if part not in _HOLDERS]
    return folders[0] if folders else None


def _walk(folder: str, left_out: set[str]) -> Iterator[str]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.is_file(follow_symlinks=False):
            yield entry.path
    for entry in entries:
        hidden = entry.name.startswith(".") or entry.name == "__pycache__"
        if not hidden and entry.is_dir(follow_symlinks=False) and entry.path not in left_out:
            yield from _walk(entry.path, left_out)
