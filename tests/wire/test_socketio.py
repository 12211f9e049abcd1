"""Conversations in Socket.IO: every rule as a vector, time, recovery, hostile clients, bounded memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.wire.engineio_packets import Binary, Encoded
from headway.wire.socketio import (
    AckReceived,
    BadPacket,
    ConnectAsked,
    EventReceived,
    NamespaceLeft,
    Received,
    Recovery,
    SocketLimits,
    SocketSession,
)

VECTORS = json.loads((Path(__file__).parents[2] / "spec/vectors/socketio.json").read_text("utf-8"))
LIMITS = SocketLimits(max_namespaces=3, max_acks=4)


def value(written: Any) -> Any:
    if isinstance(written, list):
        return [value(item) for item in written]
    if isinstance(written, dict) and written.keys() == {"hex"}:
        return bytes.fromhex(written["hex"])
    return written


def said(text: str) -> tuple[bytes, bool]:
    return (bytes.fromhex(text[4:]), True) if text.startswith("hex:") else (text.encode(), False)


def received(found: Received | None) -> Any:
    match found:
        case None:
            return None
        case ConnectAsked(namespace, auth, recovery):
            plain: dict[str, Any] = {"connect": namespace, "auth": auth}
            return plain if recovery is None else plain | {"recovery": [recovery.pid, recovery.offset]}
        case EventReceived(namespace, name, args, ack_id):
            plain = {"event": name, "namespace": namespace, "args": args}
            return plain if ack_id is None else plain | {"ack": ack_id}
        case AckReceived(namespace, number, args):
            return {"acked": number, "namespace": namespace, "args": args}
        case NamespaceLeft(namespace):
            return {"left": namespace}


def sent(packets: list[Encoded]) -> list[str]:
    return [
        f"hex:{packet.data.hex()}" if isinstance(packet, Binary) else packet.decode() for packet in packets
    ]


@pytest.mark.parametrize("case", VECTORS["sessions"], ids=lambda case: case["name"])
def test_sessions(case: dict[str, Any]) -> None:
    session = SocketSession(LIMITS, 0.0)
    for what, given_, wanted in case["steps"]:
        if what == ">":
            if wanted == "bad":
                with pytest.raises(BadPacket):
                    session.receive(*said(given_))
            else:
                wanted = {key: value(item) for key, item in wanted.items()} if wanted else wanted
                assert received(session.receive(*said(given_))) == wanted
        elif what == "ask":
            assert sent(session.ask(*given_)[1]) == wanted
        elif what == "event":
            args, offset = value(given_[2]), given_[3] if len(given_) > 3 else None
            assert sent(session.event(given_[0], given_[1], args, offset=offset)) == wanted
        elif what == "ack":
            assert sent(session.ack(given_[0], given_[1], value(given_[2]))) == wanted
        else:
            assert sent(getattr(session, what)(*given_)) == wanted


def joined(session: SocketSession, namespace: str = "/") -> SocketSession:
    session.receive(b"0" if namespace == "/" else f"0{namespace},".encode(), False)
    session.accept(namespace, "s")
    return session


def test_a_client_that_joins_nothing_times_out() -> None:
    session = SocketSession(SocketLimits(connect_timeout=45), 100.0)
    assert (session.timed_out(144.9), session.wait(144.0)) == (False, 1.0)
    session.receive(b"0", False)
    assert session.timed_out(145.0), "to ask is not to join"
    session.accept("/", "s")
    assert (session.timed_out(145.0), session.wait(145.0)) == (False, None)
    session.receive(b"1", False)
    assert not session.timed_out(1000.0)


def test_namespaces_are_bounded() -> None:
    session = SocketSession(LIMITS, 0.0)
    for name in ("/a", "/b", "/c"):
        joined(session, name)
    assert session.namespaces == ["/a", "/b", "/c"]
    with pytest.raises(BadPacket, match="3 namespaces"):
        session.receive(b"0/d,", False)


def test_a_namespace_that_was_left_makes_room() -> None:
    session = SocketSession(LIMITS, 0.0)
    for number in range(20):
        joined(session, f"/{number}")
        session.receive(f"1/{number},".encode(), False)
    assert session.namespaces == []


def test_questions_are_bounded_and_the_oldest_is_forgotten() -> None:
    session = joined(SocketSession(LIMITS, 0.0))
    numbers = [session.ask("/", "a")[0] for _ in range(100)]
    assert numbers == list(range(100))
    assert session.receive(b"30[]", False) is None
    assert session.receive(b"396[1]", False) == AckReceived("/", 96, [1])
    assert len(session._asked or ()) == 3


def test_an_answer_counts_only_in_its_namespace() -> None:
    session = joined(joined(SocketSession(LIMITS, 0.0), "/a"), "/b")
    session.ask("/a", "q")
    assert session.receive(b"3/b,0[]", False) is None
    assert session.receive(b"3/a,0[]", False) == AckReceived("/a", 0, [])


def test_recovery_is_bounded() -> None:
    session = SocketSession(SocketLimits(max_recovery=4), 0.0)
    asked = session.receive(b'0{"pid":"12345","offset":"1"}', False)
    assert isinstance(asked, ConnectAsked)
    assert asked.recovery is None
    session.refuse("/", "no")
    asked = session.receive(b'0{"pid":"1234","offset":"12345"}', False)
    assert isinstance(asked, ConnectAsked)
    assert asked.recovery == Recovery("1234", None)


def test_what_a_client_shows_is_hidden() -> None:
    asked = SocketSession(LIMITS, 0.0).receive(b'0{"token":"secret"}', False)
    assert "secret" not in repr(asked)


messages = st.one_of(
    st.sampled_from(
        [b"0", b"0/a,", b'0/b,{"x":1}', b"1", b"1/a,", b'2["a"]', b'2/a,1["b",{}]', b"30[]", b'4"x"']
    ).map(lambda data: (data, False)),
    st.just((b'51-["a",{"_placeholder":true,"num":0}]', False)),
    st.binary(max_size=6).map(lambda data: (data, True)),
    st.binary(max_size=12).map(lambda data: (data, False)),
)


@given(st.lists(st.tuples(messages, st.booleans()), max_size=40))
@settings(max_examples=200)
def test_any_client_ends_with_bad_packet_or_not_at_all(steps: list[tuple[tuple[bytes, bool], bool]]) -> None:
    session = SocketSession(LIMITS, 0.0)
    for (data, binary), friendly in steps:
        try:
            found = session.receive(data, binary)
        except BadPacket:
            return
        if isinstance(found, ConnectAsked):
            (session.accept if friendly else session.refuse)(found.namespace, "text")
        elif isinstance(found, EventReceived):
            assert found.namespace in session.namespaces
            session.ask(found.namespace, "more")
            if not friendly:
                session.put_out(found.namespace)
        assert len(session._spaces) <= LIMITS.max_namespaces
        assert len(session._asked or ()) <= LIMITS.max_acks
