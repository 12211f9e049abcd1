"""A translation as the codec of a door: its events, each in the form of that door."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from headway.dialects.translation import Event, Translation
from headway.model.cursor import Cursor
from headway.ports.link import Codec, Version
from headway.ports.store import LogEntry
from headway.wire.socketio_batch import Said, SocketCodec
from headway.wire.socketio_packets import Parser

__all__ = ["MessageCodec", "SocketIoCodec", "StreamCodec", "encode", "named_event", "socketio_codecs"]

encode = msgspec.json.Encoder().encode
One = TypeVar("One")


class _Translated(Codec, Generic[One]):
    """Who inherits puts events into the form of its door."""

    __slots__ = ()

    translation: Translation

    @abstractmethod
    def form(self, event: Event, cursor: str) -> One:
        """One event, and the cursor up to it; empty when more events belong to the same change."""

    @abstractmethod
    def join(self, name: bytes, events: list[One]) -> bytes:
        """All of them as one; empty when there are none."""

    def snapshot(
        self,
        name: bytes,
        cursor: Cursor,
        reset: bool,
        versions: Sequence[Version],
        unread: int | None = None,  # noqa: ARG002 - no contract has it on its socket
        since: int = 0,
    ) -> bytes:
        if not reset:
            return self.changes(name, cursor.epoch, versions, since)
        return self.join(name, self._formed(self.translation.standing(versions), str(cursor)))

    def changes(self, name: bytes, epoch: str, versions: Sequence[Version], since: int) -> bytes:
        formed: list[One] = []
        for version in versions:
            formed += self._formed(self.translation.news(version, since), f"{epoch}.{version.record.rev}")
        return self.join(name, formed)

    def log(
        self,
        name: bytes,  # noqa: ARG002
        task: str,  # noqa: ARG002
        offset: int,  # noqa: ARG002
        end: int,  # noqa: ARG002
        trimmed: int,  # noqa: ARG002
        entries: Sequence[LogEntry],  # noqa: ARG002
    ) -> bytes:
        # No contract knows of logs.
        return b""

    def _formed(self, events: list[Event], cursor: str) -> list[One]:
        # Who has only the first of them has not got the change yet.
        return [self.form(event, "" if event is not events[-1] else cursor) for event in events]


class MessageCodec(_Translated[bytes]):
    """Events as whole messages, one after the other. One instance for each contract and door: equal means identical."""

    __slots__ = ("_form", "translation")

    def __init__(self, translation: Translation, form: Callable[[Event, str], bytes]) -> None:
        self.translation = translation
        self._form = form

    def form(self, event: Event, cursor: str) -> bytes:
        return self._form(event, cursor)

    def join(self, name: bytes, events: list[bytes]) -> bytes:  # noqa: ARG002 - it has one subscription
        return b"".join(events)


class StreamCodec(_Translated[bytes]):
    """Events of a stream, with a name, an id up to which a client has got everything, and JSON."""

    __slots__ = ("_frame", "translation")

    def __init__(self, translation: Translation, frame: Callable[[bytes], bytes] = bytes) -> None:
        """Make a codec.

        Args:
            frame: what carries several events as one.
        """
        self.translation = translation
        self._frame = frame

    def form(self, event: Event, cursor: str) -> bytes:
        return named_event(event, cursor)

    def join(self, name: bytes, events: list[bytes]) -> bytes:  # noqa: ARG002 - it has one subscription
        return self._frame(b"".join(events)) if events else b""

    def snapshot(
        self,
        name: bytes,
        cursor: Cursor,
        reset: bool,
        versions: Sequence[Version],
        unread: int | None = None,
        since: int = 0,
    ) -> bytes:
        found = super().snapshot(name, cursor, reset, versions, unread, since)
        # Also who goes before any came has a place to come back to.
        return found or self._frame(b"id: %b\n\n" % str(cursor).encode())


def named_event(event: Event, cursor: str = "") -> bytes:
    """One event of a stream (WHATWG HTML §9.2.6)."""
    id_line = b"id: %b\n" % cursor.encode() if cursor else b""
    return b"%bevent: %b\ndata: %b\n\n" % (id_line, event.name.encode(), encode(event.data))


class SocketIoCodec(_Translated[Said], SocketCodec):
    """Events of Socket.IO."""

    __slots__ = ("translation",)

    def __init__(self, translation: Translation, parser: Parser, *, offsets: bool) -> None:
        """Make a codec.

        Args:
            offsets: its clients are offered recovery.
        """
        super().__init__(parser, "/", offsets=offsets)
        self.translation = translation

    def form(self, event: Event, cursor: str) -> Said:
        return self.said(event.name, event.data, cursor=cursor)

    def join(self, name: bytes, events: list[Said]) -> bytes:
        return self.batch(name, events) if events else b""


def socketio_codecs(translation: Translation, parser: Parser) -> tuple[SocketIoCodec, SocketIoCodec]:
    """Two of them: without offsets, and with them."""
    return (
        SocketIoCodec(translation, parser, offsets=False),
        SocketIoCodec(translation, parser, offsets=True),
    )
