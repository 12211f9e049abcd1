"""Events of Socket.IO that many clients get: encoded, framed and put into a payload once, whoever gets them over what.

A codec for Socket.IO makes a `Batch` of what it is asked to say. The batch *is* the bytes of its WebSocket frames, so a
delivery is one write of shared bytes; a client on polling gets its payload, made when the first one needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from headway.ports.link import Codec
from headway.wire.deflate import deflated_frame
from headway.wire.engineio_packets import Binary, Encoded, as_text, encode_payload
from headway.wire.frames import binary_frame, text_frame
from headway.wire.socketio_packets import Parser

__all__ = ["Batch", "Said", "SocketCodec", "deflated_packet", "frames_of"]


class Said(msgspec.Struct, frozen=True, gc=False):
    """One event, and where a client stands who has got it.

    Attributes:
        event: `[name, *args]` as `Parser.encode_event` gives it, its last argument no text.
        cursor: `epoch.rev` of what is followed; empty when the event says nothing of it.
        log: the offset after it in a task's log; None when it has none of that.
    """

    event: bytes
    cursor: str = ""
    log: int | None = None


class Batch(bytes):
    """Events for one subscription, as frames.

    Attributes:
        name: of the subscription, as the codec was given it.
        said: the events.
        cursor: of the last of them.
        packets: the same as messages of Engine.IO.
        frames: itself, as nothing but bytes, which transports write sooner than what only is like them.
    """

    name: bytes
    cursor: str
    frames: bytes
    said: tuple[Said, ...]
    packets: tuple[Encoded, ...]
    _deflated: bytes | None = None
    _payload: bytes | None = None
    _text: bytes | None = None

    @property
    def deflated(self) -> bytes:
        """Frames for clients with which compression was agreed."""
        if self._deflated is None:
            self._deflated = b"".join([deflated_packet(packet) for packet in self.packets])
        return self._deflated

    @property
    def payload(self) -> bytes:
        """For a poll that waits."""
        if self._payload is None:
            self._payload = encode_payload(self.packets)
        return self._payload

    @property
    def text(self) -> bytes:
        """Frames for a client that takes no binary ones."""
        if self._text is None:
            self._text = b"".join([text_frame(as_text(packet)) for packet in self.packets])
        return self._text


def deflated_packet(packet: Encoded) -> bytes:
    """The frame of a message of Engine.IO, compressed where that makes it smaller."""
    if type(packet) is Binary:
        return deflated_frame(2, packet.data)
    return deflated_frame(1, packet)  # type: ignore[arg-type]


def frames_of(packets: Sequence[Encoded]) -> bytes:
    """The WebSocket frames of Engine.IO messages."""
    return b"".join(
        [
            binary_frame(packet.data) if type(packet) is Binary else text_frame(packet)  # type: ignore[arg-type]
            for packet in packets
        ]
    )


class SocketCodec(Codec):
    """What codecs for Socket.IO are made of. One instance for each vocabulary: equal means identical.

    Who inherits says in `snapshot`, `changes` and `log` which events its records are, and gives them to `batch`.
    """

    __slots__ = ("_namespace", "_offsets", "parser")

    def __init__(self, parser: Parser, namespace: str, *, offsets: bool) -> None:
        """Make a codec.

        Args:
            parser: the one that its clients have.
            namespace: that its clients are in.
            offsets: its clients were given a `pid`, so each event that has a cursor ends with it.
        """
        self.parser = parser
        self._namespace = namespace
        self._offsets = offsets

    def said(self, name: str, *args: Any, cursor: str = "") -> Said:
        """One event."""
        return Said(self.parser.encode_event(name, args), cursor)

    def batch(self, name: bytes, said: Sequence[Said], offsets: Sequence[str] | None = None) -> Batch:
        """Events for all who follow under this name; one without events is empty and need not be sent.

        Args:
            name: of the subscription, as the codec was given it.
            said: the events.
            offsets: what each ends with, for one client alone; its cursor when None.
        """
        parser, namespace = self.parser, self._namespace
        if offsets is None:
            offsets = [one.cursor if self._offsets else "" for one in said]
        packets = tuple(
            parser.event_frame(namespace, one.event, offset or None)
            for one, offset in zip(said, offsets, strict=True)
        )
        frames = frames_of(packets)
        batch = Batch(frames)
        batch.frames = frames
        batch.cursor = said[-1].cursor if said else ""
        batch.name, batch.said, batch.packets = name, tuple(said), packets
        return batch
