"""Frames out, read back by another library's client."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from headway.wire.frames import (
    NO_CODE,
    binary_frame,
    close_frame,
    may_close_with,
    ping_frame,
    pong_frame,
    text_frame,
)

SIZES = [0, 1, 125, 126, 127, 65535, 65536]


def read(data: bytes) -> Frame:
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    client.receive_data(data)
    assert client.parser_exc is None
    (frame,) = client.events_received()
    assert isinstance(frame, Frame)
    assert frame.fin
    return frame


def test_the_bytes_of_the_rfc() -> None:
    assert text_frame(b"Hello") == bytes.fromhex("810548656c6c6f")
    assert ping_frame(b"Hello") == bytes.fromhex("890548656c6c6f")
    assert binary_frame(bytes(256)) == bytes.fromhex("827e0100") + bytes(256)
    assert binary_frame(bytes(65535)) == bytes.fromhex("827effff") + bytes(65535)
    assert binary_frame(bytes(65536)) == bytes.fromhex("827f0000000000010000") + bytes(65536)


@pytest.mark.parametrize("size", SIZES)
def test_messages(size: int) -> None:
    payload = b"x" * size
    text, binary = read(text_frame(payload)), read(binary_frame(payload))
    assert (text.opcode, bytes(text.data)) == (Opcode.TEXT, payload)
    assert (binary.opcode, bytes(binary.data)) == (Opcode.BINARY, payload)


@pytest.mark.parametrize("size", [0, 1, 125])
def test_control_frames(size: int) -> None:
    payload = b"\xff" * size
    ping, pong = read(ping_frame(payload)), read(pong_frame(payload))
    assert (ping.opcode, bytes(ping.data)) == (Opcode.PING, payload)
    assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, payload)


def test_a_control_frame_has_at_most_125_bytes() -> None:
    for build in (ping_frame, pong_frame):
        with pytest.raises(ValueError, match="125"):
            build(b"x" * 126)


def closed(data: bytes) -> tuple[int, str]:
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN)
    client.receive_data(data)
    assert client.parser_exc is None
    assert client.close_rcvd is not None
    return client.close_rcvd.code, client.close_rcvd.reason


@given(st.sampled_from([1000, 1001, 1009, 1014, 3000, 4101, 4999]), st.text(max_size=200))
def test_close(code: int, reason: str) -> None:
    frame = close_frame(code, reason)
    assert len(frame) <= 127
    found, text = closed(frame)
    assert found == code
    assert reason.startswith(text)
    # Nothing more would have fitted.
    assert text == reason or len(reason[: len(text) + 1].encode()) > 123


def test_a_reason_is_cut_between_two_characters() -> None:
    assert closed(close_frame(1000, "x" + "é" * 100)) == (1000, "x" + "é" * 61)
    assert closed(close_frame(1000, "🚀" * 100)) == (1000, "🚀" * 30)


def test_a_reason_that_is_no_text_is_still_sent() -> None:
    assert closed(close_frame(1000, "a\ud800b")) == (1000, "a?b")


def test_no_code() -> None:
    assert close_frame(NO_CODE) == b"\x88\x00"
    assert closed(close_frame(NO_CODE)) == (1005, "")


@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1006, 1015, 2000, 2999, 5000, 70000])
def test_codes_that_are_never_sent(code: int) -> None:
    with pytest.raises(ValueError, match=str(code)):
        close_frame(code)


def test_codes_are_those_that_another_library_takes() -> None:
    for code in range(65536):
        client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN)
        client.receive_data(b"\x88\x02" + code.to_bytes(2, "big"))
        assert isinstance(client.parser_exc, ProtocolError) is not may_close_with(code), code
