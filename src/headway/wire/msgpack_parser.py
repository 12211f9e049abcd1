"""Packets of Socket.IO v5 as MessagePack: the format of `socket.io-msgpack-parser`, which clients choose as their parser.

One packet is one binary message, `{type, nsp, data?, id?}`; bytes are written where they are, so nothing is an attachment.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from headway.wire.engineio_packets import Binary, Encoded
from headway.wire.packed import pack
from headway.wire.socketio_packets import (
    BadPacket,
    SocketPacket,
    SocketPacketLimits,
    SocketPacketType,
    check_nesting,
    check_packet,
)

__all__ = ["MSGPACK_PARSER", "MsgpackDecoder", "MsgpackParser"]

_LAST_TYPE = SocketPacketType.CONNECT_ERROR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.msgpack.encode
# The keys that come before the data of an event: {"type": 2, "nsp": …, "data": …}
_EVENT_HEAD = b"\x83" + _encode("type") + b"\x02" + _encode("nsp")
_DATA = _encode("data")


class _Wire(msgspec.Struct, gc=False, omit_defaults=True):
    """A packet as it is written; clients add `options`, which is nobody's concern."""

    type: int
    nsp: str
    data: Any = UNSET
    id: int | UnsetType | None = UNSET


def _extension(code: int, data: memoryview) -> Any:
    """What notepack, the library of the clients, has for the types of JavaScript that MessagePack lacks."""
    if code != 0:
        raise BadPacket("Unknown extension of MessagePack")
    if len(data) == 1:
        return None
    if len(data) == 8:
        # A date, in milliseconds. It becomes the text that JSON has for it, so that both parsers tell the same.
        moment = _EPOCH + timedelta(milliseconds=int.from_bytes(data, "big", signed=True))
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return bytes(data)


_decode = msgspec.msgpack.Decoder(_Wire, ext_hook=_extension).decode


class MsgpackDecoder:
    """Reads one client's packets."""

    __slots__ = ("_limits",)

    def __init__(self, limits: SocketPacketLimits) -> None:
        self._limits = limits

    def feed(self, data: bytes, binary: bool) -> SocketPacket | None:
        """See `Decoder.feed`; every message completes a packet."""
        limits = self._limits
        if not binary:
            raise BadPacket("MessagePack is binary")
        if len(data) > limits.max_bytes:
            raise BadPacket(f"A packet has at most {limits.max_bytes} bytes")
        try:
            wire = _decode(data)
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            raise BadPacket("A packet is an object with type and nsp, in MessagePack") from None
        if not 0 <= wire.type <= _LAST_TYPE:
            raise BadPacket("Unknown type of packet")
        if wire.nsp[:1] != "/" or len(wire.nsp.encode()) > limits.max_namespace:
            raise BadPacket(f"A namespace begins with a slash and has at most {limits.max_namespace} bytes")
        value = None if wire.data is UNSET else wire.data
        check_nesting(value, limits.max_depth)
        number = wire.id if isinstance(wire.id, int) else None
        packet = SocketPacket(SocketPacketType(wire.type), wire.nsp, value, number)
        check_packet(packet)
        return packet


class MsgpackParser:
    """See `Parser`."""

    __slots__ = ()

    def decoder(self, limits: SocketPacketLimits) -> MsgpackDecoder:
        """What reads one client's packets."""
        return MsgpackDecoder(limits)

    def encode(self, packet: SocketPacket) -> list[Encoded]:
        """See `Parser.encode`."""
        try:
            check_packet(packet)
        except BadPacket as bad:
            raise ValueError(str(bad)) from None
        data = UNSET if packet.data is None else packet.data
        number = UNSET if packet.id is None else packet.id
        return [Binary(_encode(_Wire(int(packet.type), packet.namespace, data, number)))]

    def encode_event(self, name: str, args: Sequence[Any]) -> bytes:
        """`[name, *args]` for `event_frame`."""
        return _encode([name, *args])

    def encode_json_event(self, name: bytes, argument: bytes) -> bytes:
        """See `Parser.encode_json_event`."""
        return b"\x92" + _encode(name.decode()) + pack(argument)

    def event_frame(self, namespace: str, event: bytes, offset: str | None = None) -> Binary:
        """See `Parser.event_frame`."""
        if offset is not None:
            event = _longer(event) + _encode(offset)
        return Binary(b"".join((_EVENT_HEAD, _encode(namespace), _DATA, event)))


def _longer(array: bytes) -> bytes:
    """An array that says it has one item more than it has; the item is to follow."""
    first = array[0]
    if 0x90 <= first <= 0x9F:
        size, at = first & 15, 1
    elif first == 0xDC:
        size, at = int.from_bytes(array[1:3], "big"), 3
    else:
        raise ValueError("An event is an array")
    size += 1
    if size < 16:
        return bytes((0x90 | size,)) + array[at:]
    return b"\xdc" + size.to_bytes(2, "big") + array[at:]


MSGPACK_PARSER = MsgpackParser()
