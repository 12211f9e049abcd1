"""Record ids: ULIDs that we make, and the wider form that we take from others (a queue's own job ids)."""

from __future__ import annotations

import re
from hashlib import sha256

from headway.errors import InvalidField

__all__ = ["ID_CHARS", "check_id", "derived_id", "is_id", "ulid"]

ID_CHARS = 64
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(now_ms: int, randomness: bytes) -> str:
    """A ULID (26 characters, sorts by time).

    Args:
        now_ms: Unix milliseconds, below 2**48.
        randomness: ten bytes.
    """
    return _written((now_ms << 80) | int.from_bytes(randomness, "big"))


def derived_id(*parts: str) -> str:
    """An id of 26 characters that follows from what it is made of, and from nothing else."""
    # No part holds a NUL, so that different parts never make the same text.
    return _written(int.from_bytes(sha256("\0".join(parts).encode()).digest()[:16], "big"))


def _written(value: int) -> str:
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


def is_id(value: object) -> bool:
    """Whether `value` is a well-formed id."""
    return isinstance(value, str) and _ID.match(value) is not None


def check_id(value: object, field: str = "id") -> str:
    """Return `value`; ids are compared exactly, case counts.

    Raises:
        InvalidField: it is not 1 to 64 letters, digits, `_` and `-`, starting with a letter or digit.
    """
    if not isinstance(value, str) or not _ID.match(value):
        raise InvalidField(
            "An id has 1 to 64 letters, digits, _ and -, and starts with a letter or a digit", field=field
        )
    return value
