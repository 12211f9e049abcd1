"""Which parser a client has: its first message tells."""

from __future__ import annotations

import pytest

from headway.wire.engineio_packets import Binary
from headway.wire.msgpack_parser import MSGPACK_PARSER
from headway.wire.socketio import ConnectAsked, SocketLimits, SocketSession
from headway.wire.socketio_json import JSON_PARSER
from headway.wire.socketio_packets import BadPacket, Parser, SocketPacket, SocketPacketType
from headway.wire.socketio_parsers import EITHER, ONLY_JSON

LIMITS = SocketLimits()
CONNECT = SocketPacket(SocketPacketType.CONNECT, "/", {"token": "t"})


@pytest.mark.parametrize("parser", [JSON_PARSER, MSGPACK_PARSER])
def test_who_begins_with_it_is_answered_with_it(parser: Parser) -> None:
    session = SocketSession(LIMITS, 0.0, EITHER)
    [connect] = parser.encode(CONNECT)
    binary = isinstance(connect, Binary)
    data = connect.data if isinstance(connect, Binary) else connect[1:]
    assert session.receive(data, binary) == ConnectAsked("/", {"token": "t"})
    assert session.parser is parser
    [answer] = session.accept("/", "s1", "p1")
    assert isinstance(answer, Binary) is binary
    said = answer.data if isinstance(answer, Binary) else answer[1:]
    wanted = SocketPacket(SocketPacketType.CONNECT, "/", {"sid": "s1", "pid": "p1"})
    assert parser.decoder(LIMITS.packet).feed(said, binary) == wanted


def test_nobody_changes_it_later() -> None:
    session = SocketSession(LIMITS, 0.0, EITHER)
    session.receive(b"0", False)
    [connect] = MSGPACK_PARSER.encode(CONNECT)
    assert isinstance(connect, Binary)
    with pytest.raises(BadPacket):
        session.receive(connect.data, True)


def test_where_there_is_only_json_nothing_binary_comes_first() -> None:
    [connect] = MSGPACK_PARSER.encode(CONNECT)
    assert isinstance(connect, Binary)
    with pytest.raises(BadPacket):
        SocketSession(LIMITS, 0.0, ONLY_JSON).receive(connect.data, True)
