"""A place in a channel's history: `epoch.rev`, opaque to clients.

The epoch names one unbroken history. As in Centrifugo's stream positions, it exists so that a revision
of a lost history is never mistaken for one of the history that replaced it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["CURSOR_CHARS", "MAX_REV", "Cursor"]

MAX_REV = 2**53 - 1
"""The highest revision: JavaScript's largest exact integer."""
CURSOR_CHARS = 64

_CURSOR = re.compile(r"([A-Za-z0-9_-]{1,40})\.(0|[1-9][0-9]{0,15})\Z")


class Cursor(NamedTuple):
    """Everything up to and including revision `rev` of history `epoch` has been seen."""

    epoch: str
    rev: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.rev}"

    @classmethod
    def parse(cls, text: object) -> Cursor | None:
        """Read a cursor that a client sent; `None` for anything that is not one, which means a snapshot."""
        if not isinstance(text, str) or len(text) > CURSOR_CHARS:
            return None
        match = _CURSOR.match(text)
        if match is None:
            return None
        rev = int(match[2])
        return cls(match[1], rev) if rev <= MAX_REV else None
