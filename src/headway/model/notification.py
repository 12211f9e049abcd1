"""A notification: one message to one channel, with a status of its own."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from headway.errors import InvalidField
from headway.model.bounds import check_json, check_label, check_text
from headway.model.channel import check_channel
from headway.model.ids import check_id, derived_id

__all__ = ["Notification", "NotificationStatus", "Severity", "check_link", "check_notification", "keyed_id"]

TITLE_CHARS = 300
CONTENT_CHARS = 4000
LINK_CHARS = 2000
SOURCE_CHARS = 200
DATA_BYTES = 4000


class NotificationStatus(StrEnum):
    """Where a notification stands with its reader."""

    UNREAD = "unread"
    READ = "read"
    ARCHIVED = "archived"


class Severity(StrEnum):
    """How loud a notification is."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


class Notification(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record of its own, never merged with another.

    Attributes:
        id, channel, rev: as of every record.
        created_at, updated_at: Unix milliseconds.
        kind: what it is about, the producer's own word.
        link: where it leads: http, https or relative.
        task: the task that it is about.
        ongoing: it follows that task, and becomes the message that the task is over.
    """

    id: str
    channel: str
    rev: int
    title: str
    status: NotificationStatus
    created_at: int
    updated_at: int
    content: str = ""
    kind: str = ""
    severity: Severity = Severity.INFO
    link: str | None = None
    source: str | None = None
    task: str | None = None
    data: dict[str, Any] | None = None
    ongoing: bool = False


def keyed_id(channel: str, key: str) -> str:
    """The id of the one notification that has this idempotency key in a channel."""
    return derived_id("key", channel, key)


def check_link(link: str) -> str:
    """Return `link`.

    Raises:
        InvalidField: it is not http, https or relative to the site (`/path`), or has control characters.
    """
    lowered = link.lower()
    safe = lowered.startswith(("http://", "https://")) or (
        link.startswith("/") and not link.startswith(("//", "/\\"))
    )
    check_text(link, "link", LINK_CHARS)
    if not safe or any(ord(char) <= 32 or ord(char) == 127 for char in link):
        raise InvalidField("A link is http://, https:// or a path that starts with one slash", field="link")
    return link


def check_notification(notification: Notification) -> Notification:
    """Return `notification`, with `data` as JSON has it.

    Raises:
        InvalidField: a field is out of bounds.
    """
    check_id(notification.id)
    check_channel(notification.channel)
    if not check_label(notification.title, "title", TITLE_CHARS).strip():
        raise InvalidField(f"A title has 1 to {TITLE_CHARS} characters", field="title")
    check_text(notification.content, "content", CONTENT_CHARS)
    check_label(notification.kind, "kind", SOURCE_CHARS)
    check_label(notification.source or "", "source", SOURCE_CHARS)
    if notification.link is not None:
        check_link(notification.link)
    if notification.task is not None:
        check_id(notification.task, "task")
    if notification.data is None:
        return notification
    return replace(notification, data=check_json(notification.data, "data", DATA_BYTES))
