"""One client's conversation in Socket.IO v5: which namespaces it is in, what it asked, and what it owes an answer to.

Sans-I/O: Engine.IO messages and the time go in, facts come out; methods return the messages to send. It knows no
transport (`engineio.py`), verifies no token, and decides nothing about namespaces.

**Connection state recovery** maps onto cursors. A client whose CONNECT was answered with a `pid` keeps the last argument of
each event as its `offset`, and gives both back when it connects anew (`Recovery`). The owner gives a `pid` that says whose
cursors the client may resume and adds the cursor as offset to each event (`Parser.event_frame`); on return it answers with
the same `pid`, and the client sees `recovered`, or with a new one, and the client knows that it starts afresh.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import msgspec

from headway.wire.engineio_packets import Encoded
from headway.wire.socketio_packets import (
    BadPacket,
    Decoder,
    Parser,
    SocketPacket,
    SocketPacketLimits,
    SocketPacketType,
    recovery_args,
)
from headway.wire.socketio_parsers import ONLY_JSON, Parsers

__all__ = [
    "AckReceived",
    "BadPacket",
    "ConnectAsked",
    "EventReceived",
    "NamespaceLeft",
    "Received",
    "Recovery",
    "SocketLimits",
    "SocketSession",
]


class SocketLimits(msgspec.Struct, frozen=True):
    """Shared by all sessions.

    Attributes:
        packet: what one packet may hold.
        connect_timeout: seconds until the client must have joined a namespace.
        max_namespaces: on one connection.
        max_acks: how many acknowledgements are awaited; a newer question takes the place of the oldest.
        max_recovery: characters of a `pid`, and of an `offset`; longer ones are taken for absent.
    """

    packet: SocketPacketLimits = SocketPacketLimits()
    connect_timeout: float = 45.0
    max_namespaces: int = 8
    max_acks: int = 64
    max_recovery: int = 256


class Recovery(msgspec.Struct, frozen=True):
    """What a client that was here before gives back; neither is to be trusted.

    Attributes:
        pid: of its earlier connection.
        offset: the last one that it got, None when it got none.
    """

    pid: str
    offset: str | None = None


class ConnectAsked(msgspec.Struct, frozen=True):
    """The client asks for a namespace: answer with `accept` or `refuse`. Its repr hides the token."""

    namespace: str
    auth: dict[str, Any]
    recovery: Recovery | None = None

    def __repr__(self) -> str:
        return f"ConnectAsked({self.namespace!r}, auth=…)"


class EventReceived(msgspec.Struct, frozen=True):
    """The client sent an event; one with an `ack_id` waits for `ack`."""

    namespace: str
    name: str
    args: list[Any]
    ack_id: int | None = None


class AckReceived(msgspec.Struct, frozen=True):
    """The client answered an event that was sent with an acknowledgement asked for."""

    namespace: str
    id: int
    args: list[Any]


class NamespaceLeft(msgspec.Struct, frozen=True):
    """The client left a namespace; the connection goes on."""

    namespace: str


Received = ConnectAsked | EventReceived | AckReceived | NamespaceLeft


class _State(Enum):
    """What a namespace is to this client; one that is not listed it has never asked for, or has left itself."""

    ASKED = 0
    JOINED = 1
    PUT_OUT = 2
    """By the server: what the client sent before it knew is ignored."""


class SocketSession:
    """One client's conversation. All times are monotonic seconds."""

    __slots__ = ("_asked", "_connect_by", "_decoder", "_limits", "_next_ack", "_parsers", "_spaces", "parser")

    def __init__(self, limits: SocketLimits, now: float, parsers: Parsers = ONLY_JSON) -> None:
        """Begin after the Engine.IO handshake.

        Args:
            limits: shared by all sessions.
            now: the time.
            parsers: those that the clients of this endpoint may have.
        """
        self._limits = limits
        self._parsers = parsers
        self.parser: Parser = parsers.text
        """How this client's packets are written; certain when it has said something."""
        self._decoder: Decoder | None = None
        self._connect_by: float | None = now + limits.connect_timeout
        """None as soon as a namespace was joined."""
        self._spaces: dict[str, _State] = {}
        self._asked: dict[tuple[str, int], None] | None = None
        """The acknowledgements that are awaited, oldest first."""
        self._next_ack = 0

    def joined(self, namespace: str) -> bool:
        """Whether the client is in this namespace."""
        return self._spaces.get(namespace) is _State.JOINED

    @property
    def namespaces(self) -> list[str]:
        """Those that the client is in."""
        return [name for name, state in self._spaces.items() if state is _State.JOINED]

    def receive(self, data: bytes, binary: bool) -> Received | None:
        """Take one Engine.IO message.

        Returns:
            what it says, None when it says nothing yet or nothing that matters.

        Raises:
            BadPacket: close the connection; nothing more is to be received.
        """
        decoder = self._decoder
        if decoder is None:
            self.parser = self._parsers.of(binary)
            decoder = self._decoder = self.parser.decoder(self._limits.packet)
        packet = decoder.feed(data, binary)
        if packet is None:
            return None
        kind, namespace = packet.type, packet.namespace
        if kind is SocketPacketType.CONNECT:
            return self._connect(packet)
        state = self._spaces.get(namespace)
        if state is _State.PUT_OUT and kind is not SocketPacketType.CONNECT_ERROR:
            return None
        if state is not _State.JOINED or kind is SocketPacketType.CONNECT_ERROR:
            raise BadPacket("A client connects to a namespace first")
        if kind is SocketPacketType.EVENT:
            name, *args = packet.data
            return EventReceived(namespace, name if isinstance(name, str) else str(name), args, packet.id)
        if kind is SocketPacketType.ACK:
            return self._answered(packet)
        del self._spaces[namespace]
        return NamespaceLeft(namespace)

    def accept(self, namespace: str, sid: str, pid: str | None = None) -> list[Encoded]:
        """Let the client into the namespace that it asked for (Socket.IO protocol v5 §Connection to a namespace).

        Args:
            namespace: from `ConnectAsked`.
            sid: of this client in this namespace; not the Engine.IO session's, which is a secret.
            pid: to offer connection state recovery; the same as in `Recovery` when state was recovered.
        """
        if self._spaces.get(namespace) is not _State.ASKED:
            return []
        self._spaces[namespace] = _State.JOINED
        self._connect_by = None
        data = {"sid": sid} if pid is None else {"sid": sid, "pid": pid}
        return self.parser.encode(SocketPacket(SocketPacketType.CONNECT, namespace, data))

    def refuse(self, namespace: str, message: str, data: Any = None) -> list[Encoded]:
        """Do not let the client into the namespace that it asked for; the stock client does not ask again by itself.

        Args:
            namespace: from `ConnectAsked`.
            message: for the error that the client raises.
            data: further values for it.
        """
        if self._spaces.get(namespace) is not _State.ASKED:
            return []
        del self._spaces[namespace]
        body: dict[str, Any] = {"message": message}
        if data is not None:
            body["data"] = data
        return self.parser.encode(SocketPacket(SocketPacketType.CONNECT_ERROR, namespace, body))

    def event(
        self, namespace: str, name: str, args: Sequence[Any] = (), *, offset: str | None = None
    ) -> list[Encoded]:
        """An event for this client alone, bytes in it as attachments; nothing when it is not in the namespace."""
        if self._spaces.get(namespace) is not _State.JOINED:
            return []
        data = [name, *recovery_args(args, offset)]
        return self.parser.encode(SocketPacket(SocketPacketType.EVENT, namespace, data))

    def ask(self, namespace: str, name: str, args: Sequence[Any] = ()) -> tuple[int, list[Encoded]]:
        """An event that is to be acknowledged (§Acknowledgement).

        Returns:
            the id that will be in `AckReceived`, and what to send.
        """
        number = self._next_ack
        if self._spaces.get(namespace) is not _State.JOINED:
            return number, []
        self._next_ack += 1
        asked = self._asked
        if asked is None:
            asked = self._asked = {}
        elif len(asked) >= self._limits.max_acks:
            del asked[next(iter(asked))]
        asked[namespace, number] = None
        packet = SocketPacket(SocketPacketType.EVENT, namespace, [name, *args], number)
        return number, self.parser.encode(packet)

    def ack(self, namespace: str, ack_id: int, args: Sequence[Any] = ()) -> list[Encoded]:
        """Answer an event that has an `ack_id`; once, since the client has forgotten its id after that."""
        if self._spaces.get(namespace) is not _State.JOINED:
            return []
        return self.parser.encode(SocketPacket(SocketPacketType.ACK, namespace, [*args], ack_id))

    def put_out(self, namespace: str) -> list[Encoded]:
        """End the connection to a namespace; the stock client does not come back by itself (§Disconnection)."""
        if self._spaces.get(namespace) is not _State.JOINED:
            return []
        self._spaces[namespace] = _State.PUT_OUT
        return self.parser.encode(SocketPacket(SocketPacketType.DISCONNECT, namespace))

    def timed_out(self, now: float) -> bool:
        """Whether the connection is to be closed because no namespace was joined in time."""
        return self._connect_by is not None and now >= self._connect_by

    def wait(self, now: float) -> float | None:
        """Seconds until it is; None when nothing will fall due."""
        return None if self._connect_by is None else max(0.0, self._connect_by - now)

    def _connect(self, packet: SocketPacket) -> ConnectAsked:
        spaces, namespace = self._spaces, packet.namespace
        state = spaces.get(namespace)
        if state is _State.ASKED or state is _State.JOINED:
            raise BadPacket("The client is in this namespace already")
        if state is None and len(spaces) >= self._limits.max_namespaces:
            raise BadPacket(f"A connection has at most {self._limits.max_namespaces} namespaces")
        spaces[namespace] = _State.ASKED
        auth = packet.data or {}
        return ConnectAsked(namespace, auth, self._recovery(auth))

    def _recovery(self, auth: dict[str, Any]) -> Recovery | None:
        longest = self._limits.max_recovery
        pid, offset = auth.get("pid"), auth.get("offset")
        if not isinstance(pid, str) or not 0 < len(pid) <= longest:
            return None
        if not isinstance(offset, str) or len(offset) > longest:
            offset = None
        return Recovery(pid, offset)

    def _answered(self, packet: SocketPacket) -> AckReceived | None:
        asked, number = self._asked, packet.id
        # An answer that nobody awaits is late, or repeated; both happen to honest clients.
        if asked is None or number is None or (packet.namespace, number) not in asked:
            return None
        del asked[packet.namespace, number]
        return AckReceived(packet.namespace, number, packet.data)
