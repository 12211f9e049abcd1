"""The native messages as events: the same words, in both encodings."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from headway.model.cursor import Cursor
from headway.model.progress import Progress
from headway.model.task import Task, TaskState
from headway.ports.link import Version
from headway.ports.store import LogEntry
from headway.wire import native
from headway.wire.engineio_packets import Binary
from headway.wire.forms import TEXT
from headway.wire.msgpack_parser import MSGPACK_PARSER
from headway.wire.socketio_batch import Batch
from headway.wire.socketio_codec import NativeSocketCodec, event_of, split_message
from headway.wire.socketio_json import JSON_PARSER


def said(batch: Batch) -> list[Any]:
    """The events of a batch as a client has them."""
    events = []
    for packet in batch.packets:
        if isinstance(packet, Binary):
            events.append(msgspec.msgpack.decode(packet.data)["data"])
        else:
            assert packet[:2] == b"42"
            events.append(msgspec.json.decode(packet[2:]))
    return events


def masked(frames: bytes) -> list[Any]:
    """The messages in frames of a server."""
    messages = []
    at = 0
    while at < len(frames):
        size, start = frames[at + 1], at + 2
        if size == 126:
            size, start = int.from_bytes(frames[at + 2 : at + 4], "big"), at + 4
        messages.append(msgspec.json.decode(frames[start : start + size]))
        at = start + size
    return messages


@pytest.fixture(params=[JSON_PARSER, MSGPACK_PARSER], ids=["json", "msgpack"])
def codec(request: pytest.FixtureRequest) -> NativeSocketCodec:
    return NativeSocketCodec(request.param, "/", offsets=True)


def versions() -> list[Version]:
    progress = Progress(0, None, None, "")
    return [
        Version(Task(name, "public", rev, name, "", TaskState.QUEUED, 1, progress, 1, 1))
        for name, rev in (("a", 3), ("b", 4))
    ]


def test_an_event_is_what_the_native_message_is(codec: NativeSocketCodec) -> None:
    native_messages = masked(TEXT.snapshot(b"1", Cursor("e", 4), True, versions(), 2))
    native_messages += masked(TEXT.changes(b"1", "e", versions(), 0))
    entries = [LogEntry("a", 0, 1, "info", "hello")]
    native_messages += masked(TEXT.log(b"1", "a", 0, 1, 0, entries))
    events = said(codec.snapshot(b"1", Cursor("e", 4), True, versions(), 2))
    events += said(codec.changes(b"1", "e", versions(), 0))
    events += said(codec.log(b"1", "a", 0, 1, 0, entries))
    assert [{"type": event[0], **event[1]} for event in events] == native_messages
    # A log has no cursor, so its event ends with an object.
    assert [event[2:] for event in events] == [["e.4"], ["e.3"], ["e.4"], []]


def test_a_log_says_where_it_goes_on(codec: NativeSocketCodec) -> None:
    batch = codec.log(b"1", "a", 5, 6, 0, [LogEntry("a", 5, 1, "info", "hello")])
    assert [(one.cursor, one.log) for one in batch.said] == [("", 6)]


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        (native.pong(5), (b"pong", b'{"now":5}')),
        (b'{"type":"ok"}', (b"ok", b"{}")),
        (native.ok(3), (b"ok", b'{"ref":3}')),
    ],
)
def test_a_message_is_its_type_and_the_rest(message: bytes, parts: tuple[bytes, bytes]) -> None:
    assert split_message(message) == parts


def test_an_event_has_one_argument() -> None:
    assert event_of(JSON_PARSER, native.pong(5)) == b'["pong",{"now":5}]'
    assert msgspec.msgpack.decode(event_of(MSGPACK_PARSER, native.pong(5))) == ["pong", {"now": 5}]
