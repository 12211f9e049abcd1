"""What packets of Socket.IO may hold, whatever their encoding; both parsers say the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.wire.engineio_packets import Binary
from headway.wire.msgpack_parser import MSGPACK_PARSER
from headway.wire.socketio_json import JSON_PARSER
from headway.wire.socketio_packets import (
    MAX_ID,
    RESERVED_EVENTS,
    BadPacket,
    Parser,
    SocketPacket,
    SocketPacketLimits,
    SocketPacketType,
    check_nesting,
    check_packet,
    recovery_args,
)

LIMITS = SocketPacketLimits()

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.binary(max_size=8),
)
keys = st.text(max_size=4).filter(lambda key: key != "_placeholder")
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)
names = st.text(max_size=8).filter(lambda name: name not in RESERVED_EVENTS)
namespaces = st.one_of(
    st.just("/"),
    st.text(st.characters(exclude_characters=",", exclude_categories=["Cs"]), max_size=8).map(
        lambda text: "/" + text
    ),
)
ids = st.one_of(st.none(), st.integers(0, MAX_ID))
objects = st.dictionaries(keys, values.filter(lambda value: not holds_bytes(value)), max_size=3)
packets = st.one_of(
    st.builds(SocketPacket, st.just(SocketPacketType.CONNECT), namespaces, st.none() | objects),
    st.builds(SocketPacket, st.just(SocketPacketType.DISCONNECT), namespaces),
    st.builds(
        lambda namespace, name, args, number: SocketPacket(
            SocketPacketType.EVENT, namespace, [name, *args], number
        ),
        namespaces,
        names,
        st.lists(values, max_size=3),
        ids,
    ),
    st.builds(
        SocketPacket,
        st.just(SocketPacketType.ACK),
        namespaces,
        st.lists(values, max_size=3),
        st.integers(0, MAX_ID),
    ),
    st.builds(
        SocketPacket, st.just(SocketPacketType.CONNECT_ERROR), namespaces, st.text(max_size=8) | objects
    ),
)
parsers = st.sampled_from([JSON_PARSER, MSGPACK_PARSER])


def holds_bytes(value: Any) -> bool:
    if isinstance(value, list):
        return any(holds_bytes(item) for item in value)
    if isinstance(value, dict):
        return any(holds_bytes(item) for item in value.values())
    return isinstance(value, bytes)


def read(parser: Parser, messages: list[bytes | Binary]) -> SocketPacket | None:
    """What a decoder makes of encoded messages; only the last may complete a packet."""
    decoder = parser.decoder(SocketPacketLimits(max_attachments=100))
    packet: SocketPacket | None = None
    for message in messages:
        assert packet is None
        if isinstance(message, Binary):
            packet = decoder.feed(message.data, True)
        else:
            assert message[:1] == b"4"
            packet = decoder.feed(message[1:], False)
    return packet


@given(parsers, packets)
def test_round_trip(parser: Parser, packet: SocketPacket) -> None:
    assert read(parser, parser.encode(packet)) == packet


@given(
    parsers,
    namespaces,
    names,
    st.lists(values.filter(lambda value: not holds_bytes(value)), max_size=40),
    st.none() | st.text(max_size=20),
)
def test_a_spliced_event_is_an_event(
    parser: Parser, namespace: str, name: str, args: list[Any], offset: str | None
) -> None:
    frame = parser.event_frame(namespace, parser.encode_event(name, args), offset)
    packet = read(parser, [frame])
    wanted = [name, *recovery_args(args, offset)]
    assert packet == SocketPacket(SocketPacketType.EVENT, namespace, wanted)
    assert parser.encode(SocketPacket(SocketPacketType.EVENT, namespace, wanted)) == [frame]


@given(parsers, st.lists(st.tuples(st.binary(max_size=30), st.booleans()), max_size=5))
def test_nothing_else_is_raised(parser: Parser, messages: list[tuple[bytes, bool]]) -> None:
    decoder = parser.decoder(LIMITS)
    try:
        for data, binary in messages:
            decoder.feed(data, binary)
    except BadPacket:
        pass


@given(parsers, packets, st.data())
def test_a_damaged_packet_is_bad_or_another(
    parser: Parser, packet: SocketPacket, data: st.DataObject
) -> None:
    decoder = parser.decoder(LIMITS)
    try:
        for message in parser.encode(packet):
            binary = isinstance(message, Binary)
            damaged = bytearray(message.data if isinstance(message, Binary) else message[1:])
            if damaged:
                damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
            decoder.feed(bytes(damaged), binary)
    except BadPacket:
        pass


@pytest.mark.parametrize("parser", [JSON_PARSER, MSGPACK_PARSER])
@pytest.mark.parametrize(
    "packet",
    [
        SocketPacket(SocketPacketType.EVENT, data=[]),
        SocketPacket(SocketPacketType.EVENT, data=["disconnect"]),
        SocketPacket(SocketPacketType.EVENT, data=[True]),
        SocketPacket(SocketPacketType.EVENT, data={}),
        SocketPacket(SocketPacketType.ACK, data=[]),
        SocketPacket(SocketPacketType.ACK, data=[], id=-1),
        SocketPacket(SocketPacketType.ACK, data=[], id=MAX_ID + 1),
        SocketPacket(SocketPacketType.CONNECT, data=[]),
        SocketPacket(SocketPacketType.CONNECT, data={}, id=1),
        SocketPacket(SocketPacketType.DISCONNECT, data={}),
        SocketPacket(SocketPacketType.CONNECT_ERROR),
        SocketPacket(SocketPacketType.BINARY_EVENT, data=["a"]),
    ],
)
def test_what_is_not_valid_is_not_written(parser: Parser, packet: SocketPacket) -> None:
    with pytest.raises(BadPacket):
        check_packet(packet)
    with pytest.raises(ValueError, match=r".") as caught:
        parser.encode(packet)
    assert not isinstance(caught.value, BadPacket)


def test_depth_is_counted() -> None:
    check_nesting([[1]], 2)
    with pytest.raises(BadPacket, match="deep"):
        check_nesting([[1]], 1)
    check_nesting("text", 0)
    with pytest.raises(BadPacket, match="text"):
        check_nesting([{1: 2}], 5)


def test_a_packet_hides_what_is_in_it() -> None:
    packet = SocketPacket(SocketPacketType.CONNECT, data={"token": "secret"})
    assert re.search("secret", repr(packet)) is None
