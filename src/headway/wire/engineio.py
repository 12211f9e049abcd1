"""One client's session of Engine.IO v4 as a state machine: polling, WebSocket, and the change from one to the other.

Sans-I/O: requests, messages and the time go in; actions (`engineio_actions.py`) come out. It knows nothing of HTTP beyond
that a GET waits and a POST has a body, and nothing of what messages say.

Requests that the owner reads with `read_request` and whose session id it knows are reported with `poll_opened` and
`post_opened`; a WebSocket with `ws_opened`. What is sent goes out at once when `can_send`: on WebSocket always, on polling
while a GET waits. Otherwise a little is kept (`EngineLimits.max_waiting`), meant for answers; what flows without end is
not sent then but pulled by the owner when it sees `Ready`. While `on_websocket`, frames that are shared with others may be
written to the socket past the session.
"""

from __future__ import annotations

from collections.abc import Sequence

from headway.wire.engineio_actions import (
    Action,
    AnswerPoll,
    AnswerPost,
    Closed,
    CloseSocket,
    Message,
    Ready,
    Reason,
    Refuse,
    SendFrame,
    Upgraded,
)
from headway.wire.engineio_heartbeat import Beat, Heartbeat
from headway.wire.engineio_limits import EngineLimits
from headway.wire.engineio_packets import (
    CLOSE,
    NOOP,
    PING,
    PROBED,
    BadPacket,
    Binary,
    Encoded,
    Packet,
    PacketType,
    as_text,
    decode_packet,
    decode_payload,
    encode_payload,
    open_packet,
)
from headway.wire.engineio_requests import BAD_REQUEST, TOO_LARGE, UNKNOWN_SID, WEBSOCKET, Refusal
from headway.wire.engineio_upgrade import Step, Upgrade
from headway.wire.engineio_waiting import Waiting

__all__ = ["EngineSession"]

_MESSAGE = ord("4")
_READY, _ANSWER_POST = Ready(), AnswerPost()


class EngineSession:
    """One session. All times are monotonic seconds.

    Memory: `max_waiting_bytes` in `max_waiting` packets at most, and nothing when nothing waits.
    """

    __slots__ = (
        "_base64",
        "_closing",
        "_heartbeat",
        "_limits",
        "_poll",
        "_posting",
        "_upgrade",
        "_waiting",
        "closed",
        "on_websocket",
        "sid",
    )

    def __init__(
        self, sid: str, limits: EngineLimits, now: float, *, websocket: bool, base64: bool = False
    ) -> None:
        """Begin a session; `open` says what answers the request.

        Args:
            sid: a secret of at least 96 bits, safe in a URL: whoever knows it can speak for the client.
            limits: shared by all sessions.
            now: the time.
            websocket: the session begins on a WebSocket, and not with a poll.
            base64: the client cannot take binary frames (`EngineRequest.base64`).
        """
        self.sid = sid
        self.on_websocket = websocket
        """Whether a WebSocket carries the session."""
        self.closed = False
        self._limits = limits
        self._base64 = base64
        self._heartbeat = Heartbeat(limits, now)
        self._poll = False
        self._posting = False
        self._closing: float | None = None
        """When the wait for a poll that can say the end is given up; None while the session goes on."""
        self._upgrade: Upgrade | None = None
        self._waiting: Waiting | None = None

    def open(self) -> list[Action]:
        """The handshake (Engine.IO protocol v4 §Handshake); to be called once, first."""
        limits = self._limits
        upgrades = () if self.on_websocket else limits.upgrades
        packet = open_packet(
            self.sid, upgrades, limits.ping_interval, limits.ping_timeout, limits.max_payload
        )
        return [SendFrame(packet), _READY] if self.on_websocket else [AnswerPoll(packet)]

    @property
    def can_send(self) -> bool:
        """Whether what is sent goes out at once."""
        return (self.on_websocket or self._poll) and not self.closed and self._closing is None

    @property
    def binary_frames(self) -> bool:
        """Whether binary may be written as binary frames, past the session, while `on_websocket`."""
        return not self._base64

    def send(self, packets: Sequence[Encoded]) -> list[Action]:
        """Send packets, in order and after all that was sent before.

        On polling they answer the poll that waits, or wait for the next; when too much waits, the session ends.

        Args:
            packets: messages as `encode_packet` makes them; the same objects may be sent to any number of sessions.
        """
        if not packets or self.closed or self._closing is not None:
            return []
        if self.on_websocket:
            return self._frames(packets)
        if self._poll:
            return [self._answer_poll(packets)]
        if self._waiting is None:
            self._waiting = Waiting()
        self._waiting.add(packets)
        return self._end(Reason.OVERFLOW) if self._waiting.over(self._limits) else []

    def answer(self, payload: bytes) -> list[Action]:
        """Answer the poll that waits with packets whose payload was made for others too.

        Only while `can_send` and not `on_websocket`; then nothing else waits.
        """
        self._poll = False
        return [AnswerPoll(payload)]

    def poll_opened(self, now: float) -> list[Action]:
        """A GET came (§Receiving data)."""
        if over := self._expired(now):
            return [Refuse(UNKNOWN_SID), *over]
        if refusal := self._refusal():
            return [Refuse(refusal)]
        if self._poll:
            return [Refuse(BAD_REQUEST), *self._end(Reason.TRANSPORT_ERROR)]
        self._poll = True
        if self._closing is not None:
            return self._end(Reason.SERVER_CLOSED)
        if self._waiting is not None:
            return [self._answer_poll(self._take_waiting())]
        if self._upgrade is not None:
            self._upgrade.poll_opened(self._limits, now)
        return [_READY]

    def poll_aborted(self) -> list[Action]:
        """The connection of the GET that waited broke: what would have been its answer cannot be told from lost."""
        if not self._poll:
            return []
        self._poll = False
        return self._end(Reason.CLIENT_CLOSED)

    def post_opened(self, now: float, length: int | None = None) -> list[Action]:
        """A POST came, of which the body is yet to be read (§Sending data).

        Args:
            now: the time.
            length: the body's, when the request says so.

        Returns:
            nothing when the body is to be read, up to `max_payload` bytes and one, and handed to `post`.
        """
        if over := self._expired(now):
            return [Refuse(UNKNOWN_SID), *over]
        if refusal := self._refusal():
            return [Refuse(refusal)]
        if self._posting:
            return [Refuse(BAD_REQUEST), *self._end(Reason.TRANSPORT_ERROR)]
        if length is not None and length > self._limits.max_payload:
            return [Refuse(TOO_LARGE), *self._end(Reason.TRANSPORT_ERROR)]
        self._posting = True
        return []

    def post(self, body: bytes, now: float) -> list[Action]:
        """The body of the POST."""
        self._posting = False
        if refusal := self._refusal():
            return [Refuse(refusal)]
        limits = self._limits
        if len(body) > limits.max_payload:
            # It is lost, and what follows would not know: so the session cannot go on.
            return [Refuse(TOO_LARGE), *self._end(Reason.TRANSPORT_ERROR)]
        try:
            packets = decode_payload(body, limits.max_packets)
        except BadPacket:
            return [Refuse(BAD_REQUEST), *self._end(Reason.PARSE_ERROR)]
        actions: list[Action] = [_ANSWER_POST]
        for packet in packets:
            try:
                actions += self._receive(packet, now)
            except BadPacket:
                actions[0] = Refuse(BAD_REQUEST)
                actions += self._end(Reason.PARSE_ERROR)
            if self.closed:
                break
        return actions

    def post_aborted(self) -> list[Action]:
        """The connection of the POST broke before its end: whether the client will repeat it is unknown."""
        if not self._posting:
            return []
        self._posting = False
        return self._end(Reason.CLIENT_CLOSED)

    def ws_opened(self, now: float) -> list[Action]:
        """A WebSocket with this session's id came, to change to (§Upgrade); not called for one that begins a session.

        Returns:
            nothing when its messages are to be handed to `ws_message`.
        """
        if over := self._expired(now):
            return [Refuse(UNKNOWN_SID), *over]
        if self._closing is not None:
            return [Refuse(UNKNOWN_SID)]
        if refusal := self._refusal():
            return [Refuse(refusal)]
        if self._upgrade is not None or WEBSOCKET not in self._limits.upgrades:
            return [Refuse(BAD_REQUEST)]
        self._upgrade = Upgrade(self._limits, now)
        return []

    def ws_message(self, data: bytes, binary: bool, now: float) -> list[Action]:
        """A whole message came on the session's WebSocket; text is valid UTF-8."""
        if self.closed:
            return []
        if not self.on_websocket:
            return self._change(data, binary, now)
        if len(data) > self._limits.max_payload:
            return self._end(Reason.TRANSPORT_ERROR, 1009)
        if binary or data[:1] == b"4":
            self._heartbeat.heard(self._limits, now)
            return [Message(data, binary=True) if binary else Message(data[1:])]
        try:
            return self._receive(decode_packet(data), now)
        except BadPacket:
            return self._end(Reason.PARSE_ERROR, 1002)

    def ws_closed(self) -> list[Action]:
        """The session's WebSocket closed. One that was not yet changed to leaves the session on polling."""
        self._upgrade = None
        if not self.on_websocket:
            return []
        return self._end(Reason.CLIENT_CLOSED, None)

    def close(self, now: float, code: int = 1000, *, at_once: bool = False) -> list[Action]:
        """End the session from the server's side.

        On polling without a GET that waits, the end is kept for the next (`close_timeout`), and `Closed` comes then.

        Args:
            now: the time.
            code: of the WebSocket's close frame.
            at_once: do not wait for a poll.
        """
        if self.closed or (self._closing is not None and not at_once):
            return []
        if self.can_send or at_once:
            return self._end(Reason.SERVER_CLOSED, code)
        self._closing = now + self._limits.close_timeout
        return self._give_up_upgrade()

    def turn(self, now: float) -> list[Action]:
        """Do what falls due: pings, timeouts, polls that waited long enough."""
        if over := self._expired(now):
            return over
        if self.closed or self._closing is not None:
            return []
        actions: list[Action] = []
        if self._heartbeat.turn(self._limits, now) is Beat.PING:
            actions += self.send((PING,))
        if self._upgrade is not None:
            step = self._upgrade.turn(now, self._poll)
            if step is Step.FAILED:
                actions += self._give_up_upgrade()
            elif step is Step.RELEASE:
                actions.append(self._answer_poll((NOOP,)))
        return actions

    def wait(self, now: float) -> float:
        """Seconds until something falls due."""
        if self._closing is not None:
            return max(0.0, self._closing - now)
        at = self._heartbeat.due
        if self._upgrade is not None:
            at = min(at, self._upgrade.due(self._poll))
        return max(0.0, at - now)

    def _refusal(self) -> Refusal | None:
        if self.closed:
            return UNKNOWN_SID
        return BAD_REQUEST if self.on_websocket else None

    def _expired(self, now: float) -> list[Action]:
        """Whether time ran out before the timer said so: a client must not outlive its timeout by a request."""
        if self.closed:
            return []
        if self._closing is not None:
            return self._end(Reason.SERVER_CLOSED) if now >= self._closing else []
        return self._end(Reason.PING_TIMEOUT) if self._heartbeat.expired(now) else []

    def _receive(self, packet: Packet, now: float) -> list[Action]:
        kind = packet.type
        if self._closing is not None:
            return self._end(Reason.CLIENT_CLOSED) if kind is PacketType.CLOSE else []
        if kind is PacketType.PONG:
            self._heartbeat.pong(self._limits, now)
            return []
        self._heartbeat.heard(self._limits, now)
        if kind is PacketType.MESSAGE:
            return [Message(packet.data, packet.binary)]
        if kind is PacketType.CLOSE:
            # Answered by a noop, since the client has not asked to be told what it said itself.
            answer = [self._answer_poll((NOOP,))] if self._poll else []
            return [*answer, *self._end(Reason.CLIENT_CLOSED)]
        if kind is PacketType.NOOP:
            return []
        raise BadPacket("A client does not send that here")

    def _change(self, data: bytes, binary: bool, now: float) -> list[Action]:
        step = Step.FAILED if self._upgrade is None else self._upgrade.message(data, binary)
        if step is Step.FAILED:
            return self._give_up_upgrade()
        # The client has no other poll until it knows that the last one brought nothing.
        actions: list[Action] = [self._answer_poll((NOOP,))] if self._poll else []
        if step is Step.PROBED:
            return [*actions, SendFrame(PROBED)]
        self._upgrade = None
        self.on_websocket = True
        self._heartbeat.heard(self._limits, now)
        return [*actions, Upgraded(), *self._frames(self._take_waiting()), _READY]

    def _give_up_upgrade(self) -> list[Action]:
        if self._upgrade is None:
            return []
        self._upgrade = None
        return [CloseSocket()]

    def _frames(self, packets: Sequence[Encoded]) -> list[Action]:
        base64 = self._base64
        return [
            SendFrame(packet.data, binary=True)
            if type(packet) is Binary and not base64
            else SendFrame(as_text(packet))
            for packet in packets
        ]

    def _answer_poll(self, packets: Sequence[Encoded]) -> AnswerPoll:
        self._poll = False
        return AnswerPoll(encode_payload(packets))

    def _take_waiting(self) -> list[Encoded]:
        waiting, self._waiting = self._waiting, None
        return [] if waiting is None else waiting.packets

    def _end(self, reason: Reason, code: int | None = 1000) -> list[Action]:
        """End the session; a `code` of None when the socket is gone already."""
        if self.closed:
            return []
        actions: list[Action] = []
        waiting = self._take_waiting()
        if self._poll:
            said = waiting if reason is Reason.SERVER_CLOSED else []
            actions.append(self._answer_poll((*said, CLOSE)))
        if self.on_websocket:
            if code is not None:
                actions.append(CloseSocket(code))
        else:
            actions += self._give_up_upgrade()
        self.closed = True
        return [*actions, Closed(reason)]
