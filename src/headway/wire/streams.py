"""The native messages on the doors that only go one way: Server-Sent Events and long-poll.

Both carry exactly what `spec/wire.md` §4 says, in the frames of §10 and §11.
"""

from __future__ import annotations

from collections.abc import Sequence

from headway.model.cursor import Cursor
from headway.ports.link import Version
from headway.wire.codec import NativeCodec

__all__ = ["CHUNKS", "EVENTS", "HEARTBEAT", "LAST_CHUNK", "POLL", "chunk", "event", "retry"]

HEARTBEAT = b": heartbeat\n\n"
"""A comment: it keeps proxies and browsers from giving up, and no script sees it."""

LAST_CHUNK = b"0\r\n\r\n"


def event(message: bytes, cursor: str = "") -> bytes:
    """One event (WHATWG HTML §9.2.6); its id is the cursor, which the browser sends back as `Last-Event-ID`.

    JSON has no line break of its own, so one `data` line always holds it.
    """
    if cursor:
        return b"id: %b\ndata: %b\n\n" % (cursor.encode(), message)
    return b"data: %b\n\n" % message


def retry(milliseconds: int) -> bytes:
    """How long a browser is to wait before it opens the next stream."""
    return b"retry: %d\n\n" % milliseconds


def chunk(data: bytes) -> bytes:
    """One chunk of a body that has no length (RFC 9112 §7.1); never empty, which would be the last."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _item(message: bytes, _cursor: str) -> bytes:
    return message + b",\n"


class _PollCodec(NativeCodec):
    """Like the others, but an answer that says nothing new is none: the poll goes on waiting."""

    __slots__ = ()

    def snapshot(
        self,
        name: bytes,
        cursor: Cursor,
        reset: bool,
        versions: Sequence[Version],
        unread: int | None = None,
        since: int = 0,
    ) -> bytes:
        return super().snapshot(name, cursor, reset, versions, unread, since) if reset or versions else b""


EVENTS = NativeCodec(event)
CHUNKS = NativeCodec(lambda message, cursor: chunk(event(message, cursor)))
"""The same events, each in a chunk, for those whose socket is written to directly."""
POLL = _PollCodec(_item)
