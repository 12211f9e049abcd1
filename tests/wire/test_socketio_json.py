"""The default encoding of Socket.IO: the vectors, attachments in order and bounded, python-socketio as the other side."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from tests.wire.test_socketio_packets import packets

from headway.wire.engineio_packets import Binary
from headway.wire.socketio_json import JSON_PARSER
from headway.wire.socketio_packets import BadPacket, SocketPacket, SocketPacketLimits, SocketPacketType

VECTORS = json.loads((Path(__file__).parents[2] / "spec/vectors/socketio.json").read_text("utf-8"))
LIMITS = SocketPacketLimits()


def value(written: Any) -> Any:
    """A value of the vectors: `{"hex": …}` are bytes."""
    if isinstance(written, list):
        return [value(item) for item in written]
    if isinstance(written, dict):
        if written.keys() == {"hex"}:
            return bytes.fromhex(written["hex"])
        return {key: value(item) for key, item in written.items()}
    return written


@pytest.mark.parametrize("case", VECTORS["packets"], ids=lambda case: case["text"])
def test_packets(case: dict[str, Any]) -> None:
    wanted = SocketPacket(
        SocketPacketType[case["type"]], case.get("namespace", "/"), value(case.get("data")), case.get("id")
    )
    messages = [case["text"].encode(), *map(bytes.fromhex, case.get("attachments", []))]
    decoder = JSON_PARSER.decoder(LIMITS)
    found = [decoder.feed(message, number > 0) for number, message in enumerate(messages)]
    assert found == [None] * (len(messages) - 1) + [wanted]
    assert decoder.feed(b'2["next"]', False) is not None, "nothing is left over"
    if case.get("written", True):
        assert JSON_PARSER.encode(wanted) == [b"4" + messages[0], *map(Binary, messages[1:])]


@pytest.mark.parametrize(
    ("written", "meant"),
    [(r"cut \ud83d", "cut \ufffd"), (r"\uDE00\ud83d", "\ufffd\ufffd"), (r"\\ud83d \ud83d\ude00 \udc00", "\\ud83d \N{GRINNING FACE} \ufffd")],
)  # fmt: skip
def test_text_that_was_cut_within_a_sign_is_text(written: str, meant: str) -> None:
    packet = JSON_PARSER.decoder(LIMITS).feed(b'2["say","%b"]' % written.encode(), False)
    assert packet is not None
    assert packet.data == ["say", meant]


@pytest.mark.parametrize("messages", VECTORS["bad"], ids=lambda messages: " ".join(messages)[:60])
def test_bad_packets(messages: list[str]) -> None:
    decoder = JSON_PARSER.decoder(LIMITS)
    *good, bad = [
        (bytes.fromhex(text[4:]), True) if text.startswith("hex:") else (text.encode(), False)
        for text in messages
    ]
    for data, binary in good:
        decoder.feed(data, binary)
    with pytest.raises(BadPacket):
        decoder.feed(*bad)


@pytest.mark.parametrize(
    "text",
    [
        b'2["a",' + b"[" * 20_000 + b"]" * 20_000 + b"]",
        b'2["a",' + b'{"a":' * 9_000 + b"1" + b"}" * 9_000 + b"]",
        b"5" + b"9" * 50_000 + b'-["a"]',
        b"2" + b"9" * 50_000 + b'["a"]',
        b'2["a",' + b"9" * 50_000 + b"]",
        b'2/\xff,["a"]',
        b'2["\xff"]',
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text(text: bytes) -> None:
    with pytest.raises(BadPacket):
        JSON_PARSER.decoder(LIMITS).feed(text, False)


@pytest.mark.parametrize("frame", VECTORS["frames"], ids=lambda frame: frame["frame"])
def test_frames(frame: dict[str, Any]) -> None:
    found = JSON_PARSER.event_frame(frame["namespace"], frame["event"].encode(), frame["offset"])
    assert found == frame["frame"].encode()


@pytest.mark.parametrize("namespace", ["admin", "/a,b", ""])
def test_a_namespace_that_cannot_be_written(namespace: str) -> None:
    with pytest.raises(ValueError, match="namespace"):
        JSON_PARSER.event_frame(namespace, b'["a"]')


def test_brackets_in_text_are_not_depth() -> None:
    packet = JSON_PARSER.decoder(LIMITS).feed(b'2["' + b"[{" * 1000 + b'"]', False)
    assert packet is not None


def test_attachments_are_bounded_together() -> None:
    decoder = JSON_PARSER.decoder(SocketPacketLimits(max_bytes=1000))
    holes = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(3))
    tracemalloc.start()
    try:
        decoder.feed(f'53-["a",{holes}]'.encode(), False)
        decoder.feed(bytes(400), True)
        with pytest.raises(BadPacket, match="1000 bytes"):
            decoder.feed(bytes(600), True)
        assert tracemalloc.get_traced_memory()[0] < 20_000
    finally:
        tracemalloc.stop()


def test_a_limit_is_for_each_packet() -> None:
    decoder = JSON_PARSER.decoder(SocketPacketLimits(max_bytes=60))
    for _ in range(5):
        assert decoder.feed(b'51-["a",{"_placeholder":true,"num":0}]', False) is None
        assert decoder.feed(bytes(10), True) is not None


@given(packets)
def test_python_socketio_reads_and_writes_the_same(packet: SocketPacket) -> None:
    theirs = pytest.importorskip("socketio.packet")
    text, *attachments = JSON_PARSER.encode(packet)
    assert isinstance(text, bytes)
    if "?" in packet.namespace:
        return  # It drops the query that version 4 of the protocol had there.
    read = theirs.Packet(encoded_packet=text[1:].decode())
    for attachment in attachments:
        assert isinstance(attachment, Binary)
        read.add_attachment(attachment.data)
    kinds = {theirs.BINARY_EVENT: theirs.EVENT, theirs.BINARY_ACK: theirs.ACK}
    assert kinds.get(read.packet_type, read.packet_type) == packet.type
    assert (read.namespace or "/", read.id, read.data) == (packet.namespace, packet.id, packet.data)

    written = theirs.Packet(
        packet_type=int(packet.type), data=packet.data, namespace=packet.namespace, id=packet.id
    ).encode()
    messages = written if isinstance(written, list) else [written]
    decoder = JSON_PARSER.decoder(SocketPacketLimits(max_attachments=100))
    found = None
    for message in messages:
        binary = isinstance(message, bytes)
        found = decoder.feed(message if isinstance(message, bytes) else message.encode(), binary)
    assert found == packet


def test_an_attachment_has_one_place() -> None:
    """In many places it would be of any size as soon as somebody writes it again."""
    decoder = JSON_PARSER.decoder(SocketPacketLimits())
    assert (
        decoder.feed(b'51-["a",[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]]', False) is None
    )
    with pytest.raises(BadPacket, match="one place"):
        decoder.feed(b"x", True)
