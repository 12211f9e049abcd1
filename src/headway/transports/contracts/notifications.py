"""The contract `notifications`: an inbox and single tasks, as raw WebSockets and as streams, and the inbox over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.dialects.notifications import (
    KINDS,
    SYSTEM,
    InboxTranslation,
    TaskTranslation,
    notification_body,
)
from headway.dialects.translation import Event
from headway.errors import (
    Forbidden,
    HeadwayError,
    InvalidField,
    RefusedError,
    RequestError,
)
from headway.hub.wanted import Wanted
from headway.model.grant import Ability, Grant
from headway.model.notification import NotificationStatus
from headway.ports.store import NotificationQuery
from headway.transports.asgi import sized
from headway.transports.contracts.codec import MessageCodec, encode
from headway.transports.contracts.contract import Contract, Request, Route, route
from headway.transports.contracts.socket import (
    REFUSED,
    SERVER_ERROR,
    ContractSocket,
    converse,
)
from headway.transports.contracts.stream import EventWords, stream
from headway.transports.members import Members
from headway.transports.service import Service

__all__ = ["Notifications"]

_MOST = 100
_PAGE = 20
_STATUSES = {
    "unread": frozenset((NotificationStatus.UNREAD,)),
    "read": frozenset((NotificationStatus.READ, NotificationStatus.ARCHIVED)),
}


def _message(event: Event) -> dict[str, Any]:
    return {"type": event.name, "data": event.data}


def _sized(event: Event, _cursor: str) -> bytes:
    return sized(encode(_message(event)))


INBOX = MessageCodec(InboxTranslation(), _sized)
TASK = MessageCodec(TaskTranslation(), _sized)


class Notifications(Contract):
    """Its addresses, and who is connected there.

    Attributes:
        heartbeat: seconds between heartbeats.
        inboxes, watchers: the sockets of each user, to the inbox and to tasks.
    """

    name = "notifications"

    def __init__(
        self,
        service: Service,
        prefix: str = "",
        *,
        heartbeat: float = 30.0,
        ceiling: int = 3,
        close_oldest: bool = False,
    ) -> None:
        """Nobody is connected.

        Args:
            ceiling: connections of a user to the inbox; 0 for any number.
            close_oldest: make room for who comes, instead of refusing it.
        """
        super().__init__(service, prefix)
        self.heartbeat = heartbeat
        self.inboxes = Members(ceiling, close_oldest=close_oldest)
        self.watchers = Members()
        self._inbox_words = EventWords(InboxTranslation(), heartbeat)
        self._task_words = EventWords(TaskTranslation(), heartbeat)

    def addresses(self) -> list[Route]:
        return [
            route("websocket", "/api/ws/notifications", self._inbox),
            route("websocket", "/api/ws/tasks/{task_id}", self._task),
            route("http", "/api/notifications/stream", self._inbox_stream),
            route("http", "/api/stream/tasks/{task_id}", self._task_stream),
            route("http", "/api/notifications", self._list),
            route("http", "/api/notifications/unread_count", self._unread_count),
            route("http", "/api/notifications/read_all", self._read_all, "POST"),
            route("http", "/api/notifications/{notification_id}/read", self._read, "POST"),
            route("http", "/api/ws/stats", self._stats),
        ]

    def refused(self, error: HeadwayError) -> Mapping[str, Any]:
        return {"success": False, "data": None, "message": error.message, "timestamp": self.stamp}

    # Sockets.

    async def _inbox(self, request: Request) -> None:
        await converse(self, request, _Inbox(self, request))

    async def _task(self, request: Request) -> None:
        await converse(self, request, _TaskSocket(self, request))

    # Streams.

    async def _inbox_stream(self, request: Request) -> None:
        await stream(self, request, self._inbox_words, _inbox)

    async def _task_stream(self, request: Request) -> None:
        wanted = _task(request.params["task_id"])
        await stream(self, request, self._task_words, lambda _: wanted, until_done=True)

    # REST.

    async def _list(self, request: Request) -> Mapping[str, Any]:
        grant = await self.known(request)
        status, kind = request.query.get("status"), request.query.get("type")
        if status is not None and status not in _STATUSES:
            raise InvalidField("status is unread or read", field="status")
        if kind is not None and kind not in KINDS:
            raise InvalidField(f"type is one of {', '.join(KINDS)}", field="type")
        page, size = _number(request, "page", 1, 1_000_000), _number(request, "page_size", _PAGE, _MOST)
        query = NotificationQuery(
            channel=grant.own_channel,
            statuses=_STATUSES[status] if status else frozenset(),
            # What has a kind of its own is the system's here.
            kind=None if kind == SYSTEM else kind,
            other_than=frozenset(KINDS) - {SYSTEM} if kind == SYSTEM else frozenset(),
            skip=(page - 1) * size,
            limit=size,
        )
        found = await self.service.hub.inbox.page(grant, query)
        items = [notification_body(note) for note in found.notifications]
        return self._done({"items": items, "total": found.total, "page": page, "page_size": size})

    async def _unread_count(self, request: Request) -> Mapping[str, Any]:
        grant = await self.known(request)
        return self._done({"count": await self.service.hub.inbox.unread(grant, grant.own_channel)})

    async def _read(self, request: Request) -> Mapping[str, Any]:
        grant = await self.known(request)
        notification_id = request.params["notification_id"]
        inbox = self.service.hub.inbox
        note = await inbox.one(grant, notification_id)
        await inbox.file(grant, (note.id,), NotificationStatus.READ)
        return self._done({"id": note.id, "status": "read"})

    async def _read_all(self, request: Request) -> Mapping[str, Any]:
        grant = await self.known(request)
        inbox = self.service.hub.inbox
        return self._done(
            {"updated": await inbox.file_all(grant, grant.own_channel, NotificationStatus.READ)}
        )

    async def _stats(self, request: Request) -> Mapping[str, Any]:
        grant = await self.known(request)
        if Ability.ADMIN not in grant.can:
            raise Forbidden("This needs an administrator's token")
        users = self.inboxes.counts()
        for user, count in self.watchers.counts().items():
            users[user] = users.get(user, 0) + count
        total = sum(users.values())
        return self._done({"total_users": len(users), "total_connections": total, "users": users})

    def _done(self, data: Any) -> Mapping[str, Any]:
        return {"success": True, "data": data, "message": "ok", "timestamp": self.stamp}


class _Socket(ContractSocket):
    """A socket of this contract; what its client sends is ignored."""

    __slots__ = ()

    def __init__(self, contract: Notifications, peers: Members, request: Request) -> None:
        super().__init__(contract.service, peers, contract.heartbeat, contract.name, request.address)

    def said(self, event: Event) -> Mapping[str, Any]:
        return _message(event)

    def refusal(self, error: HeadwayError) -> tuple[Event, int]:
        final = isinstance(error, RefusedError | RequestError)
        return Event("error", {"message": error.message}), REFUSED if final else SERVER_ERROR

    def beat(self) -> Event:
        return Event("heartbeat", {"timestamp": self.stamp})

    async def hear(self, message: bytes) -> None:
        """Nothing is to be said here."""


class _Inbox(_Socket):
    """A user's inbox."""

    __slots__ = ()

    codec = INBOX

    def __init__(self, contract: Notifications, request: Request) -> None:
        super().__init__(contract, contract.inboxes, request)

    async def welcome(self, grant: Grant) -> None:
        self.admit(grant)
        greeting = {"user_id": grant.user, "timestamp": self.stamp, "message": "Connected"}
        self.say(Event("connected", greeting))
        await self.follow(grant, _inbox(grant))


