"""MessagePack as `socket.io-msgpack-parser` writes it: bytes that it made, what JavaScript has beyond JSON, bad packets."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from headway.wire.engineio_packets import Binary
from headway.wire.msgpack_parser import MSGPACK_PARSER
from headway.wire.socketio_packets import BadPacket, SocketPacket, SocketPacketLimits, SocketPacketType

LIMITS = SocketPacketLimits()
CONNECT, EVENT = SocketPacketType.CONNECT, SocketPacketType.EVENT


def feed(data: bytes) -> SocketPacket | None:
    return MSGPACK_PARSER.decoder(LIMITS).feed(data, True)


# What the encoder of socket.io-msgpack-parser 3.0.2 makes in Node, for the packet beside it.
THEIRS = [
    ("83a47479706500a36e7370a12fa464617461d40000", SocketPacket(CONNECT)),
    (
        "84a47479706500a36e7370a12fa46461746181a5746f6b656ea3313233a76f7074696f6e7381a8636f6d7072657373c3",
        SocketPacket(CONNECT, data={"token": "123"}),
    ),
    ("82a47479706501a36e7370a62f61646d696e", SocketPacket(SocketPacketType.DISCONNECT, "/admin")),
    (
        (
            "85a47479706502a36e7370a12fa46461746194a3666f6f01a13281a13394c3c0cb3ff8000000000000f9"
            "a76f7074696f6e7381a8636f6d7072657373c3a269640c"
        ),
        SocketPacket(EVENT, data=["foo", 1, "2", {"3": [True, None, 1.5, -7]}], id=12),
    ),
    (
        "83a47479706502a36e7370a12fa46461746194a362696ec403010203d40000d7000000019b76daa87b",
        SocketPacket(EVENT, data=["bin", b"\x01\x02\x03", None, "2026-01-01T00:00:00.123Z"]),
    ),
    (
        "83a47479706502a36e7370a12fa46461746192a57479706564c70300010203",
        SocketPacket(EVENT, data=["typed", b"\x01\x02\x03"]),
    ),
    (
        "84a47479706503a36e7370a62f61646d696ea46461746191a3626172a269640d",
        SocketPacket(SocketPacketType.ACK, "/admin", ["bar"], 13),
    ),
    (
        "84a47479706503a36e7370a12fa46461746190a26964cf0000000100000000",
        SocketPacket(SocketPacketType.ACK, "/", [], 2**32),
    ),
]


@pytest.mark.parametrize(("written", "packet"), THEIRS)
def test_what_clients_write(written: str, packet: SocketPacket) -> None:
    assert feed(bytes.fromhex(written)) == packet


@pytest.mark.parametrize(
    ("extension", "wanted"),
    [
        (msgspec.msgpack.Ext(0, b"\x00"), None),
        (msgspec.msgpack.Ext(0, b"\x01\x02\x03"), b"\x01\x02\x03"),
        (msgspec.msgpack.Ext(0, (1_767_225_600_123).to_bytes(8, "big")), "2026-01-01T00:00:00.123Z"),
        (msgspec.msgpack.Ext(0, (-1).to_bytes(8, "big", signed=True)), "1969-12-31T23:59:59.999Z"),
    ],
)
def test_what_javascript_has_beyond_json(extension: Any, wanted: Any) -> None:
    packet = feed(msgspec.msgpack.encode({"type": 2, "nsp": "/", "data": ["a", extension]}))
    assert packet == SocketPacket(EVENT, data=["a", wanted])


@pytest.mark.parametrize(
    "message",
    [
        {},
        [],
        "text",
        {"type": 2, "nsp": "/"},
        {"type": 2, "data": ["a"]},
        {"type": "2", "nsp": "/", "data": ["a"]},
        {"type": 5, "nsp": "/", "data": ["a"]},
        {"type": -1, "nsp": "/", "data": ["a"]},
        {"type": 2, "nsp": 1, "data": ["a"]},
        {"type": 2, "nsp": "admin", "data": ["a"]},
        {"type": 2, "nsp": "/" + "n" * 128, "data": ["a"]},
        {"type": 2, "nsp": "/", "data": {"a": 1}},
        {"type": 2, "nsp": "/", "data": ["connect"]},
        {"type": 2, "nsp": "/", "data": ["a"], "id": "1"},
        {"type": 2, "nsp": "/", "data": ["a"], "id": -1},
        {"type": 2, "nsp": "/", "data": ["a"], "id": 2**53},
        {"type": 2, "nsp": "/", "data": ["a", {1: 2}]},
        {"type": 2, "nsp": "/", "data": ["a", msgspec.msgpack.Ext(7, b"x")]},
        {"type": 2, "nsp": "/", "data": ["a", msgspec.msgpack.Ext(0, b"\x7f" * 8)]},
        {"type": 1, "nsp": "/", "data": {}},
        {"type": 0, "nsp": "/", "data": []},
        {"type": 4, "nsp": "/"},
        {"type": 3, "nsp": "/", "data": []},
    ],
    ids=lambda message: re.sub(r" at 0x[0-9a-f]+", "", str(message)),
)
def test_bad_packets(message: Any) -> None:
    with pytest.raises(BadPacket):
        feed(msgspec.msgpack.encode(message))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x91" * 5000,
        b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data" + b"\x91" * 500 + b"\x01",
        b"\xdd\xff\xff\xff\xff",
        b"\x81\xa3nsp\xa1\xff",
        b"\x81\x80\x01",
    ],
    ids=lambda data: repr(data[:8]),
)
def test_hostile_bytes(data: bytes) -> None:
    with pytest.raises(BadPacket):
        feed(data)


def test_text_is_no_packet_and_size_is_bounded() -> None:
    with pytest.raises(BadPacket, match="binary"):
        MSGPACK_PARSER.decoder(LIMITS).feed(b'2["a"]', False)
    with pytest.raises(BadPacket, match="bytes"):
        feed(bytes(LIMITS.max_bytes + 1))


def test_a_packet_is_one_binary_message() -> None:
    [message] = MSGPACK_PARSER.encode(SocketPacket(CONNECT, "/admin", {"sid": "s"}))
    assert isinstance(message, Binary)
    assert msgspec.msgpack.decode(message.data) == {"type": 0, "nsp": "/admin", "data": {"sid": "s"}}


@pytest.mark.parametrize("size", [0, 1, 13, 14, 15, 16, 300])
def test_an_offset_lengthens_the_array(size: int) -> None:
    args = list(range(size))
    frame = MSGPACK_PARSER.event_frame("/", MSGPACK_PARSER.encode_event("a", args), "e.1")
    assert feed(frame.data) == SocketPacket(EVENT, data=["a", *args, "e.1"])


def test_what_is_no_array_is_no_event() -> None:
    with pytest.raises(ValueError, match="array"):
        MSGPACK_PARSER.event_frame("/", msgspec.msgpack.encode({}), "e.1")
