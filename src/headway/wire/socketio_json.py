"""The default encoding of Socket.IO v5: a head of digits, JSON, and binary attachments as messages that follow.

It knows one packet at a time; which may come when is of `socketio.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from headway.wire.engineio_packets import Binary, Encoded
from headway.wire.socketio_packets import (
    MAX_ID,
    BadPacket,
    SocketPacket,
    SocketPacketLimits,
    SocketPacketType,
    check_nesting,
    check_packet,
)

__all__ = ["JSON_PARSER", "JsonDecoder", "JsonParser"]

# §Format: <type>[<attachments>-][<namespace>,][<id>][JSON]
_HEAD = re.compile(rb"([0-6])(?:([0-9]{1,16})-)?(?:(/[^,]*)(?:,|\Z))?([0-9]*)")
_BINARY = {
    SocketPacketType.BINARY_EVENT: SocketPacketType.EVENT,
    SocketPacketType.BINARY_ACK: SocketPacketType.ACK,
}
_WRITTEN_BINARY = {plain: binary for binary, plain in _BINARY.items()}
_TYPES = tuple(SocketPacketType)
_SURROGATE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""An escape: two halves of a sign, one alone, or another."""
_decode_json = msgspec.json.decode
_encode_json = msgspec.json.encode


class JsonDecoder:
    """Reads one client's packets."""

    __slots__ = ("_buffers", "_bytes", "_limits", "_missing", "_packet")

    def __init__(self, limits: SocketPacketLimits) -> None:
        self._limits = limits
        self._packet: SocketPacket | None = None
        """A packet whose attachments are missing."""
        self._missing = 0
        self._buffers: list[bytes] | None = None
        self._bytes = 0

    def feed(self, data: bytes, binary: bool) -> SocketPacket | None:
        """See `Decoder.feed`."""
        self._bytes += len(data)
        if self._bytes > self._limits.max_bytes:
            raise BadPacket(f"A packet has at most {self._limits.max_bytes} bytes")
        if binary:
            return self._attach(data)
        if self._packet is not None:
            raise BadPacket("Attachments are missing")
        packet, attachments = self._read(data)
        if attachments:
            self._packet, self._missing, self._buffers = packet, attachments, []
            return None
        self._bytes = 0
        return packet

    def _read(self, data: bytes) -> tuple[SocketPacket, int]:
        head = _HEAD.match(data)
        if head is None:
            raise BadPacket("A packet begins with its type")
        kind, attachments = _TYPES[data[0] - 48], 0
        plain = _BINARY.get(kind)
        if plain is not None:
            attachments = int(head[2] or 0)
            if not 0 < attachments <= self._limits.max_attachments:
                raise BadPacket(f"A binary packet has 1 to {self._limits.max_attachments} attachments")
            kind = plain
        elif head[2] is not None:
            raise BadPacket("Only binary packets have attachments")
        packet = SocketPacket(kind, self._namespace(head[3]), self._data(data, head.end()), _id(head[4]))
        check_packet(packet)
        return packet, attachments

    def _namespace(self, name: bytes | None) -> str:
        if name is None:
            return "/"
        if len(name) > self._limits.max_namespace:
            raise BadPacket(f"A namespace has at most {self._limits.max_namespace} bytes")
        try:
            return name.decode()
        except UnicodeDecodeError:
            raise BadPacket("A namespace is UTF-8") from None

    def _data(self, data: bytes, at: int) -> Any:
        if at == len(data):
            return None
        # JSON may begin with space, and with digits; a packet's may not, since those belong to its head.
        if data[at] not in b'[{"':
            raise BadPacket("The data is an array, an object or text")
        depth = self._limits.max_depth
        text = data[at:]
        try:
            try:
                value = _decode_json(text)
            except msgspec.MsgspecError:
                # A script that cuts a text cuts in two what takes two of its units, and writes half of it.
                value = _decode_json(_SURROGATE.sub(_whole, text))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise BadPacket("The data must be JSON") from None
        # Nothing is deeper than it has brackets: nearly always that says enough.
        if text.count(b"[") + text.count(b"{") > depth:
            check_nesting(value, depth)
        return value

    def _attach(self, data: bytes) -> SocketPacket | None:
        packet, buffers = self._packet, self._buffers
        if packet is None or buffers is None:
            raise BadPacket("Nothing asked for attachments")
        buffers.append(data)
        if len(buffers) < self._missing:
            return None
        self._packet, self._buffers, self._bytes = None, None, 0
        return SocketPacket(packet.type, packet.namespace, _fill(packet.data, [*buffers]), packet.id)


