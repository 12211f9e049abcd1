"""Frames in: the vectors, any chunking, hostile bytes, bounded memory, and another library as the other side."""

from __future__ import annotations

import json
import os
import sys
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Close as CloseData
from websockets.frames import Frame, Opcode

from headway.wire import websocket
from headway.wire.websocket import Binary, Close, Event, FrameReader, Ping, Pong, Text, Violation

VECTORS = json.loads((Path(__file__).parents[2] / "spec/vectors/websocket_frames.json").read_text("utf-8"))[
    "cases"
]
LIMIT = 1024
MASK = b"\x37\xfa\x21\x3d"

vectors = pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in VECTORS])


def masked(first: int, payload: bytes = b"") -> bytes:
    """A client's frame, made the slow and obvious way."""
    size = len(payload)
    head = bytes((first, 0x80 | (size if size < 126 else 126 if size < 65536 else 127)))
    extended = size.to_bytes(0 if size < 126 else 2 if size < 65536 else 8, "big") if size > 125 else b""
    return head + extended + MASK + bytes(byte ^ MASK[at % 4] for at, byte in enumerate(payload))


def expected(case: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        (name, tuple(value) if name == "close" else value)
        for event in case["events"]
        for name, value in event.items()
    ]


def plain(events: list[Event]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for event in events:
        match event:
            case Text(data):
                found.append(("text", data.decode()))
            case Binary(data) | Ping(data) | Pong(data):
                found.append((type(event).__name__.lower(), data.hex()))
            case Close(code, reason):
                found.append(("close", (code, reason)))
            case Violation(code):
                found.append(("violation", code))
    return found


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def fed(reader: FrameReader, chunks: list[bytes]) -> list[Event]:
    return [event for chunk in chunks for event in reader.feed(chunk)]


@vectors
def test_vector(case: dict[str, Any]) -> None:
    reader = FrameReader(case.get("max_message", LIMIT))
    assert plain(reader.feed(bytes.fromhex(case["hex"]))) == expected(case)


@vectors
def test_vector_byte_by_byte(case: dict[str, Any]) -> None:
    reader = FrameReader(case.get("max_message", LIMIT))
    data = bytes.fromhex(case["hex"])
    assert plain(fed(reader, [data[at : at + 1] for at in range(len(data))])) == expected(case)


frames = st.builds(
    masked,
    st.sampled_from([0x01, 0x02, 0x00, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8A, 0x09, 0xC1, 0x83]),
    st.binary(max_size=140) | st.text(max_size=40).map(str.encode),
)
streams = st.lists(frames, max_size=8).map(b"".join)
cuts = st.lists(st.integers(0, 2000), max_size=12)


@given(streams | st.binary(max_size=300), cuts, st.integers(0, 300))
@example(masked(0x01, b"a") + masked(0x89) + masked(0x80, b"b"), [1, 2, 8, 9], 2)
def test_any_split_gives_the_same_events(data: bytes, cuts: list[int], limit: int) -> None:
    whole = FrameReader(limit).feed(data)
    assert fed(FrameReader(limit), split(data, cuts)) == whole


@given(streams | st.binary(max_size=600), cuts, st.integers(0, 300))
def test_memory_is_bounded_and_only_events_come_out(data: bytes, cuts: list[int], limit: int) -> None:
    reader = FrameReader(limit)
    ended = False
    for chunk in split(data, cuts):
        events = reader.feed(chunk)
        # One message, one head, and one control frame that came in between.
        assert reader.buffered <= limit + 14 + 125
        assert not (ended and events)
        for event in events:
            assert not ended
            ended = isinstance(event, Close | Violation)
            if isinstance(event, Text | Binary):
                assert len(event.data) <= limit
    if ended:
        assert reader.buffered == 0


@given(st.lists(frames, max_size=8), st.integers(0, 300))
@example([masked(0x01, b"a"), masked(0x81, b"b")], 300)
@example([masked(0x88), masked(0x81, b"b")], 300)
def test_a_chunk_for_each_frame_gives_the_same_events(chunks: list[bytes], limit: int) -> None:
    # The fast path is for exactly such chunks; the other tests of chunking seldom meet it.
    assert fed(FrameReader(limit), chunks) == FrameReader(limit).feed(b"".join(chunks))


@pytest.mark.parametrize("last", [masked(0x88), masked(0x83)])
def test_nothing_is_held_after_the_end(last: bytes) -> None:
    reader = FrameReader(LIMIT)
    fed(reader, [masked(0x01, b"Hel"), last + masked(0x83)])
    assert reader.buffered == 0
    assert reader.feed(b"\x81") == []
    assert reader.buffered == 0


def test_a_large_frame_that_trickles_in_is_held_once() -> None:
    limit = 256 * 1024
    data = masked(0x82, b"x" * limit)
    reader = FrameReader(limit)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for at in range(0, len(data) - 1, 1000):
            assert reader.feed(data[at : at + 1000][: len(data) - 1 - at]) == []
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert limit < held < limit * 1.3
    assert reader.feed(data[-1:]) == [Binary(b"x" * limit)]
    assert reader.buffered == 0


def test_an_endless_message_of_tiny_fragments_is_held_compactly() -> None:
    reader = FrameReader(20_000)
    start, more = masked(0x01, b"a"), masked(0x00, b"a") * 100
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        reader.feed(start)
        for _ in range(199):
            assert reader.feed(more) == []
        assert tracemalloc.get_traced_memory()[0] - before < 25_000
    finally:
        tracemalloc.stop()
    assert fed(reader, [more, more]) == [Violation(1009, "A message has at most 20000 bytes")]


def test_too_large_is_known_before_any_payload() -> None:
    reader = FrameReader(LIMIT)
    assert plain(reader.feed(b"\x82\xff" + (1 << 40).to_bytes(8, "big"))) == [("violation", 1009)]


def test_an_idle_reader_is_small() -> None:
    reader = FrameReader(65536)
    for data in (masked(0x81, b"x" * 60_000), masked(0x89), masked(0x01, b"a") + masked(0x80, b"b")):
        fed(reader, split(data, [3, 7]))
    assert not hasattr(reader, "__dict__")
    held = [getattr(reader, name) for name in FrameReader.__slots__]
    assert not any(isinstance(value, bytes | bytearray | list | dict) for value in held)
    assert sys.getsizeof(reader) <= 120


@pytest.mark.parametrize(
    "size", [0, 1, 3, 4, 5, 125, 126, 127, 4095, 4096, 4097, 4100, 8191, 65535, 65536, 100_001]
)
def test_unmasking_of_any_length(size: int) -> None:
    payload = os.urandom(size)
    assert FrameReader(200_000).feed(masked(0x82, payload)) == [Binary(payload)]


@given(st.lists(st.text(max_size=200).map(str.encode) | st.binary(max_size=200), min_size=1), cuts)
def test_frames_of_another_library(payloads: list[bytes], cuts: list[int]) -> None:
    data = b"".join(
        frame.serialize(mask=True, extensions=[])
        for payload in payloads
        for frame in (
            Frame(Opcode.BINARY, payload),
            Frame(Opcode.PING, payload[:125]),
            Frame(Opcode.TEXT, payload.hex().encode()[:100], fin=False),
            Frame(Opcode.PONG, payload[:125]),
            Frame(Opcode.CONT, payload.hex().encode()[100:]),
        )
    ) + Frame(Opcode.CLOSE, CloseData(4000, "enough").serialize()).serialize(mask=True, extensions=[])
    whole: list[Event] = []
    for payload in payloads:
        whole += [Binary(payload), Ping(payload[:125]), Pong(payload[:125]), Text(payload.hex().encode())]
    assert fed(FrameReader(LIMIT), split(data, cuts)) == [*whole, Close(4000, "enough")]


def test_the_module_offers_frames_of_both_directions() -> None:
    for name in websocket.__all__:
        assert hasattr(websocket, name)
