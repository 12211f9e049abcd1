"""A webhook's endpoint: where messages go, which of them, and how it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import msgspec

from headway.errors import InvalidField
from headway.model.bounds import check_label
from headway.model.channel import allows, check_pattern
from headway.model.notification import Notification
from headway.model.task import Task
from headway.ports.store import Document

__all__ = ["KIND", "Endpoint", "Event", "check_events", "check_patterns", "check_url", "event_of"]

KIND = "webhook"
_URL_CHARS = 2000
_PATTERNS = 50


class Event(StrEnum):
    """What a message can tell of."""

    SUCCEEDED = "task.succeeded"
    FAILED = "task.failed"
    CANCELLED = "task.cancelled"
    NOTIFICATION = "notification.created"


class Endpoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody who wants to hear.

    Attributes:
        secret: signs what it gets.
        events: which messages; all when empty.
        channels: patterns of the channels whose records it hears of.
        old_secret: signs as well until `old_until` (Unix milliseconds), so that a new secret can be brought in.
        by: who made it; the settings file when empty.
    """

    id: str
    url: str
    secret: str
    events: tuple[Event, ...] = ()
    channels: tuple[str, ...] = ("*",)
    active: bool = True
    title: str = ""
    by: str = ""
    created_at: int = 0
    old_secret: str | None = None
    old_until: int = 0

    def wants(self, event: Event, channel: str) -> bool:
        """Whether a message is for it."""
        return (
            self.active
            and (not self.events or event in self.events)
            and any(allows(pattern, channel) for pattern in self.channels)
        )

    def secrets(self, now: int) -> tuple[str, ...]:
        """Those that sign, the newest first.

        Args:
            now: Unix milliseconds.
        """
        if self.old_secret is not None and now < self.old_until:
            return (self.secret, self.old_secret)
        return (self.secret,)

    def document(self) -> Document:
        """How it is kept."""
        return Document(KIND, self.id, self.by, msgspec.json.encode(self).decode())


def event_of(fact: Task | Notification) -> Event:
    """What a fact is told as."""
    return Event.NOTIFICATION if isinstance(fact, Notification) else Event(f"task.{fact.state.value}")


def check_url(url: str) -> tuple[str, str, int]:
    """The scheme, host and port of a URL that can be an endpoint's.

    Raises:
        InvalidField: it is not http or https, has no host, or has a name and password or a fragment.
    """
    check_label(url, "url", _URL_CHARS)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidField("That is not a URL", field="url") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise InvalidField("A URL begins with https:// (or http://, inside one's own networks)", field="url")
    if any(ord(char) <= 32 or ord(char) == 127 for char in url) or "\\" in url:
        raise InvalidField("A URL has no spaces, control characters or backslashes", field="url")
    if "@" in parts.netloc or parts.fragment:
        raise InvalidField(
            "A URL has no user, password or fragment here; the signature says who sends", field="url"
        )
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80)


def check_events(events: Sequence[str]) -> tuple[Event, ...]:
    """The events of these names, each once.

    Raises:
        InvalidField: there is no such event.
    """
    try:
        return tuple(dict.fromkeys(Event(event) for event in events))
    except ValueError:
        raise InvalidField(f"Events are {', '.join(Event)}", field="events") from None


def check_patterns(patterns: Sequence[Any]) -> tuple[str, ...]:
    """Return patterns of channels.

    Raises:
        InvalidField: one of them is none, or there are none or too many.
    """
    if not 1 <= len(patterns) <= _PATTERNS:
        raise InvalidField(f"An endpoint has 1 to {_PATTERNS} channel patterns", field="channels")
    return tuple(check_pattern(pattern) for pattern in patterns)