class _TaskSocket(_Socket):
    """One task, to its end."""

    __slots__ = ("_task",)

    codec = TASK

    def __init__(self, contract: Notifications, request: Request) -> None:
        super().__init__(contract, contract.watchers, request)
        self._task = request.params["task_id"]
        self._until = (self._task,)

    async def welcome(self, grant: Grant) -> None:
        # First, so that a revocation finds it while the task is looked up.
        self.admit(grant)
        # Before anything is said: to others it does not exist.
        await self._service.hub.task(grant, self._task)
        greeting = {"task_id": self._task, "timestamp": self.stamp, "message": "Connected"}
        self.say(Event("connected", greeting))
        await self.follow(grant, _task(self._task))

    def refusal(self, error: HeadwayError) -> tuple[Event, int]:
        event, code = super().refusal(error)
        about = {"task_id": self._task, "error": error.message, "timestamp": self.stamp}
        return Event(event.name, {**event.data, **about}), code


def _inbox(grant: Grant) -> Wanted:
    return Wanted(key=0, name=b"", channel=grant.own_channel)


def _task(task_id: str) -> Wanted:
    return Wanted(key=0, name=b"", task=task_id)


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 12 or not 1 <= int(text) <= most:
        raise InvalidField(f"{name} is a whole number from 1 to {most}", field=name)
    return int(text)
