"""The native messages as MessagePack (`spec/wire.md` §12): the same objects, packed and unpacked as a whole.

A message is packed from its JSON, once for all who get it: three microseconds for a change, paid once. So there is one
place that says what a message looks like, and the two forms cannot drift apart.
"""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["pack", "unpack"]

_read_json = msgspec.json.Decoder().decode
_write_json = msgspec.json.Encoder().encode
_read = msgspec.msgpack.Decoder().decode
_write = msgspec.msgpack.Encoder().encode


def pack(message: bytes) -> bytes:
    """A message of ours, given as JSON, as MessagePack."""
    plain = _read_json(message)
    try:
        return _write(plain)
    except OverflowError:
        return _write(_narrow(plain))


def unpack(message: bytes) -> bytes:
    """A client's message, given as MessagePack, as JSON; empty, which no reader takes for one, when it has none."""
    try:
        return _write_json(_read(message))
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError):
        return b""


def _narrow(value: Any) -> Any:
    """Whole numbers beyond 64 bits, which MessagePack lacks, as a browser would read them from JSON: as floats."""
    if isinstance(value, dict):
        return {key: _narrow(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_narrow(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    return value
