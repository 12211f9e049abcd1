"""What a session of Engine.IO (`engineio.py`) returns: what is to be done with its requests and its socket, and what came.

Values only. Actions are to be carried out in their order; `Closed` is always the last that a session returns. Messages that
come after the owner itself ended the session, in a list that it was given before, are to be dropped.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from headway.wire.engineio_requests import Refusal

__all__ = [
    "Action",
    "AnswerPoll",
    "AnswerPost",
    "CloseSocket",
    "Closed",
    "Message",
    "Ready",
    "Reason",
    "Refuse",
    "SendFrame",
    "Upgraded",
]


class Reason(Enum):
    """Why a session ended; the words are those that its clients and the reference server use."""

    CLIENT_CLOSED = "transport close"
    """The client said so, or its carrier broke."""
    TRANSPORT_ERROR = "transport error"
    """It broke the rules of its transport: two requests at once, or one that is too large."""
    PARSE_ERROR = "parse error"
    PING_TIMEOUT = "ping timeout"
    SERVER_CLOSED = "forced close"
    OVERFLOW = "buffer overflow"
    """It asked for more than it fetched."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """The client sent a message; text is UTF-8."""

    data: bytes
    binary: bool = False


class AnswerPoll(msgspec.Struct, frozen=True, gc=False):
    """Answer the GET that waits: 200, `text/plain; charset=UTF-8`, `Cache-Control: no-store`."""

    body: bytes


class AnswerPost(msgspec.Struct, frozen=True, gc=False):
    """Answer the POST: 200, `text/html`, the body `ok`."""


class Refuse(msgspec.Struct, frozen=True):
    """Refuse the very request, or the socket, that was reported in this call; no other."""

    refusal: Refusal


class SendFrame(msgspec.Struct, frozen=True, gc=False):
    """Send one message on the session's WebSocket."""

    data: bytes
    binary: bool = False


class CloseSocket(msgspec.Struct, frozen=True, gc=False):
    """Close the session's WebSocket; nothing more of that socket is to be reported."""

    code: int = 1000


class Ready(msgspec.Struct, frozen=True, gc=False):
    """A carrier is ready and nothing waits in the session: `send` now what waits elsewhere."""


class Upgraded(msgspec.Struct, frozen=True, gc=False):
    """The WebSocket carries the session from here on; requests are refused."""


class Closed(msgspec.Struct, frozen=True, gc=False):
    """The session is over; forget it and its id."""

    reason: Reason


Action = Message | AnswerPoll | AnswerPost | Refuse | SendFrame | CloseSocket | Ready | Upgraded | Closed
