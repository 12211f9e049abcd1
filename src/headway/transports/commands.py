"""What a client has done: tasks cancelled, paused and resumed, notifications filed; and how each is answered."""

from __future__ import annotations

from headway.errors import HeadwayError
from headway.hub.hub import Hub
from headway.model import report as r
from headway.model.grant import Grant
from headway.model.notification import NotificationStatus
from headway.model.task import Task
from headway.ports.link import Version
from headway.wire import native as n

__all__ = ["Command", "carry_out"]

Command = n.Cancel | n.Pause | n.Resume | n.Read | n.Unread | n.Archive

_STATUSES: dict[type, NotificationStatus] = {
    n.Read: NotificationStatus.READ,
    n.Unread: NotificationStatus.UNREAD,
    n.Archive: NotificationStatus.ARCHIVED,
}
_REPORTS: dict[type, type[r.Cancel | r.Pause | r.Resume]] = {
    n.Cancel: r.Cancel,
    n.Pause: r.Pause,
    n.Resume: r.Resume,
}


async def carry_out(hub: Hub, grant: Grant, message: Command) -> bytes:
    """Do what a client asks, if its grant allows that; returns the answer, `ok` or why not."""
    try:
        if isinstance(message, n.Read | n.Unread | n.Archive):
            ids = None if message.notifications == "all" else message.notifications
            await hub.file(grant, ids, _STATUSES[type(message)])
            return n.ok(message.ref)
        record, _ = await hub.report(grant, _REPORTS[type(message)](message.task))
        return n.ok(message.ref, Version(record).json if isinstance(record, Task) else None)
    except HeadwayError as error:
        return n.error(error, ref=message.ref)
