"""The frames of WebSocket (RFC 6455 §5), as a server without extensions writes them: whole and unmasked."""

from __future__ import annotations

import struct
from typing import Final

__all__ = [
    "CONTROL_BYTES",
    "NO_CODE",
    "binary_frame",
    "close_frame",
    "framed",
    "may_close_with",
    "ping_frame",
    "pong_frame",
    "text_frame",
]

CONTROL_BYTES: Final = 125
"""The most that a control frame holds (RFC 6455 §5.5)."""
NO_CODE: Final = 1005
"""The code of a close frame that has none; never sent (RFC 6455 §7.4.1)."""

_REASON_BYTES = 123
_FIN, _CLOSE, _PING, _PONG = 0x80, 8, 9, 10


def text_frame(payload: bytes) -> bytes:
    """An unmasked, unfragmented text frame; `payload` is UTF-8."""
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    return _head(0x81, size) + payload


def binary_frame(payload: bytes) -> bytes:
    """An unmasked, unfragmented binary frame."""
    return framed(0x82, payload)


def framed(first: int, payload: bytes) -> bytes:
    """An unmasked frame with this first byte."""
    return _head(first, len(payload)) + payload


def ping_frame(payload: bytes = b"") -> bytes:
    """A ping.

    Raises:
        ValueError: more than 125 bytes (RFC 6455 §5.5).
    """
    return _control(_FIN | _PING, payload)


def pong_frame(payload: bytes = b"") -> bytes:
    """A pong; `payload` is that of the ping.

    Raises:
        ValueError: more than 125 bytes (RFC 6455 §5.5).
    """
    return _control(_FIN | _PONG, payload)


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame.

    Args:
        code: a code that may be sent, or 1005 for a frame without one (the answer to such a frame).
        reason: cut to 123 bytes of UTF-8, between two characters.

    Raises:
        ValueError: a code that must not be sent (RFC 6455 §7.4).
    """
    if code == NO_CODE:
        return _control(_FIN | _CLOSE, b"")
    if not may_close_with(code):
        raise ValueError(f"{code} must not be sent in a close frame")
    text = reason.encode("utf-8", "replace")[:_REASON_BYTES].decode("utf-8", "ignore").encode()
    return _control(_FIN | _CLOSE, code.to_bytes(2, "big") + text)


def _control(first: int, payload: bytes) -> bytes:
    if len(payload) > CONTROL_BYTES:
        raise ValueError("A control frame holds at most 125 bytes")
    return b"%c%c%b" % (first, len(payload), payload)


def _head(first: int, size: int) -> bytes:
    if size < 126:
        return bytes((first, size))
    if size < 65536:
        return struct.pack("!BBH", first, 126, size)
    return struct.pack("!BBQ", first, 127, size)


def may_close_with(code: int) -> bool:
    """Whether a close frame may have this code (RFC 6455 §7.4, and the registry it founded)."""
    return 3000 <= code <= 4999 or (1000 <= code <= 1014 and code not in (1004, 1005, 1006))
