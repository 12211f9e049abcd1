"""The contract `user-tasks`: one raw WebSocket for each user, and a status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headway.dialects.translation import Event
from headway.dialects.user_tasks import UserTasksTranslation, user_tasks
from headway.errors import (
    AuthTimeout,
    HeadwayError,
    RefusedError,
    RequestError,
    SlowReader,
    Unauthenticated,
)
from headway.hub.wanted import Wanted
from headway.model.grant import Ability, Grant
from headway.model.task import UNFINISHED, Task
from headway.ports.store import TaskQuery
from headway.transports.asgi import sized
from headway.transports.contracts.codec import MessageCodec, encode
from headway.transports.contracts.contract import Contract, Request, Route, route
from headway.transports.contracts.socket import (
    REFUSED,
    SERVER_ERROR,
    ContractSocket,
    converse,
)
from headway.transports.members import Members
from headway.transports.service import Service

__all__ = ["UserTasks"]

_HISTORY = 200
_FINAL = (RefusedError, RequestError, AuthTimeout, SlowReader)


def _message(event: Event) -> dict[str, Any]:
    return {"type": event.name, **event.data}


CODEC = MessageCodec(UserTasksTranslation(), lambda event, _cursor: sized(encode(_message(event))))


class UserTasks(Contract):
    """Its addresses, and who is connected there.

    Attributes:
        heartbeat: seconds without a message from the client, after which it gets a heartbeat.
    """

    name = "user-tasks"

    def __init__(self, service: Service, prefix: str = "", *, heartbeat: float = 60.0) -> None:
        super().__init__(service, prefix)
        self.heartbeat = heartbeat
        self.members = Members()

    def addresses(self) -> list[Route]:
        return [
            route("websocket", "/api/v1/ws/tasks/{user_id}", self._connect),
            route("http", "/api/v1/ws/status", self._status),
        ]

    def refused(self, error: HeadwayError) -> Mapping[str, Any]:
        return {"success": False, "data": None, "message": error.message}

    async def _connect(self, request: Request) -> None:
        await converse(self, request, _Socket(self, request))

    async def _status(self, request: Request) -> Mapping[str, Any]:
        grant = await self.known(request)
        counts = self.members.counts()
        if Ability.ADMIN not in grant.can:
            # Others see themselves.
            counts = {user: count for user, count in counts.items() if user == grant.user}
        data = {
            "total_users": len(counts),
            "total_connections": sum(counts.values()),
            "user_connections": counts,
        }
        return {"success": True, "data": data, "message": "Connections of now"}


class _Socket(ContractSocket):
    """One client."""

    __slots__ = ("_cleared_at", "_user")

    codec = CODEC

    def __init__(self, contract: UserTasks, request: Request) -> None:
        super().__init__(
            contract.service, contract.members, contract.heartbeat, contract.name, request.address
        )
        self._user = request.params["user_id"]
        self._cleared_at = 0

    def said(self, event: Event) -> Mapping[str, Any]:
        return _message(event)

    def refusal(self, error: HeadwayError) -> tuple[Event, int]:
        if isinstance(error, _FINAL):
            return Event(
                "authentication_failed", {"message": error.message, "timestamp": self.stamp}
            ), REFUSED
        return Event(
            "authentication_error", {"message": error.message, "timestamp": self.stamp}
        ), SERVER_ERROR

    def beat(self) -> Event:
        return Event("heartbeat", {"timestamp": self.stamp})

    def heard(self) -> None:
        # It is for clients that are silent.
        self._lease.put_off(self._service.now())

    async def welcome(self, grant: Grant) -> None:
        if grant.user != self._user:
            raise Unauthenticated("This token belongs to another user")
        self.admit(grant)
        hub = self._service.hub
        page = await hub.tasks(grant, TaskQuery(None, channel=grant.own_channel, limit=1))
        greeting = {"message": "Connected", "timestamp": self.stamp, "load_history": bool(page.tasks)}
        self.say(Event("connection_established", greeting))
        await self.follow(grant, Wanted(key=0, name=b"", channel=grant.own_channel))

    def unheard(self, error: HeadwayError) -> None:
        self._complain(error.message)

    async def hear(self, message: bytes) -> None:
        try:
            asked = _decode(message)
            if asked == "ping":
                self.say(Event("pong", {"timestamp": self.stamp}))
            elif asked == "get_user_tasks":
                self.say(user_tasks(await self._tasks(history=False), requested=True))
            elif asked == "load_history_tasks":
                self.say(user_tasks(await self._tasks(history=True), requested=True))
            elif asked == "clear_tasks":
                self._cleared_at = self._service.hub.clock()
                self.say(Event("tasks_cleared", {"timestamp": self.stamp}))
            else:
                self._complain("This type of message is not known here")
        except RequestError as error:
            self._complain(error.message)

    async def _tasks(self, *, history: bool) -> list[Task]:
        """The user's tasks: all that the history has, or those that go on or ended since the client cleared its list."""
        grant, hub = self.grant, self._service.hub
        assert grant is not None  # noqa: S101 - who is not welcome is not heard
        own = grant.own_channel
        page = await hub.tasks(grant, TaskQuery(None, channel=own, limit=_HISTORY))
        if history:
            return list(page.tasks)
        running = await hub.tasks(grant, TaskQuery(None, channel=own, states=UNFINISHED, limit=_HISTORY))
        ended = [task for task in page.tasks if (task.finished_at or 0) > self._cleared_at]
        return list({task.id: task for task in (*running.tasks, *ended)}.values())

    def _complain(self, message: str) -> None:
        self.say(Event("error", {"message": message, "timestamp": self.stamp}))


class _Asked(msgspec.Struct):
    type: str


_decoder = msgspec.json.Decoder(_Asked)


def _decode(message: bytes) -> str:
    try:
        return _decoder.decode(message).type
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise RequestError("A message is a JSON object with a type") from None
