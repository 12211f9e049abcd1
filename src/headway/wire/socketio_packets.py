"""The packets of Socket.IO v5, what each may hold, and the interface of the parsers that read and write them.

Values and rules; the bytes are of `socketio_json.py` and `msgpack_parser.py`, the order of packets of `socketio.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Protocol

import msgspec

from headway.wire.engineio_packets import BadPacket, Encoded

__all__ = [
    "MAX_ID",
    "RESERVED_EVENTS",
    "BadPacket",
    "Decoder",
    "Parser",
    "SocketPacket",
    "SocketPacketLimits",
    "SocketPacketType",
    "check_nesting",
    "check_packet",
    "recovery_args",
]

MAX_ID = 2**53 - 1
"""Of an acknowledgement: beyond it a browser would read back another number than it sent."""

RESERVED_EVENTS = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
"""Names that no event may have (socket.io-parser: they have a meaning within the clients and servers)."""


class SocketPacketType(IntEnum):
    """Socket.IO protocol v5 §Exchange protocol. The two binary types are how events and acks with attachments are written."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


class SocketPacketLimits(msgspec.Struct, frozen=True):
    """What a packet may hold.

    Attributes:
        max_attachments: of one packet; the reference server has 10.
        max_bytes: of one packet with all its attachments.
        max_depth: of arrays and objects in each other.
        max_namespace: bytes of a namespace's name.
    """

    max_attachments: int = 10
    max_bytes: int = 65_536
    max_depth: int = 32
    max_namespace: int = 128


class SocketPacket(msgspec.Struct, frozen=True):
    """A whole packet. Its repr hides the data, where tokens are.

    Attributes:
        type: never one of the two binary types: bytes in `data` decide how it is written.
        namespace: begins with `/`.
        data: an object or None for CONNECT, None for DISCONNECT, `[name, *args]` for EVENT, a list for ACK, an object or
            text for CONNECT_ERROR. Bytes in it are attachments.
        id: asks for an acknowledgement (EVENT), or is one (ACK).
    """

    type: SocketPacketType
    namespace: str = "/"
    data: Any = None
    id: int | None = None

    def __repr__(self) -> str:
        return f"SocketPacket({self.type.name}, {self.namespace!r}, id={self.id})"


class Decoder(Protocol):
    """Puts one client's packets together. Memory: one packet of `max_bytes` at most."""

    def feed(self, data: bytes, binary: bool) -> SocketPacket | None:
        """Take one Engine.IO message.

        Returns:
            the packet that it completes, None while attachments are missing.

        Raises:
            BadPacket: close the connection.
        """


class Parser(Protocol):
    """A way to write packets; both sides must have the same. It has no state, so one serves everybody."""

    def decoder(self, limits: SocketPacketLimits) -> Decoder:
        """What reads one client's packets."""

    def encode(self, packet: SocketPacket) -> list[Encoded]:
        """The Engine.IO messages of a packet, to be sent together and in order.

        Raises:
            ValueError: the packet is not valid.
            TypeError: its data cannot be written.
        """

    def event_frame(self, namespace: str, event: bytes, offset: str | None = None) -> Encoded:
        """The one Engine.IO message of an event that is encoded already, to be shared by all its recipients.

        Args:
            namespace: begins with `/`.
            event: `[name, *args]` in the parser's own encoding, without attachments; see `encode_event`.
            offset: for clients with connection state recovery: the cursor after this event. It becomes the last argument,
                and comes back in the `Recovery` of the client's next connection.
        """

    def encode_event(self, name: str, args: Sequence[Any]) -> bytes:
        """`[name, *args]` for `event_frame`."""

    def encode_json_event(self, name: bytes, argument: bytes) -> bytes:
        """The same for one argument, which is an object as JSON already; the name needs no escaping."""


def check_packet(packet: SocketPacket) -> None:
    """Whether a packet's parts go together (§Exchange protocol).

    Raises:
        BadPacket: they do not.
    """
    kind, data = packet.type, packet.data
    if packet.id is not None and not 0 <= packet.id <= MAX_ID:
        raise BadPacket("An acknowledgement's id is a number from 0 to 2^53-1")
    if kind is SocketPacketType.EVENT:
        if not isinstance(data, list) or not data:
            raise BadPacket("An event is an array with its name")
        name = data[0]
        if isinstance(name, bool) or not isinstance(name, str | int | float) or name in RESERVED_EVENTS:
            raise BadPacket("An event's name is text, and none that is reserved")
    elif kind is SocketPacketType.ACK:
        if not isinstance(data, list) or packet.id is None:
            raise BadPacket("An acknowledgement is an array, with an id")
    elif packet.id is not None:
        raise BadPacket("Only events and acknowledgements have an id")
    elif kind is SocketPacketType.CONNECT:
        if data is not None and not isinstance(data, Mapping):
            raise BadPacket("CONNECT has an object, or nothing")
    elif kind is SocketPacketType.DISCONNECT:
        if data is not None:
            raise BadPacket("DISCONNECT has no data")
    elif kind is SocketPacketType.CONNECT_ERROR:
        if not isinstance(data, Mapping | str):
            raise BadPacket("CONNECT_ERROR has an object or text")
    else:
        raise BadPacket("Whether a packet is binary is seen from its data")


def check_nesting(value: Any, depth: int) -> None:
    """Whether what was decoded is such that code may walk through it.

    Raises:
        BadPacket: it is nested deeper than `depth`, or a key of an object is no text.
    """
    level = [value]
    while level:
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                if not all(type(key) is str for key in item):
                    raise BadPacket("The keys of an object are text")
                below += item.values()
            elif isinstance(item, list):
                below += item
            else:
                continue
            if depth <= 0:
                raise BadPacket("The data is nested too deeply")
        depth -= 1
        level = below


def recovery_args(args: Sequence[Any], offset: str | None) -> list[Any]:
    """The arguments of an event for a client with connection state recovery: its offset comes last.

    The stock client keeps the last argument of *every* event as its offset if it is text, so a client with a `pid` must get
    no event that ends with other text (socket.io-client `socket.ts`, `emitEvent`).
    """
    return [*args] if offset is None else [*args, offset]
