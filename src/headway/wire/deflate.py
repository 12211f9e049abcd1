"""permessage-deflate (RFC 7692) without context takeover: each message by itself, so that frames can be shared.

With a context, every connection would keep a window of its own and every frame would be another for each of them. Here
a message is compressed once for all who get it, and nothing is kept between two messages.
"""

from __future__ import annotations

import re
import zlib

from headway.wire.frames import framed
from headway.wire.websocket import Broken, Event, FrameReader

__all__ = ["InflatingReader", "accept_offer", "deflated_frame", "inflate"]

_NAME = "permessage-deflate"
_ALWAYS = "; server_no_context_takeover; client_no_context_takeover"
_BITS = 12
"""Of the window that we compress with: clients may ask for one that is no larger, and many ask for this one."""
_LEVEL, _MEMORY = 6, 5
_WORTH = 200
"""Bytes below which compressing saves less than a packet's head."""
_TAIL = b"\x00\x00\xff\xff"
_RSV1, _FIN = 0x40, 0x80
_SIZE = re.compile(r"[89]|1[0-5]\Z")


def accept_offer(header: str) -> str | None:
    """The extension to answer with; None when nothing is offered that we can keep to (RFC 7692 §7.1).

    Args:
        header: `Sec-WebSocket-Extensions` as the client sent it, its offers in order of preference.
    """
    for offer in header.split(","):
        name, *parameters = (part.strip(" \t") for part in offer.split(";"))
        if name.lower() == _NAME and (answer := _answer(parameters)) is not None:
            return _NAME + _ALWAYS + answer
    return None


def _answer(parameters: list[str]) -> str | None:
    answer = ""
    seen = set()
    for parameter in parameters:
        name, given, value = parameter.partition("=")
        name = name.strip(" \t").lower()
        value = value.strip(' \t"')
        if name in seen:
            return None
        seen.add(name)
        if name in {"server_no_context_takeover", "client_no_context_takeover"}:
            if given:
                return None
        elif name == "server_max_window_bits":
            if not _SIZE.match(value) or int(value) < _BITS:
                return None
            answer = f"; {name}={value}"
        elif name != "client_max_window_bits" or (given and not _SIZE.match(value)):
            return None
    return answer


def deflated_frame(opcode: int, payload: bytes) -> bytes:
    """An unmasked, unfragmented frame, compressed where that makes it smaller (RFC 7692 §7.2.1)."""
    if len(payload) >= _WORTH:
        deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -_BITS, _MEMORY)
        data = (deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH))[: -len(_TAIL)]
        if len(data) < len(payload):
            return framed(_FIN | _RSV1 | opcode, data)
    return framed(_FIN | opcode, payload)


def inflate(data: bytes, limit: int) -> bytes:
    """What a compressed message says; never more than `limit` bytes are made of it.

    Raises:
        Broken: it is not compressed, or says more than that (RFC 7692 §7.2.2).
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(data + _TAIL, limit + 1)
    except zlib.error:
        raise Broken(1007, "The message is not compressed as it says") from None
    if len(plain) > limit or inflater.unconsumed_tail:
        raise Broken(1009, f"A message has at most {limit} bytes")
    if inflater.unused_data.lstrip(b"\x00") not in {b"", b"\xff\xff"}:
        # A last block may end a message (§7.2.3.4), and then nothing follows but the tail.
        raise Broken(1007, "Something follows the end of the compressed message")
    return plain


class InflatingReader(FrameReader):
    """A reader of frames for a client with which compression was agreed."""

    __slots__ = ("_compressed",)

    def __init__(self, max_message: int) -> None:
        super().__init__(max_message)
        self._compressed = False

    def _check_head(self, first: int, second: int) -> None:
        if first & _RSV1 and first & 15 in (1, 2):
            # Only the first frame of a message says that it is compressed (§6).
            first &= ~_RSV1
        super()._check_head(first, second)

    def _take(self, first: int, payload: bytes, events: list[Event]) -> None:
        if first & 15 in (1, 2):
            self._compressed = bool(first & _RSV1)
            first &= ~_RSV1
        if self._compressed and first & _FIN and first & 15 < 8:
            if self._message is not None:
                first = _FIN | self._opcode
                payload = bytes(self._message) + payload
                self._message = None
            payload = inflate(payload, self._max)
        super()._take(first, payload, events)
