"""How records look in the native vocabulary of Socket.IO (`spec/wire.md` §14).

A message of `headway.v1` becomes the event that has its `type` for a name and the rest of it for its one argument.
"""

from __future__ import annotations

from collections.abc import Sequence

from headway.model.cursor import Cursor
from headway.ports.link import Version
from headway.ports.store import LogEntry
from headway.wire.codec import change_messages, log_message, snapshot_messages
from headway.wire.socketio_batch import Batch, Said, SocketCodec
from headway.wire.socketio_packets import Parser

__all__ = ["NativeSocketCodec", "event_of", "split_message"]

_START = len(b'{"type":"')


class NativeSocketCodec(SocketCodec):
    """The native messages as events."""

    __slots__ = ()

    def snapshot(
        self,
        name: bytes,
        cursor: Cursor,
        reset: bool,
        versions: Sequence[Version],
        unread: int | None = None,
        since: int = 0,  # noqa: ARG002 - states need no announcing
    ) -> Batch:
        return self._batch(name, snapshot_messages(name, cursor, reset, versions, unread))

    def changes(self, name: bytes, epoch: str, versions: Sequence[Version], since: int) -> Batch:  # noqa: ARG002 - states need no announcing
        return self._batch(name, change_messages(name, epoch, versions))

    def log(
        self, name: bytes, task: str, offset: int, end: int, trimmed: int, entries: Sequence[LogEntry]
    ) -> Batch:
        message = log_message(name, task, offset, end, trimmed, entries)
        return self.batch(name, [Said(event_of(self.parser, message), log=end)])

    def _batch(self, name: bytes, messages: Sequence[tuple[bytes, str]]) -> Batch:
        parser = self.parser
        return self.batch(name, [Said(event_of(parser, message), cursor) for message, cursor in messages])


def split_message(message: bytes) -> tuple[bytes, bytes]:
    """The type of a native message of ours, and the rest of it as an object; both JSON."""
    end = message.index(b'"', _START)
    rest = message[end + 2 :] if message[end + 1 : end + 2] == b"," else message[end + 1 :]
    return message[_START:end], b"{" + rest


def event_of(parser: Parser, message: bytes) -> bytes:
    """A native message of ours as an event for `Parser.event_frame`."""
    return parser.encode_json_event(*split_message(message))
