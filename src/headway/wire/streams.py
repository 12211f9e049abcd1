"""The native messages on the doors that only go one way: Server-Sent Events and long-poll.

Both carry exactly what `spec/wire.md` §4 says, in the frames of §10 and §11.
"""

from __future__ import annotations

from collections.abc import Sequence

from headway.model.cursor import Cursor
from headway.ports.link import Version
from headway.wire.codec import NativeCodec

__all__ = ["EVENTS", "HEARTBEAT", "POLL", "event"]

HEARTBEAT = b": heartbeat\n\n"
"""A comment: it keeps proxies and browsers from giving up, and no script sees it."""


def event(message: bytes, cursor: str = "") -> bytes:
    """One event (WHATWG HTML §9.2.6); its id is the cursor, which the browser sends back as `Last-Event-ID`.

    JSON has no line break of its own, so one `data` line always holds it.
    """
    if cursor:
        return b"id: %b\ndata: %b\n\n" % (cursor.encode(), message)
    return b"data: %b\n\n" % message


def _item(message: bytes, _cursor: str) -> bytes:
    return message + b",\n"


class _PollCodec(NativeCodec):
    """Like the others, but an answer that says nothing new is none: the poll goes on waiting."""

    __slots__ = ()

    def snapshot(self, name: bytes, cursor: Cursor, reset: bool, versions: Sequence[Version]) -> bytes:
        return super().snapshot(name, cursor, reset, versions) if reset or versions else b""


EVENTS = NativeCodec(event)
POLL = _PollCodec(_item)
