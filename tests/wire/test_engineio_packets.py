"""Packets and payloads of Engine.IO: the vectors, round trips, hostile bytes, and python-engineio as the other side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headway.wire.engineio_packets import (
    BadPacket,
    Binary,
    Packet,
    PacketType,
    as_text,
    decode_packet,
    decode_payload,
    encode_packet,
    encode_payload,
    open_packet,
)

VECTORS = json.loads((Path(__file__).parents[2] / "spec/vectors/engineio.json").read_text("utf-8"))

# The record separator cannot be told from the end of a packet; JSON never has it unescaped.
texts = st.text().filter(lambda text: "\x1e" not in text)
packets = st.one_of(
    st.builds(Packet, st.sampled_from(PacketType), texts.map(str.encode)),
    st.binary().map(lambda data: Packet(PacketType.MESSAGE, data, binary=True)),
)


def of(case: dict[str, Any]) -> Packet:
    binary = case.get("base64", False)
    data = bytes.fromhex(case["data"]) if binary else case["data"].encode()
    return Packet(PacketType[case["type"].upper()], data, binary)


@pytest.mark.parametrize("case", VECTORS["packets"], ids=lambda case: case["text"])
def test_packets(case: dict[str, Any]) -> None:
    assert decode_packet(case["text"].encode()) == of(case)
    assert as_text(encode_packet(of(case))) == case["text"].encode()


@pytest.mark.parametrize("text", VECTORS["bad_packets"])
def test_bad_packets(text: str) -> None:
    with pytest.raises(BadPacket):
        decode_packet(text.encode())


@pytest.mark.parametrize("case", VECTORS["payloads"], ids=lambda case: case["body"])
def test_payloads(case: dict[str, Any]) -> None:
    found = decode_payload(case["body"].encode())
    assert found == [decode_packet(text.encode()) for text in case["packets"]]
    assert encode_payload(encode_packet(packet) for packet in found) == case["body"].encode()


@pytest.mark.parametrize("body", VECTORS["bad_payloads"])
def test_bad_payloads(body: str) -> None:
    with pytest.raises(BadPacket):
        decode_payload(body.encode())


@given(st.lists(packets, min_size=1, max_size=20))
def test_payloads_round_trip(found: list[Packet]) -> None:
    assert decode_payload(encode_payload(encode_packet(packet) for packet in found)) == found


@given(st.binary(max_size=200))
@example(b"b\xff")
@example("4\ud800".encode("utf-8", "surrogatepass"))
def test_nothing_else_is_raised(body: bytes) -> None:
    try:
        found = decode_payload(body)
    except BadPacket:
        return
    for packet in found:
        assert packet.binary or packet.data.decode() is not None


def test_a_payload_has_a_limit_of_packets() -> None:
    assert len(decode_payload(b"\x1e".join([b"4"] * 10), 10)) == 10
    with pytest.raises(BadPacket):
        decode_payload(b"\x1e".join([b"4"] * 11), 10)


def test_the_handshake_has_exactly_its_keys() -> None:
    packet = open_packet("abc", ("websocket",), 25.0, 0.2, 1_000_000)
    assert packet[:1] == b"0"
    assert json.loads(packet[1:]) == {
        "sid": "abc",
        "upgrades": ["websocket"],
        "pingInterval": 25_000,
        "pingTimeout": 200,
        "maxPayload": 1_000_000,
    }


def is_json(text: str | bytes) -> bool:
    """Whether python-engineio takes the text of a message for JSON: `Infinity` comes out of it as a number."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@given(packets)
def test_python_engineio_reads_and_writes_the_same(packet: Packet) -> None:
    theirs = pytest.importorskip("engineio.packet")
    payload = pytest.importorskip("engineio.payload")
    data = packet.data if packet.binary else packet.data.decode()
    written = theirs.Packet(int(packet.type), data)
    if packet.type is not PacketType.MESSAGE and packet.data[:1] in (b"{", b"["):
        return  # It takes data of other packets for JSON as soon as it looks so.
    ours = as_text(encode_packet(packet))
    assert written.encode(b64=True).encode() == ours
    assert decode_packet(payload.Payload([written]).encode().encode()) == packet
    read = payload.Payload(encoded_payload=ours.decode()).packets[0]
    assert read.packet_type == packet.type
    if packet.type is PacketType.MESSAGE and not is_json(data):
        assert read.data == data


def test_binary_is_itself_on_websocket() -> None:
    assert encode_packet(Packet(PacketType.MESSAGE, b"\x00\xff", binary=True)) == Binary(b"\x00\xff")
