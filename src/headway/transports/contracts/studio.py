"""The contract `studio`: the same list of tasks on every device of a user, over Socket.IO."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from headway.dialects.studio import StudioTranslation, active_tasks, ended, meta_of
from headway.errors import Forbidden, InvalidField
from headway.hub.access import Action
from headway.model.grant import Ability, Grant
from headway.model.report import Create
from headway.model.task import Task
from headway.transports.contracts.codec import socketio_codecs
from headway.transports.contracts.resuming import Resuming
from headway.transports.contracts.socketio import NOBODY, SocketIoContract
from headway.transports.service import Service
from headway.transports.socketio.client import Client
from headway.transports.socketio.vocabulary import Vocabulary
from headway.wire.socketio import Recovery
from headway.wire.socketio_json import JSON_PARSER

__all__ = ["Studio", "Submitted"]

_log = logging.getLogger("headway.contracts")

CODECS = socketio_codecs(StudioTranslation(), JSON_PARSER)
KIND = "studio"

Submitted = Callable[[Task], object]
"""Told of each task that a device submitted, so that a worker takes it up; called in the loop, so it must not wait."""


class Studio(SocketIoContract):
    """Its address."""

    name = "studio"

    def __init__(
        self,
        service: Service,
        prefix: str = "",
        *,
        open: bool = False,  # noqa: A002
        submitted: Submitted | None = None,
        new_id: Callable[[], str],
    ) -> None:
        """Begin.

        Args:
            submitted: is told of each new task. Without it a worker looks for queued tasks of the kind `studio`.
            new_id: makes the ids of tasks.
        """
        super().__init__(service, prefix, open=open)
        self.submitted = submitted
        self.new_id = new_id

    def vocabulary(self, client: Client, namespace: str) -> Vocabulary:
        return _Device(client, namespace, self)


class _Device(Resuming):
    """One device, with the list of its user."""

    __slots__ = ("_contract",)

    def __init__(self, client: Client, namespace: str, contract: Studio) -> None:
        super().__init__(client, namespace, CODECS, open=contract.open)
        self._contract = contract

    def welcomed(self, grant: Grant, recovery: Recovery | None) -> None:
        self.let_in(recovery)
        self.carry_out(self._show(grant))

    def say(self, name: str, args: list[Any]) -> None:
        if name == "task_created":
            try:
                title, meta = meta_of(args[0] if args else None)
            except ValueError as error:
                raise InvalidField(str(error), field="task_created") from None
            self.carry_out(self._submit(title, meta))
        elif name in {"task_progress", "task_completed", "task_failed"}:
            # The original relayed these from any browser to everybody.
            raise Forbidden("Only the worker of a task says how it goes")

    async def _show(self, grant: Grant) -> None:
        """All that goes on in the channels of this device as one list, then what changes in any of them."""
        names = grant.named
        places = {name: at for name in names if (at := self.was_at(name)) is not None}
        standing = await self._service.hub.standing(grant, names, places)
        if self._ended:
            return
        # What began meanwhile is in the list; what ended is not, and would be missed.
        for name, channel in standing.items():
            for event in ended(channel.missed, places[name].rev if name in places else 0):
                self.emit(event.name, event.data)
        tasks = [task for channel in standing.values() for task in channel.tasks]
        event = active_tasks(sorted(tasks, key=lambda task: (task.created_at, task.id)))
        cursors = {name: channel.cursor for name, channel in standing.items()}
        self.emit(event.name, event.data, *self.offset(cursors))
        for name, cursor in cursors.items():
            self.follow_channel(name, cursor)

    async def _submit(self, title: str, meta: dict[str, Any]) -> None:
        follower = self._follower
        if follower is None:
            return
        hub, grant = self._service.hub, follower.grant
        if grant is not NOBODY:
            # Who may act on tasks of its own may submit one, and nothing else; a share link or a display may not.
            hub.check(grant, Action.CONTROL, grant.own_channel)
        own = Grant(grant.user, can=frozenset((Ability.PUBLISH,)))
        report = Create(task=self._contract.new_id(), title=title, kind=KIND, meta=meta)
        task, created = await hub.report(own, report)
        if created and isinstance(task, Task) and self._contract.submitted is not None:
            try:
                self._contract.submitted(task)
            except Exception:  # noqa: BLE001 - it is the application's
                _log.exception("a submitted task was not taken up")
