"""The packets of Engine.IO v4, how WebSocket and polling carry them, and the object that opens a session.

Values and their bytes; it knows nothing of sessions (`engineio.py`) or of what messages say (`socketio.py`). Text is kept
as UTF-8 bytes throughout, so that what is encoded once is written as it is to everybody.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from enum import IntEnum

import msgspec

__all__ = [
    "CLOSE",
    "MAX_PACKETS",
    "NOOP",
    "PING",
    "PROBE",
    "PROBED",
    "UPGRADE",
    "BadPacket",
    "Binary",
    "Encoded",
    "Packet",
    "PacketType",
    "as_text",
    "decode_packet",
    "decode_payload",
    "encode_packet",
    "encode_payload",
    "open_packet",
]

MAX_PACKETS = 16_384
"""In one payload. A client that was offline sends all that it kept at once, so this bounds memory and not manners."""

_SEPARATOR = b"\x1e"
_BASE64 = ord("b")


class BadPacket(Exception):
    """What came is no packet of the protocol; the connection is to be closed."""


class PacketType(IntEnum):
    """Engine.IO protocol v4 §Protocol."""

    OPEN = 0
    CLOSE = 1
    PING = 2
    PONG = 3
    MESSAGE = 4
    UPGRADE = 5
    NOOP = 6


class Packet(msgspec.Struct, frozen=True, gc=False):
    """One packet; `binary` only for a message, whose `data` is UTF-8 otherwise."""

    type: PacketType
    data: bytes = b""
    binary: bool = False


class Binary(msgspec.Struct, frozen=True, gc=False):
    """A binary message that is to be sent: a binary frame on WebSocket, base64 on polling."""

    data: bytes


Encoded = bytes | Binary
"""A packet that is to be sent. Bytes are text, and begin with the digit of the packet's type."""

CLOSE, PING, NOOP = b"1", b"2", b"6"
PROBE, PROBED, UPGRADE = b"2probe", b"3probe", b"5"

_TYPES = {ord("0") + kind: kind for kind in PacketType}


def encode_packet(packet: Packet) -> Encoded:
    """What is sent for a packet."""
    return Binary(packet.data) if packet.binary else b"%d%b" % (packet.type, packet.data)


def as_text(packet: Encoded) -> bytes:
    """A packet for a carrier without binary: polling, or a client that asked for `b64` (§Packet encoding)."""
    if type(packet) is Binary:
        return b"b" + binascii.b2a_base64(packet.data, newline=False)
    return packet  # type: ignore[return-value]


def encode_payload(packets: Iterable[Encoded]) -> bytes:
    """The body of a poll's answer (§Packet encoding, HTTP long-polling)."""
    return _SEPARATOR.join([as_text(packet) for packet in packets])


def decode_packet(data: bytes) -> Packet:
    """Read one packet that came as text; a binary frame is a message as it is.

    Args:
        data: UTF-8.

    Raises:
        BadPacket: it is empty, of no known type, or not base64.
    """
    if not data:
        raise BadPacket("A packet has a type")
    kind = _TYPES.get(data[0])
    if kind is not None:
        return Packet(kind, data[1:])
    if data[0] != _BASE64:
        raise BadPacket("A packet begins with its type")
    try:
        return Packet(PacketType.MESSAGE, binascii.a2b_base64(data[1:], strict_mode=True), binary=True)
    except binascii.Error:
        raise BadPacket("Binary data must be base64") from None


def decode_payload(body: bytes, max_packets: int = MAX_PACKETS) -> list[Packet]:
    """Read the body of a POST.

    Raises:
        BadPacket: it is not UTF-8, has more than `max_packets`, or one that cannot be read; none of them counts then.
    """
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            raise BadPacket("A payload is UTF-8") from None
    if body.count(_SEPARATOR) >= max_packets:
        raise BadPacket(f"A payload has at most {max_packets} packets")
    return [decode_packet(part) for part in body.split(_SEPARATOR)]


class _Opening(msgspec.Struct, rename="camel", gc=False):
    sid: str
    upgrades: tuple[str, ...]
    ping_interval: int
    ping_timeout: int
    max_payload: int


def open_packet(
    sid: str, upgrades: tuple[str, ...], ping_interval: float, ping_timeout: float, max_payload: int
) -> bytes:
    """The packet that opens a session (§Handshake).

    Args:
        sid: the session's id.
        upgrades: transports that the client may change to.
        ping_interval, ping_timeout: seconds; the client reads milliseconds.
        max_payload: bytes in one request or message.
    """
    opening = _Opening(sid, upgrades, round(ping_interval * 1000), round(ping_timeout * 1000), max_payload)
    return b"0" + msgspec.json.encode(opening)
