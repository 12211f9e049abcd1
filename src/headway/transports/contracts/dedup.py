"""The contract `dedup`: rooms for single tasks, over Socket.IO."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from headway.dialects.dedup import DedupTranslation
from headway.errors import InvalidField, NotFound, UnknownSubscription
from headway.hub.wanted import Wanted
from headway.model.grant import Grant
from headway.ports.store import TaskQuery
from headway.transports.contracts.codec import SocketIoCodec
from headway.transports.contracts.socketio import SocketIoContract, Speaking
from headway.transports.socketio.client import Client
from headway.transports.socketio.vocabulary import Vocabulary
from headway.wire.socketio import Recovery
from headway.wire.socketio_json import JSON_PARSER

__all__ = ["Dedup"]

# Its clients join their tasks anew on every connection, and are told then how these stand.
CODEC = SocketIoCodec(DedupTranslation(), JSON_PARSER, offsets=False)
_HIGHEST = 2**53 - 1


class Dedup(SocketIoContract):
    """Its address."""

    name = "dedup"

    def vocabulary(self, client: Client, namespace: str) -> Vocabulary:
        return _Rooms(client, namespace, CODEC, open=self.open)


class _Rooms(Speaking):
    """One client, and the tasks that it joined."""

    __slots__ = ()

    def welcomed(self, grant: Grant, recovery: Recovery | None) -> None:  # noqa: ARG002
        self.accept()
        self.emit("connected", {"message": f"Connected as {grant.user}"})

    def say(self, name: str, args: list[Any]) -> None:
        if name == "join_task":
            self.carry_out(self._join(_number(args)))
        elif name == "leave_task":
            self.carry_out(self._leave(_number(args)))

    async def _join(self, number: int) -> None:
        follower = self._follower
        if follower is None:
            return
        found = (await self._service.hub.tasks(follower.grant, TaskQuery(None, number=number, limit=1))).tasks
        if not found:
            # The same to those for whom it is not: that it is there is none of their business.
            raise NotFound(f"There is no task {number}")
        self.follow(Wanted(key=number, name=b"", task=found[0].id), self.complain)

    async def _leave(self, number: int) -> None:
        follower = self._follower
        if follower is None:
            return
        # Leaving twice is fine.
        with suppress(UnknownSubscription):
            follower.unsubscribe(number)
        self.emit("left", {"message": f"Left task {number}"})


def _number(args: list[Any]) -> int:
    asked = args[0] if args else None
    number = asked.get("task_id") if isinstance(asked, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= _HIGHEST:
        raise InvalidField("task_id is missing: send {task_id: <number>}", field="task_id")
    return number
