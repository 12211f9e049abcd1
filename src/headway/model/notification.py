"""A notification: one message to one channel, with a status of its own."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from headway.errors import InvalidField
from headway.model.channel import check_channel
from headway.model.ids import check_id

__all__ = ["Notification", "NotificationStatus", "Severity", "check_link", "check_notification"]

TITLE_CHARS = 300
CONTENT_CHARS = 4000
LINK_CHARS = 2000
SOURCE_CHARS = 200


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


def check_link(link: str) -> str:
    """Return `link`.

    Raises:
        InvalidField: it is not http, https or relative to the site (`/path`), or has control characters.
    """
    lowered = link.lower()
    safe = lowered.startswith(("http://", "https://")) or (
        link.startswith("/") and not link.startswith(("//", "/\\"))
    )
    if not safe or len(link) > LINK_CHARS or any(ord(char) <= 32 or ord(char) == 127 for char in link):
        raise InvalidField("A link is http://, https:// or a path that starts with one slash", field="link")
    return link


def check_notification(notification: Notification) -> Notification:
    """Return `notification`.

    Raises:
        InvalidField: a field is out of bounds.
    """
    check_id(notification.id)
    check_channel(notification.channel)
    if not notification.title.strip() or len(notification.title) > TITLE_CHARS:
        raise InvalidField(f"A title has 1 to {TITLE_CHARS} characters", field="title")
    if len(notification.content) > CONTENT_CHARS:
        raise InvalidField(f"content has at most {CONTENT_CHARS} characters", field="content")
    for field in ("kind", "source"):
        if len(getattr(notification, field) or "") > SOURCE_CHARS:
            raise InvalidField(f"{field} has at most {SOURCE_CHARS} characters", field=field)
    if notification.link is not None:
        check_link(notification.link)
    if notification.task is not None:
        check_id(notification.task, "task")
    if notification.data is not None and len(msgspec.json.encode(notification.data)) > CONTENT_CHARS:
        raise InvalidField(f"data has at most {CONTENT_CHARS} bytes as JSON", field="data")
    return notification
