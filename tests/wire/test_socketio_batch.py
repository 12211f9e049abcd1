"""Events that are made once for all who get them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from headway.model.cursor import Cursor
from headway.ports.link import Version
from headway.ports.store import LogEntry
from headway.wire.deflate import InflatingReader
from headway.wire.engineio_packets import Binary
from headway.wire.frames import binary_frame, text_frame
from headway.wire.msgpack_parser import MSGPACK_PARSER
from headway.wire.socketio_batch import Batch, Said, SocketCodec, frames_of
from headway.wire.socketio_json import JSON_PARSER
from headway.wire.socketio_packets import Parser


class Shouting(SocketCodec):
    """What a vocabulary may say of records."""

    __slots__ = ()

    def snapshot(
        self,
        name: bytes,
        cursor: Cursor,
        reset: bool,
        versions: Sequence[Version],
        unread: int | None = None,
        since: int = 0,
    ) -> Batch:
        return self.batch(name, [self.said("all", len(versions), cursor=str(cursor))])

    def changes(self, name: bytes, epoch: str, versions: Sequence[Version], since: int) -> Batch:
        return self.batch(name, [self.said("one", {"n": 1}, cursor=f"{epoch}.1"), self.said("two", {})])

    def log(
        self, name: bytes, task: str, offset: int, end: int, trimmed: int, entries: Sequence[LogEntry]
    ) -> Batch:
        return self.batch(name, [])


def test_the_batch_is_its_frames() -> None:
    batch: Batch = Shouting(JSON_PARSER, "/", offsets=False).changes(b"1", "e", [], 0)
    assert batch == text_frame(b'42["one",{"n":1}]') + text_frame(b'42["two",{}]')
    assert batch.packets == (b'42["one",{"n":1}]', b'42["two",{}]')
    assert batch.payload == b'42["one",{"n":1}]\x1e42["two",{}]'
    assert batch.payload is batch.payload
    assert batch.name == b"1"


def test_a_codec_for_recovery_ends_with_cursors() -> None:
    batch = Shouting(JSON_PARSER, "/x", offsets=True).changes(b"1", "e", [], 0)
    assert batch.packets == (b'42/x,["one",{"n":1},"e.1"]', b'42/x,["two",{}]')


def test_one_client_can_have_offsets_of_its_own() -> None:
    codec = Shouting(JSON_PARSER, "/", offsets=True)
    shared = codec.changes(b"1", "e", [], 0)
    own = codec.batch(shared.name, shared.said, ["e;0:1", ""])
    assert own.packets == (b'42["one",{"n":1},"e;0:1"]', b'42["two",{}]')
    assert own.said == shared.said


def test_nothing_said_is_nothing() -> None:
    assert not Shouting(JSON_PARSER, "/", offsets=True).log(b"1", "t", 0, 0, 0, [])


def test_messagepack_is_binary_and_base64_where_that_cannot_be() -> None:
    batch = Shouting(MSGPACK_PARSER, "/", offsets=True).changes(b"1", "e", [], 0)
    first, second = batch.packets
    assert isinstance(first, Binary)
    assert isinstance(second, Binary)
    assert batch == binary_frame(first.data) + binary_frame(second.data)
    assert msgspec.msgpack.decode(first.data) == {"type": 2, "nsp": "/", "data": ["one", {"n": 1}, "e.1"]}
    assert batch.text.startswith(b"\x81")
    assert b"b" in batch.text[:4]
    assert batch.payload.startswith(b"b")


def test_frames_are_those_of_the_packets() -> None:
    assert frames_of((b"4a", Binary(b"\x01"))) == text_frame(b"4a") + binary_frame(b"\x01")


def test_said_is_a_value() -> None:
    assert Said(b"[]") == Said(b"[]", "", None)


@pytest.mark.parametrize("parser", [JSON_PARSER, MSGPACK_PARSER])
def test_compressed_frames_say_the_same_and_are_made_once(parser: Parser) -> None:
    codec = Shouting(parser, "/", offsets=True)
    batch = codec.batch(b"1", [codec.said("long", {"pad": "abc" * 500}), codec.said("short", {})])
    events = InflatingReader(100_000).feed(_masked(batch.deflated))
    assert [event.data for event in events] == [  # type: ignore[union-attr]
        packet.data if isinstance(packet, Binary) else packet for packet in batch.packets
    ]
    assert len(batch.deflated) < len(batch.frames) / 10
    assert batch.deflated is batch.deflated


def _masked(frames: bytes) -> bytes:
    """As a client would send what a server sends; all but the first frame are short."""
    found = b""
    while frames:
        size, at = (frames[1], 2) if frames[1] < 126 else (int.from_bytes(frames[2:4], "big"), 4)
        found += bytes((frames[0], frames[1] | 128)) + frames[2:at] + bytes(4) + frames[at : at + size]
        frames = frames[at + size :]
    return found
