"""What may stand in a record: text and JSON that every codec, store and browser can carry, within bounds.

It knows nothing of which fields there are. A record that passed here can always be encoded, and decodes to an equal
one, wherever in a program that happens.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headway.errors import InvalidField

__all__ = ["MAX_DEPTH", "check_json", "check_label", "check_text", "is_number", "readable"]

MAX_DEPTH = 64
"""How deep lists and objects may be nested: readers recurse, and some are deep in a stack when they begin."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def is_number(value: object) -> bool:
    """Whether `value` is an int or a float; a bool is none, though Python says so."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_text(value: object, field: str, limit: int) -> str:
    """Return `value`: text of at most `limit` characters that has an encoding (no half surrogate pairs).

    Raises:
        InvalidField: it is not.
    """
    if not isinstance(value, str) or len(value) > limit:
        raise InvalidField(f"{field} must be text of at most {limit} characters", field=field)
    if not value.isascii() and not _has_encoding(value):
        raise InvalidField(f"{field} has a character that is none (half of a surrogate pair)", field=field)
    return value


def check_label(value: object, field: str, limit: int) -> str:
    """As `check_text`, for what stores select by: no NUL, which PostgreSQL cannot hold in a column.

    Raises:
        InvalidField: it is not.
    """
    text = check_text(value, field, limit)
    if "\0" in text:
        raise InvalidField(f"{field} has a NUL character", field=field)
    return text


def readable(text: str) -> str:
    """`text` with `?` for what has no encoding: the text of an exception may name a file that is not UTF-8."""
    return text if text.isascii() or _has_encoding(text) else text.encode("utf-8", "replace").decode()


def check_json(value: Any, field: str, limit: int) -> Any:
    """A copy of `value` as JSON has it: lists for tuples, null for NaN, strings for dates.

    Raises:
        InvalidField: it has no JSON, more than `limit` bytes of it, or is nested too deeply.
    """
    try:
        encoded = _encode(value)
        if len(encoded) > limit:
            raise InvalidField(f"{field} has at most {limit} bytes as JSON", field=field)
        if encoded.count(b"[") + encoded.count(b"{") <= MAX_DEPTH or _depth(encoded) <= MAX_DEPTH:
            return _decode(encoded)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        raise InvalidField(f"{field} cannot be written as JSON", field=field) from None
    raise InvalidField(f"{field} is nested deeper than {MAX_DEPTH}", field=field)


def _has_encoding(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _depth(encoded: bytes) -> int:
    depth = deepest = 0
    in_string = escaped = False
    for byte in encoded:
        if in_string:
            in_string = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest
