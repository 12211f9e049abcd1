"""One session of Engine.IO and what carries it at the moment: requests that poll, a WebSocket, or both for a while.

It carries out what the session (`headway.wire.engineio`) says is to be done, and knows nothing of what messages mean.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from headway.errors import HeadwayError
from headway.transports.conversation import CLOSE_BASE
from headway.wire import engineio_actions as a
from headway.wire.engineio import EngineSession
from headway.wire.engineio_packets import Encoded
from headway.wire.engineio_requests import Refusal
from headway.wire.socketio_batch import Batch

if TYPE_CHECKING:
    from headway.transports.socketio.endpoint import EngineEndpoint

__all__ = ["Carrier", "Connection", "Waiting"]

_WRONG = 1002
"""Closes a WebSocket that comes when its session has no use for one (RFC 6455 §7.4.1)."""

_log = logging.getLogger("headway.connection")


class Carrier(Protocol):
    """A WebSocket."""

    @property
    def full(self) -> bool:
        """Whether more than the high-water mark waits to be sent."""

    def deliver(self, data: Batch) -> bool:
        """As `Link.deliver`."""

    def send(self, data: bytes, binary: bool) -> None:
        """Send one message, full or not; these are few and small."""

    def close(self, code: int, reason: str) -> None:
        """Close; what was sent before still goes out, and nothing more is reported."""


class Waiting(Protocol):
    """A poll that waits."""

    def answer(self, body: bytes) -> None:
        """Answer it."""


class Connection(ABC):
    """Kept for as long as the client is there, so it is small."""

    __slots__ = ("_poll", "_probe", "_reason", "_turn_at", "address", "endpoint", "engine", "ws")

    def __init__(self, endpoint: EngineEndpoint, engine: EngineSession) -> None:
        self.endpoint = endpoint
        self.engine = engine
        self.address = ""
        """Where the client comes from; empty where that cannot be known."""
        self._poll: Waiting | None = None
        self.ws: Carrier | None = None
        """The WebSocket that carries the session; None while it polls."""
        self._probe: Carrier | None = None
        """A WebSocket that the session may change to."""
        self._turn_at = float("inf")
        self._reason = ""

    @abstractmethod
    def message(self, data: bytes, binary: bool) -> None:
        """The client sent a message."""

    @abstractmethod
    def drained(self) -> None:
        """The client takes more again."""

    @abstractmethod
    def gone(self, reason: str) -> None:
        """The session is over."""

    @abstractmethod
    def turned(self, now: float) -> None:
        """A moment that `wait` spoke of has come."""

    def wait(self, now: float) -> float:
        """Seconds until something falls due."""
        return self.engine.wait(now)

    @property
    def full(self) -> bool:
        """Whether what is delivered now would not go out."""
        ws = self.ws
        return ws.full if ws is not None else not self.engine.can_send

    def deliver(self, batch: Batch) -> bool:
        """As `Link.deliver`, on whatever carries the session; `(ws or self).deliver` is the same, and sooner."""
        ws = self.ws
        if ws is not None:
            return ws.deliver(batch)
        if not self.engine.can_send:
            return False
        self._do(self.engine.answer(batch.payload))
        return True

    def send(self, packets: Sequence[Encoded]) -> None:
        """Send messages, full or not; these are few and small."""
        self._do(self.engine.send(packets))

    def close(self, code: int = 1000, reason: str = "", *, at_once: bool = False) -> None:
        """End the session; a client of Socket.IO comes again by itself. Idempotent."""
        self._reason = reason
        self._do(self.engine.close(self.now(), code, at_once=at_once))
        if not self.engine.closed:
            self.plan()

    def end(self, error: HeadwayError) -> None:
        """End the session because of this."""
        self.close(CLOSE_BASE + error.code, error.message, at_once=True)

    def now(self) -> float:
        """Monotonic seconds."""
        return self.endpoint.service.hub.wheel.now()

    # What carries the session reports here.

    def open(self, poll: Waiting) -> None:
        """Begin with a poll."""
        self._poll = poll
        self._do(self.engine.open())
        self.plan()

    def carry(self, carrier: Carrier, *, begins: bool) -> None:
        """A WebSocket came, to begin with, or to change to."""
        if begins:
            self.ws = carrier
            self._do(self.engine.open())
        else:
            self._probed_by(carrier)
        self.plan()

    def poll_opened(self, poll: Waiting) -> Refusal | None:
        """A GET came; when it is not refused it will be answered."""
        actions = self.engine.poll_opened(self.now())
        refusal = _refused(actions)
        if refusal is None:
            self._poll = poll
        self._do(actions)
        self.plan()
        return refusal

    def poll_aborted(self, poll: Waiting) -> None:
        """The client of a GET that waits has gone."""
        if poll is self._poll:
            self._poll = None
            self._do(self.engine.poll_aborted())

    def post_opened(self, length: int | None) -> Refusal | None:
        """A POST came."""
        actions = self.engine.post_opened(self.now(), length)
        self._do(actions)
        return _refused(actions)

    def post(self, body: bytes) -> Refusal | None:
        """Its body came."""
        actions = self.engine.post(body, self.now())
        self._do(actions)
        return _refused(actions)

    def post_aborted(self) -> None:
        """The body of a POST did not come."""
        self._do(self.engine.post_aborted())

    def ws_message(self, data: bytes, binary: bool) -> None:
        """A message came on the WebSocket."""
        self._do(self.engine.ws_message(data, binary, self.now()))
        if self.ws is None:
            self.plan()

    def ws_closed(self, carrier: Carrier) -> None:
        """A WebSocket is gone, that we have not closed ourselves."""
        if carrier is self.ws or carrier is self._probe:
            self._do(self.engine.ws_closed())
            self._probe = None

    def ws_failed(self, carrier: Carrier, error: HeadwayError) -> None:
        """A WebSocket is to be given up."""
        if carrier is self.ws:
            _log.info("connection ended", extra={"code": error.code, "address": self.address})
            self.end(error)
        else:
            carrier.close(CLOSE_BASE + error.code, error.message)
            self.ws_closed(carrier)

    def _probed_by(self, carrier: Carrier) -> None:
        actions = self.engine.ws_opened(self.now())
        refusal = _refused(actions)
        if refusal is None:
            self._probe = carrier
        else:
            # Not by an answer of HTTP, which clients take for an error of the network: as the reference server.
            carrier.close(_WRONG, refusal.message)
        self._do(actions)

    def plan(self) -> None:
        """Ask for the next turn, unless one comes soon enough."""
        if self.engine.closed:
            return
        now = self.now()
        wait = self.wait(now)
        if now + wait < self._turn_at:
            self._turn_at = now + wait
            self.endpoint.service.hub.wheel.schedule(wait, self._turn)

    def _turn(self) -> None:
        now = self.now()
        # A turn that was planned before a sooner one was needed has nothing to do any more.
        if self.engine.closed or now < self._turn_at:
            return
        self._turn_at = float("inf")
        self._do(self.engine.turn(now))
        self.turned(now)
        self.plan()

    def _do(self, actions: Iterable[a.Action]) -> None:
        for action in actions:
            kind = type(action)
            if kind is a.Message:
                if not self.engine.closed:
                    self._take(action.data, action.binary)  # type: ignore[union-attr]
            elif kind is a.SendFrame:
                carrier = self.ws or self._probe
                if carrier is not None:
                    carrier.send(action.data, action.binary)  # type: ignore[union-attr]
            elif kind is a.AnswerPoll:
                poll, self._poll = self._poll, None
                if poll is not None:
                    poll.answer(action.body)  # type: ignore[union-attr]
            elif kind is a.Ready:
                self.drained()
            elif kind is a.Upgraded:
                self.ws, self._probe = self._probe, None
            elif kind is a.CloseSocket:
                self._close_socket(action.code)  # type: ignore[union-attr]
            elif kind is a.Closed:
                self.endpoint.forget(self)
                self.gone(action.reason.value)  # type: ignore[union-attr]

    def _take(self, data: bytes, binary: bool) -> None:
        try:
            self.message(data, binary)
        except Exception:  # noqa: BLE001 - whatever a message does, it ends this connection at most
            _log.exception("a message failed")
            self.close(1011, at_once=True)

    def _close_socket(self, code: int) -> None:
        carrier = self.ws or self._probe
        self.ws = self._probe = None
        if carrier is not None:
            carrier.close(code, self._reason)


def _refused(actions: Sequence[a.Action]) -> Refusal | None:
    """Whether the request is refused, which a session says first."""
    first = actions[0] if actions else None
    return first.refusal if isinstance(first, a.Refuse) else None
