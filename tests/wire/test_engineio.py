"""Sessions of Engine.IO: every rule as a vector, order over the upgrade, hostile clients, bounded memory."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from headway.wire.engineio import EngineSession
from headway.wire.engineio_actions import (
    Action,
    AnswerPoll,
    AnswerPost,
    Closed,
    CloseSocket,
    Message,
    Ready,
    Refuse,
    SendFrame,
    Upgraded,
)
from headway.wire.engineio_limits import EngineLimits
from headway.wire.engineio_packets import Binary, Encoded, PacketType, decode_packet, decode_payload

VECTORS = json.loads((Path(__file__).parents[2] / "spec/vectors/engineio.json").read_text("utf-8"))
LIMITS = EngineLimits(
    ping_interval=0.3,
    ping_timeout=0.2,
    max_payload=100,
    upgrade_timeout=1.0,
    probing_poll=0.1,
    close_timeout=2.0,
    max_waiting=4,
    max_waiting_bytes=64,
)


def encoded(text: str) -> Encoded:
    return Binary(bytes.fromhex(text[4:])) if text.startswith("hex:") else text.encode()


def apply(session: EngineSession, now: float, what: str, given: Any) -> list[Action]:
    match what:
        case "poll":
            return session.poll_opened(now)
        case "poll_aborted":
            return session.poll_aborted()
        case "post_opened":
            return session.post_opened(now, given)
        case "post_body":
            return session.post(given.encode(), now)
        case "post":
            return session.post_opened(now) or session.post(given.encode(), now)
        case "post_aborted":
            return session.post_aborted()
        case "ws_opened":
            return session.ws_opened(now)
        case "ws":
            return session.ws_message(given.encode(), False, now)
        case "ws_binary":
            return session.ws_message(bytes.fromhex(given), True, now)
        case "ws_closed":
            return session.ws_closed()
        case "turn":
            return session.turn(now)
        case "send":
            return session.send([encoded(text) for text in given])
        case "close":
            return session.close(now)
    raise AssertionError(what)


def plain(action: Action) -> str:
    match action:
        case AnswerPoll(body):
            return f"answer_poll {body.decode()}"
        case AnswerPost():
            return "answer_post"
        case Refuse(refusal):
            return f"refuse {refusal.code} {refusal.status}"
        case SendFrame(data, binary):
            return f"frame_binary {data.hex()}" if binary else f"frame {data.decode()}"
        case CloseSocket(code):
            return f"close_socket {code}"
        case Ready():
            return "ready"
        case Upgraded():
            return "upgraded"
        case Message(data, binary):
            return f"message_binary {data.hex()}" if binary else f"message {data.decode()}"
        case Closed(reason):
            return f"closed {reason.value}"


@pytest.mark.parametrize("case", VECTORS["sessions"], ids=lambda case: case["name"])
def test_sessions(case: dict[str, Any]) -> None:
    session = EngineSession(
        "s", LIMITS, 0.0, websocket=case.get("websocket", False), base64=case.get("base64", False)
    )
    session.open()
    for number, (now, what, given_, wanted) in enumerate(case["steps"]):
        # When nothing is due before, `wait` must not say that there is.
        if what == "turn" and wanted and not session.closed:
            assert session.wait(now - 0.001) >= 0
            assert session.wait(now) == 0
        assert [plain(action) for action in apply(session, now, what, given_)] == wanted, f"step {number}"
        assert session.closed is any(
            "closed " in text for step in case["steps"][: number + 1] for text in step[3]
        )


def test_the_handshake_over_polling() -> None:
    session = EngineSession("s1", LIMITS, 0.0, websocket=False)
    [answer] = session.open()
    assert isinstance(answer, AnswerPoll)
    opening = json.loads(answer.body[1:])
    assert (opening["sid"], opening["upgrades"], opening["maxPayload"]) == ("s1", ["websocket"], 100)
    assert not session.can_send


def test_the_handshake_over_websocket() -> None:
    session = EngineSession("s1", LIMITS, 0.0, websocket=True)
    frame, ready = session.open()
    assert isinstance(frame, SendFrame)
    assert json.loads(frame.data[1:])["upgrades"] == []
    assert ready == Ready()
    assert session.can_send
    assert session.on_websocket
    assert session.binary_frames


def test_a_server_without_upgrades() -> None:
    session = EngineSession("s", EngineLimits(upgrades=()), 0.0, websocket=False)
    [answer] = session.open()
    assert isinstance(answer, AnswerPoll)
    assert b'"upgrades":[]' in answer.body
    assert [plain(action) for action in session.ws_opened(0.0)] == ["refuse 3 400"]


def test_closing_at_once_and_with_a_code() -> None:
    session = EngineSession("s", LIMITS, 0.0, websocket=False)
    assert [plain(action) for action in session.close(0.0, at_once=True)] == ["closed forced close"]
    session = EngineSession("s", LIMITS, 0.0, websocket=True)
    wanted = ["close_socket 4301", "closed forced close"]
    assert [plain(action) for action in session.close(0.0, 4301)] == wanted


def test_one_encoded_packet_is_shared_by_all() -> None:
    packet = b'42["change",{}]'
    for session in [EngineSession("s", LIMITS, 0.0, websocket=True) for _ in range(3)]:
        [frame] = session.send([packet])
        assert isinstance(frame, SendFrame)
        assert frame.data is packet


def test_a_session_is_small() -> None:
    session = EngineSession("s", EngineLimits(), 0.0, websocket=True)
    assert not hasattr(session, "__dict__")
    assert sys.getsizeof(session) + sys.getsizeof(session._heartbeat) < 320


Event = tuple[str, Any]
events: st.SearchStrategy[Event] = st.one_of(
    st.tuples(
        st.sampled_from(
            ["poll", "poll_aborted", "post_opened", "post_aborted", "ws_opened", "ws_closed", "turn", "close"]
        ),
        st.none(),
    ),
    st.tuples(
        st.sampled_from(["post", "post_body"]), st.sampled_from(["4a", "3", "1", "", "6\x1e4b", "x" * 101])
    ),
    st.tuples(
        st.just("ws"),
        st.one_of(st.sampled_from(["2probe", "5", "4a", "3", "1", "bAQ=="]), st.text(max_size=4)),
    ),
    st.tuples(st.just("ws_binary"), st.binary(max_size=4).map(bytes.hex)),
    st.tuples(st.just("send"), st.lists(st.sampled_from(["4a", "4bb", "hex:00"]), max_size=3)),
)


@given(
    st.lists(st.tuples(st.floats(0, 0.3), events), max_size=60),
    st.booleans(),
)
@settings(max_examples=300)
def test_any_order_of_events_keeps_the_rules(steps: list[tuple[float, Event]], websocket: bool) -> None:
    session = EngineSession("s", LIMITS, 0.0, websocket=websocket)
    session.open()
    now, polls, ended = 0.0, 0, False
    for passed, (what, given_) in steps:
        now += passed
        actions = apply(session, now, what, given_)
        refused = any(isinstance(action, Refuse) for action in actions)
        if what == "poll" and not refused:
            polls += 1
        if what == "poll_aborted":
            polls = 0
        polls -= sum(isinstance(action, AnswerPoll) for action in actions)
        assert polls in (0, 1), "each poll is answered once"
        assert not (ended and [action for action in actions if not isinstance(action, Refuse)])
        ends = [isinstance(action, Closed) for action in actions]
        assert sum(ends) <= 1
        if True in ends:
            ended = True
            assert ends[-1], "Closed comes last"
            assert polls == 0
        assert session.closed is ended
        waiting = session._waiting.packets if session._waiting is not None else []
        assert len(waiting) <= LIMITS.max_waiting
        sizes = [len(packet.data) if isinstance(packet, Binary) else len(packet) for packet in waiting]
        assert sum(sizes) <= LIMITS.max_waiting_bytes
        assert session.wait(now) >= 0


@given(
    st.lists(st.tuples(st.sampled_from(["post", "text", "binary"]), st.binary(max_size=120)), max_size=8),
    st.booleans(),
)
def test_no_bytes_raise_anything(steps: list[tuple[str, bytes]], websocket: bool) -> None:
    session = EngineSession("s", LIMITS, 0.0, websocket=websocket)
    for what, data in steps:
        if what == "post":
            actions = session.post_opened(0.0) or session.post(data, 0.0)
            assert isinstance(actions[0], AnswerPost | Refuse)
        else:
            session.ws_opened(0.0)
            session.ws_message(data, what == "binary", 0.0)


class UpgradingClient(RuleBasedStateMachine):
    """A client that keeps the protocol, with answers that arrive whenever they like: nothing is lost, order is kept."""

    def __init__(self) -> None:
        super().__init__()
        limits = EngineLimits(max_waiting=10_000, max_waiting_bytes=1_000_000)
        self.session = EngineSession("s", limits, 0.0, websocket=False)
        self.session.open()
        self.now = 0.0
        self.sent = self.said = 0
        self.got: list[int] = []
        self.heard: list[int] = []
        self.on_the_way: list[bytes] = []
        """Answers to polls that the client has not read."""
        self.frames: list[bytes] = []
        self.polling = self.paused = self.upgraded = self.opened = False

    def carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case AnswerPoll(body):
                    self.on_the_way.append(body)
                case SendFrame(data):
                    self.frames.append(data)
                case Message(data):
                    self.heard.append(int(data))
                case AnswerPost() | Ready() | Upgraded():
                    pass
                case _:
                    raise AssertionError(action)

    @rule(several=st.integers(1, 3))
    def server_sends(self, several: int) -> None:
        packets = [b"4%d" % (self.sent + at) for at in range(several)]
        self.sent += several
        self.carry_out(self.session.send(packets))

    @precondition(lambda self: not self.polling and not self.paused)
    @rule()
    def poll(self) -> None:
        self.polling = True
        self.carry_out(self.session.poll_opened(self.now))

    @precondition(lambda self: self.on_the_way)
    @rule()
    def read_poll(self) -> None:
        self.polling = False
        for packet in decode_payload(self.on_the_way.pop()):
            if packet.type is PacketType.MESSAGE:
                self.got.append(int(packet.data))

    @precondition(lambda self: not self.paused)
    @rule()
    def post(self) -> None:
        self.carry_out(self.session.post_opened(self.now))
        self.carry_out(self.session.post(b"4%d" % self.said, self.now))
        self.said += 1

    @precondition(lambda self: not self.opened)
    @rule()
    def probe(self) -> None:
        self.opened = True
        self.carry_out(self.session.ws_opened(self.now))
        self.carry_out(self.session.ws_message(b"2probe", False, self.now))

    @precondition(lambda self: self.frames)
    @rule()
    def read_frame(self) -> None:
        packet = decode_packet(self.frames.pop(0))
        if packet.type is PacketType.PONG:
            self.paused = True
        elif packet.type is PacketType.MESSAGE:
            self.got.append(int(packet.data))

    @precondition(lambda self: self.paused and not self.polling and not self.upgraded)
    @rule()
    def upgrade(self) -> None:
        self.upgraded = True
        self.carry_out(self.session.ws_message(b"5", False, self.now))

    @precondition(lambda self: self.upgraded)
    @rule()
    def say(self) -> None:
        self.carry_out(self.session.ws_message(b"4%d" % self.said, False, self.now))
        self.said += 1

    @rule()
    def time_passes(self) -> None:
        self.now += 0.11
        self.carry_out(self.session.turn(self.now))

    @invariant()
    def order_is_kept(self) -> None:
        assert self.got == list(range(len(self.got)))
        assert self.heard == list(range(self.said))

    def teardown(self) -> None:
        while self.on_the_way:
            self.read_poll()
        if not self.opened:
            self.probe()
            while self.on_the_way:
                self.read_poll()
        while self.frames:
            self.read_frame()
        if not self.upgraded:
            self.now += 0.11
            self.carry_out(self.session.turn(self.now))
            while self.on_the_way:
                self.read_poll()
            self.upgrade()
        while self.frames:
            self.read_frame()
        assert self.got == list(range(self.sent)), "nothing is lost"


UpgradingClient.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestUpgrading = UpgradingClient.TestCase
