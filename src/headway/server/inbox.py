"""REST of the inbox: notify, list, read, archive."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from msgspec.structs import asdict

from headway.errors import InvalidField
from headway.hub.hub import Hub
from headway.model import report as r
from headway.model.channel import check_channel
from headway.model.grant import Grant
from headway.model.notification import Notification, NotificationStatus, Severity
from headway.ports.store import NotificationQuery
from headway.server.rest import TEXT, Key, new_id

__all__ = ["Notifications"]

Caller = NamedDependency[Grant]
TheHub = NamedDependency[Hub]
Channel = Annotated[
    str | None, QueryParameter(max_length=200, pattern=TEXT, description="The caller's own when left out.")
]


class NewNotification(msgspec.Struct, frozen=True):
    """A notification for a user, a channel, or oneself."""

    title: str
    id: str | None = None
    user: str | None = None
    channel: str | None = None
    content: str = ""
    kind: str = ""
    severity: Severity = Severity.INFO
    link: str | None = None
    source: str | None = None
    task: str | None = None
    data: dict[str, Any] | None = None
    idempotency_key: Key | None = None


class NotificationList(msgspec.Struct, frozen=True):
    """Notifications, newest first, the `after` of the next page, and how many there are on all pages."""

    notifications: tuple[Notification, ...]
    next: str | None
    total: int


class Notifications(Controller):
    """Notifications."""

    path = "/api/notifications"
    tags = ("notifications",)

    @post(summary="Notify", status_code=201)
    async def notify(
        self,
        data: JSONBody[NewNotification],
        grant: Caller,
        hub: TheHub,
        idempotency_header: Annotated[
            str | None, HeaderParameter(name="Idempotency-Key", max_length=200)
        ] = None,
    ) -> Response[Notification]:
        """Answers 201 with the notification; 200 with the one there is when its id or idempotency key is known."""
        fields = asdict(data)
        fields["id"] = fields["id"] or new_id()
        fields["idempotency_key"] = data.idempotency_key or idempotency_header or None
        notification, created = await hub.report(grant, r.Notify(**fields))
        assert isinstance(notification, Notification)  # noqa: S101 - notifying gives one
        return Response(notification, status_code=201 if created else 200)

    @get(summary="List notifications")
    async def list_notifications(
        self,
        grant: Caller,
        hub: TheHub,
        statuses: Annotated[
            str | None, QueryParameter(name="status", description="One or more statuses, comma separated.")
        ] = None,
        kind: Annotated[str | None, QueryParameter(max_length=200, pattern=TEXT)] = None,
        channel: Channel = None,
        limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
        after: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> NotificationList:
        """Newest first, of one channel. A filter that nothing matches gives an empty page."""
        query = NotificationQuery(_inbox(channel, grant), _statuses(statuses), kind, after, limit=limit)
        page = await hub.inbox.page(grant, query)
        return NotificationList(page.notifications, page.next, page.total)

    @get("/unread_count", summary="Count what is unread")
    async def count_unread(self, grant: Caller, hub: TheHub, channel: Channel = None) -> dict[str, int]:
        """The number that every `snapshot` and `change` of the channel brings too."""
        return {"count": await hub.inbox.unread(grant, _inbox(channel, grant))}

    @get("/{notification_id:str}", summary="Read a notification")
    async def read_notification(
        self, notification_id: FromPath[str], grant: Caller, hub: TheHub
    ) -> Notification:
        """The notification as it is now; reading it here does not mark it."""
        return await hub.inbox.one(grant, notification_id)

    @delete("/{notification_id:str}", summary="Remove a notification")
    async def remove_notification(self, notification_id: FromPath[str], grant: Caller, hub: TheHub) -> None:
        """For good, and on every device."""
        await hub.inbox.remove(grant, notification_id)

    @post("/{notification_id:str}/read", summary="Mark as read", status_code=200)
    async def read(self, notification_id: FromPath[str], grant: Caller, hub: TheHub) -> dict[str, int]:
        """Answers how many were unread: reading twice is fine."""
        return await _file(hub, grant, notification_id, NotificationStatus.READ)

    @post("/{notification_id:str}/unread", summary="Mark as unread", status_code=200)
    async def unread(self, notification_id: FromPath[str], grant: Caller, hub: TheHub) -> dict[str, int]:
        """Takes it out of the archive too."""
        return await _file(hub, grant, notification_id, NotificationStatus.UNREAD)

    @post("/{notification_id:str}/archive", summary="Archive", status_code=200)
    async def archive(self, notification_id: FromPath[str], grant: Caller, hub: TheHub) -> dict[str, int]:
        """It leaves the snapshots, and stays in the list for those who ask for archived ones."""
        return await _file(hub, grant, notification_id, NotificationStatus.ARCHIVED)

    @post("/read_all", summary="Mark all as read", status_code=200)
    async def read_all(self, grant: Caller, hub: TheHub, channel: Channel = None) -> dict[str, int]:
        """Answers how many were unread."""
        inbox = _inbox(channel, grant)
        return {"updated": await hub.inbox.file_all(grant, inbox, NotificationStatus.READ)}

    @post("/archive_all", summary="Archive all", status_code=200)
    async def archive_all(self, grant: Caller, hub: TheHub, channel: Channel = None) -> dict[str, int]:
        """Unread ones too. Answers how many were not archived."""
        inbox = _inbox(channel, grant)
        return {"updated": await hub.inbox.file_all(grant, inbox, NotificationStatus.ARCHIVED)}


async def _file(hub: Hub, grant: Grant, notification: str, status: NotificationStatus) -> dict[str, int]:
    return {"updated": await hub.inbox.file(grant, (notification,), status)}


def _inbox(channel: str | None, grant: Grant) -> str:
    return check_channel(channel or grant.own_channel)


def _statuses(text: str | None) -> frozenset[NotificationStatus]:
    if not text:
        return frozenset()
    try:
        return frozenset(NotificationStatus(part.strip()) for part in text.split(","))
    except ValueError:
        raise InvalidField(
            f"status is one or more of {', '.join(NotificationStatus)}", field="status"
        ) from None