def _whole(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape[1] else escape[0]


def _id(digits: bytes) -> int | None:
    if not digits:
        return None
    if len(digits) > 16 or (number := int(digits)) > MAX_ID:
        raise BadPacket("An acknowledgement's id is a number from 0 to 2^53-1")
    return number


def _fill(value: Any, buffers: list[bytes | None]) -> Any:
    """Put attachments in the place of their placeholders; the depth of `value` is bounded already.

    Each is put in one place, since who writes the value again would write all of them: it would be of any size.
    """
    if isinstance(value, list):
        return [_fill(item, buffers) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("_placeholder") is True:
        number = value.get("num")
        if type(number) is not int or not 0 <= number < len(buffers):
            raise BadPacket("A placeholder names an attachment")
        attachment, buffers[number] = buffers[number], None
        if attachment is None:
            raise BadPacket("An attachment has one place")
        return attachment
    return {key: _fill(item, buffers) for key, item in value.items()}


def _empty(value: Any, buffers: list[bytes]) -> Any:
    """Put placeholders in the place of bytes, which are collected in their order."""
    if isinstance(value, bytes | bytearray | memoryview):
        buffers.append(bytes(value))
        return {"_placeholder": True, "num": len(buffers) - 1}
    if isinstance(value, list | tuple):
        return [_empty(item, buffers) for item in value]
    if isinstance(value, dict):
        return {key: _empty(item, buffers) for key, item in value.items()}
    return value


class JsonParser:
    """See `Parser`. Socket.IO protocol v5 §Packet encoding."""

    __slots__ = ()

    def decoder(self, limits: SocketPacketLimits) -> JsonDecoder:
        """What reads one client's packets."""
        return JsonDecoder(limits)

    def encode(self, packet: SocketPacket) -> list[Encoded]:
        """See `Parser.encode`."""
        try:
            check_packet(packet)
        except BadPacket as bad:
            raise ValueError(str(bad)) from None
        buffers: list[bytes] = []
        kind, data = packet.type, packet.data
        if kind in _WRITTEN_BINARY:
            data = _empty(data, buffers)
        head = b"4%d" % (_WRITTEN_BINARY[kind] if buffers else kind)
        if buffers:
            head += b"%d-" % len(buffers)
        head += _prefix(packet.namespace)
        if packet.id is not None:
            head += b"%d" % packet.id
        text = head if data is None else head + _encode_json(data)
        return [text, *map(Binary, buffers)]

    def encode_event(self, name: str, args: Sequence[Any]) -> bytes:
        """`[name, *args]` for `event_frame`."""
        return _encode_json([name, *args])

    def encode_json_event(self, name: bytes, argument: bytes) -> bytes:
        """See `Parser.encode_json_event`."""
        return b'["%b",%b]' % (name, argument)

    def event_frame(self, namespace: str, event: bytes, offset: str | None = None) -> bytes:
        """See `Parser.event_frame`."""
        if offset is None:
            return b"".join((b"42", _prefix(namespace), event))
        return b"".join((b"42", _prefix(namespace), event[:-1], b",", _encode_json(offset), b"]"))


def _prefix(namespace: str) -> bytes:
    if namespace == "/":
        return b""
    if namespace[:1] != "/" or "," in namespace:
        raise ValueError("A namespace begins with a slash and has no comma")
    return namespace.encode() + b","


JSON_PARSER = JsonParser()
