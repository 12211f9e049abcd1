"""The frames of WebSocket (RFC 6455 §5), as a server without extensions reads them; and those it writes (`frames.py`).

Bytes in, events out. It knows nothing of sockets, of the handshake (`handshake.py`), or of what the
messages say. A reader is kept for every connection, so it holds nothing while nothing is half received.
"""

from __future__ import annotations

import msgspec

from headway.wire.frames import (
    CONTROL_BYTES,
    NO_CODE,
    binary_frame,
    close_frame,
    may_close_with,
    ping_frame,
    pong_frame,
    text_frame,
)

__all__ = [
    "NO_CODE",
    "Binary",
    "Broken",
    "Close",
    "Event",
    "FrameReader",
    "Ping",
    "Pong",
    "Text",
    "Violation",
    "binary_frame",
    "close_frame",
    "ping_frame",
    "pong_frame",
    "text_frame",
]

_CONTINUATION, _BINARY, _CLOSE, _PING, _PONG = 0, 2, 8, 9, 10
_FIN, _MASKED = 0x80, 0x80


class Text(msgspec.Struct, frozen=True, gc=False):
    """A whole text message; `data` is valid UTF-8."""

    data: bytes


class Binary(msgspec.Struct, frozen=True, gc=False):
    """A whole binary message."""

    data: bytes


class Ping(msgspec.Struct, frozen=True, gc=False):
    """To be answered by a pong with the same `data`."""

    data: bytes


class Pong(msgspec.Struct, frozen=True, gc=False):
    """The other side lives."""

    data: bytes


class Close(msgspec.Struct, frozen=True, gc=False):
    """The other side ends the connection; nothing follows. `code` is 1005 when it gave none."""

    code: int
    reason: str


class Violation(msgspec.Struct, frozen=True, gc=False):
    """The other side broke the protocol: close with this code (RFC 6455 §7.4.1). Nothing follows."""

    code: int
    reason: str


Event = Text | Binary | Ping | Pong | Close | Violation


def _unmask(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    if size > 4096:
        # One long integer is slower than many short ones; 4096 is a multiple of the mask's length.
        return b"".join([_unmask(payload[at : at + 4096], mask) for at in range(0, size, 4096)])
    key = (mask * ((size >> 2) + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


class Broken(Exception):
    """Leaves the reading of a frame, with the close code."""

    def __init__(self, code: int, reason: str) -> None:
        self.violation = Violation(code, reason)
        super().__init__(reason)


class FrameReader:
    """Reads what a client sends. Holds at most one message of `max_message` bytes and the head of one frame."""

    __slots__ = ("_ended", "_held", "_max", "_message", "_needed", "_opcode")

    def __init__(self, max_message: int) -> None:
        """Begin after the handshake.

        Args:
            max_message: bytes of payload in one message, over all its fragments.
        """
        self._max = max_message
        self._held: bytearray | None = None
        """The beginning of a frame, while the rest of it has not arrived."""
        self._needed = 0
        """How many bytes `_held` must have before it is worth looking again."""
        self._message: bytearray | None = None
        """The fragments so far of an unfinished message, and its opcode."""
        self._opcode = 0
        self._ended = False

    @property
    def buffered(self) -> int:
        """How many bytes are held."""
        return len(self._held or b"") + len(self._message or b"")

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes as they arrived, in any pieces.

        Returns:
            what is complete now, in order. After a `Close` or a `Violation`, which come last, everything is ignored.
        """
        held = self._held
        if held is None:
            # Nearly always: one chunk, one small whole text message.
            size = len(data)
            if (
                5 < size < 132
                and data[0] == 0x81
                and data[1] == (size - 6) | _MASKED
                and self._message is None
                and size - 6 <= self._max
                and not self._ended
            ):
                text = _unmask(data[6:], data[2:6])
                if text.isascii() or _is_utf8(text):
                    return [Text(text)]
        else:
            held += data
            if len(held) < self._needed:
                return []
            data = bytes(held)
            self._held = None
        if self._ended:
            return []
        events: list[Event] = []
        try:
            at = self._read(data, events)
        except Broken as broken:
            events.append(broken.violation)
            self._ended = True
        else:
            if at < len(data) and not self._ended:
                self._held = bytearray(data[at:])
        if self._ended:
            self._message = None
        return events

    def _read(self, data: bytes, events: list[Event]) -> int:
        """Read whole frames into `events`; returns where the first incomplete one begins."""
        at, end = 0, len(data)
        while not self._ended:
            self._needed = 2
            if end - at < 2:
                break
            first, second = data[at], data[at + 1]
            self._check_head(first, second)
            size, start = second & 127, at + 6
            if size > CONTROL_BYTES:
                width = 2 if size == 126 else 8
                self._needed = 2 + width
                if end - at < self._needed:
                    break
                start += width
                size = _length(data[at + 2 : at + 2 + width])
            if first & 8 == 0 and size > self._max - len(self._message or b""):
                raise Broken(1009, f"A message has at most {self._max} bytes")
            self._needed = start + size - at
            if end - at < self._needed:
                break
            at = start + size
            self._take(first, _unmask(data[start:at], data[start - 4 : start]), events)
        return at

    def _check_head(self, first: int, second: int) -> None:
        """RFC 6455 §5.1, §5.2, §5.4 and §5.5, in as far as two bytes tell."""
        opcode = first & 15
        if first & 0x70:
            raise Broken(1002, "Reserved bits are set")
        if not second & _MASKED:
            raise Broken(1002, "A client must mask its frames")
        if opcode >= 8:
            if opcode > _PONG:
                raise Broken(1002, "Unknown opcode")
            if not first & _FIN or second & 127 > CONTROL_BYTES:
                raise Broken(1002, "A control frame is whole and has at most 125 bytes")
        elif opcode > _BINARY:
            raise Broken(1002, "Unknown opcode")
        elif (opcode == _CONTINUATION) is (self._message is None):
            raise Broken(1002, "A continuation continues a message, and nothing else may interrupt one")

    def _take(self, first: int, payload: bytes, events: list[Event]) -> None:
        opcode = first & 15
        if opcode == _PING:
            events.append(Ping(payload))
        elif opcode == _PONG:
            events.append(Pong(payload))
        elif opcode == _CLOSE:
            events.append(_closing(payload))
            self._ended = True
        elif not first & _FIN:
            if self._message is None:
                self._message, self._opcode = bytearray(payload), opcode
            else:
                self._message += payload
        else:
            if self._message is not None:
                opcode, payload = self._opcode, bytes(self._message) + payload
                self._message = None
            if opcode == _BINARY:
                events.append(Binary(payload))
            elif payload.isascii() or _is_utf8(payload):
                events.append(Text(payload))
            else:
                raise Broken(1007, "Text must be UTF-8")


def _length(field: bytes) -> int:
    size = int.from_bytes(field, "big")
    if size < (126 if len(field) == 2 else 65536) or size >> 63:
        raise Broken(1002, "A length is written in as few bytes as possible")
    return size


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _closing(payload: bytes) -> Close:
    if not payload:
        return Close(NO_CODE, "")
    # A single byte makes no code that is valid, as it should not.
    code = int.from_bytes(payload[:2], "big")
    if not may_close_with(code):
        raise Broken(1002, "A close frame has a valid code or nothing")
    try:
        return Close(code, payload[2:].decode())
    except UnicodeDecodeError:
        raise Broken(1007, "The reason of a close frame must be UTF-8") from None
