"""Compression of messages, against the other side of it as the `websockets` library has it."""

from __future__ import annotations

import contextlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from headway.wire.deflate import InflatingReader, accept_offer, deflated_frame, inflate
from headway.wire.websocket import Binary, Broken, Event, Ping, Text, Violation

ANSWER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
LIMIT = 65_536


def client() -> PerMessageDeflate:
    return PerMessageDeflate(True, True, 12, 15)


def sent(payload: bytes, opcode: Opcode = Opcode.TEXT) -> bytes:
    return raw(0xC0 | opcode, bytes(client().encode(Frame(opcode, payload)).data))


def raw(first: int, payload: bytes) -> bytes:
    """A client's frame with this first byte; a mask of zeros is a mask too."""
    size = len(payload)
    head = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([first]) + head + bytes(4) + payload


def read(data: bytes, limit: int = LIMIT) -> list[Event]:
    return InflatingReader(limit).feed(data)


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        ("permessage-deflate", ANSWER),
        ("permessage-deflate; client_max_window_bits", ANSWER),
        ("Permessage-Deflate ;client_max_window_bits=10", ANSWER),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", ANSWER),
        (
            'permessage-deflate; server_max_window_bits="12"; client_max_window_bits=12',
            ANSWER + "; server_max_window_bits=12",
        ),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", ANSWER),
        ("x-webkit-deflate-frame, permessage-deflate", ANSWER),
        ("", None),
        ("x-webkit-deflate-frame", None),
        ("permessage-deflate; server_max_window_bits=11", None),
        ("permessage-deflate; server_max_window_bits", None),
        ("permessage-deflate; server_max_window_bits=16", None),
        ("permessage-deflate; client_max_window_bits=7", None),
        ("permessage-deflate; server_no_context_takeover=1", None),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits", None),
        ("permessage-deflate; faster", None),
        ("permessage-deflate;", None),
    ],
)
def test_only_what_can_be_kept_is_agreed(offer: str, answer: str | None) -> None:
    assert accept_offer(offer) == answer


@given(st.binary(max_size=5000) | st.binary(max_size=50).map(lambda part: part * 300))
def test_a_client_reads_what_is_written(payload: bytes) -> None:
    data = deflated_frame(2, payload)
    first, size, start = data[0], data[1], 2
    if size == 126:
        start = 4
    elif size == 127:
        start = 10
    frame = Frame(Opcode.BINARY, data[start:], rsv1=bool(first & 0x40))
    assert client().decode(frame).data == payload
    assert len(data) <= len(payload) + 10


def test_small_messages_are_left_alone() -> None:
    assert deflated_frame(1, b"a" * 199)[0] == 0x81
    assert deflated_frame(1, b"a" * 200)[0] == 0xC1


@given(st.text(max_size=3000), st.integers(1, 400))
def test_what_a_client_writes_is_read_in_any_pieces(text: str, step: int) -> None:
    data = sent(text.encode()) * 2
    reader = InflatingReader(LIMIT)
    events = [event for at in range(0, len(data), step) for event in reader.feed(data[at : at + step])]
    assert events == [Text(text.encode())] * 2


def test_fragments_of_a_compressed_message() -> None:
    payload = b"progress " * 500
    body = bytes(client().encode(Frame(Opcode.BINARY, payload)).data)
    pieces = [
        raw(0x42, body[:5]),
        raw(0x00, body[5:9]),
        raw(0x89, b"?"),
        raw(0x80, body[9:]),
        raw(0x81, b"plain"),
    ]
    assert read(b"".join(pieces)) == [Ping(b"?"), Binary(payload), Text(b"plain")]


@pytest.mark.parametrize(
    "data",
    [raw(0xC9, b""), raw(0xC0, b""), raw(0xA1, b""), raw(0xD1, b""), raw(0x41, b"a") + raw(0xC0, b"b")],
    ids=["ping", "continuation that continues nothing", "rsv2", "rsv1 and rsv3", "said again"],
)
def test_the_bit_stands_only_where_it_may(data: bytes) -> None:
    (event,) = read(data)
    assert isinstance(event, Violation)
    assert event.code == 1002


def test_a_bomb_is_not_unpacked() -> None:
    bomb = sent(b"\0" * 50_000_000)
    assert len(bomb) < LIMIT
    (event,) = read(bomb)
    assert isinstance(event, Violation)
    assert event.code == 1009
    assert read(sent(b"a" * LIMIT)) == [Text(b"a" * LIMIT)]
    (event,) = read(sent(b"a" * (LIMIT + 1)))
    assert isinstance(event, Violation)


@given(st.binary(max_size=300))
def test_whatever_comes_is_bounded_or_refused(data: bytes) -> None:
    with contextlib.suppress(Broken):
        assert len(inflate(data, 1000)) <= 1000


def test_text_is_still_utf_8() -> None:
    (event,) = read(sent(b"\xff" * 300))
    assert isinstance(event, Violation)
    assert event.code == 1007


def test_a_last_block_ends_a_message() -> None:
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    whole = deflate.compress(b"hello " * 50) + deflate.flush(zlib.Z_FINISH)
    assert inflate(whole + b"\x00", LIMIT) == b"hello " * 50
    with pytest.raises(Broken):
        inflate(whole + b"more", LIMIT)
