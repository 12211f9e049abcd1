"""What is kept of a message on its way: the message, that it is owed to an endpoint, and each attempt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from headway.model.notification import Notification
from headway.model.task import Task
from headway.onward.endpoint import event_of
from headway.ports.store import Document

__all__ = [
    "ATTEMPT",
    "DELIVERY",
    "MESSAGE",
    "PING",
    "Attempt",
    "Delivery",
    "attempt_document",
    "message_body",
    "message_document",
    "ping_body",
]

MESSAGE = "webhook.message"
DELIVERY = "webhook.delivery"
ATTEMPT = "webhook.attempt"
PING = "ping"
_LAST_MS = 10**13 - 1


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that is owed to an endpoint.

    Attributes:
        id: of this debt; a message that is sent again by hand is owed anew.
        message: the message's id, the same for every endpoint and every attempt.
        event: what it tells of.
        began: Unix milliseconds of when it was first due; so is `next_at` of the next attempt.
        attempts: how many there were.
    """

    id: str
    message: str
    endpoint: str
    event: str
    began: int
    next_at: int
    attempts: int = 0

    def document(self) -> Document:
        """How it is kept until it is settled."""
        return Document(DELIVERY, self.id, self.endpoint, msgspec.json.encode(self).decode())


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the log of attempts.

    Attributes:
        state: `delivered`; `retrying`, and then `next_at` says when; or `given_up`.
        at, next_at: Unix milliseconds.
        duration: milliseconds.
        status: of the answer, when there was one.
    """

    message: str
    event: str
    number: int
    state: Literal["delivered", "retrying", "given_up"]
    at: int
    duration: int
    status: int | None = None
    error: str | None = None
    next_at: int | None = None


def message_body(fact: Task | Notification, now: int) -> bytes:
    """The JSON that an endpoint gets.

    Args:
        now: Unix milliseconds of when it happened.
    """
    return _body(event_of(fact).value, now, fact)


def ping_body(endpoint: str, now: int) -> bytes:
    """The JSON of a test."""
    return _body(PING, now, {"webhook": endpoint})


def message_document(message: str, body: bytes, expires_at: int) -> Document:
    """How a message is kept: its body, byte for byte as it is signed."""
    return Document(MESSAGE, message, "", body.decode(), expires_at)


def attempt_document(endpoint: str, attempt: Attempt, expires_at: int) -> Document:
    """How a line of the log is kept: under an id that sorts the newest first, since that is how it is read."""
    which = f"{_LAST_MS - attempt.at:013d}-{attempt.message}-{attempt.number:03d}"
    return Document(ATTEMPT, which, endpoint, msgspec.json.encode(attempt).decode(), expires_at)


def _body(event: str, now: int, data: Any) -> bytes:
    moment = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return msgspec.json.encode({"type": event, "timestamp": moment, "data": data})
