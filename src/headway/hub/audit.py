"""Who did what: one structured line for each event that somebody may have to answer for, and counts of them.

The lines go to the logger `headway.audit`; `docs/reference/audit.md` lists their fields. They hold names, ids and
addresses, never a token and never a text of a job.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import msgspec

from headway.errors import HeadwayError
from headway.model.channel import is_channel
from headway.model.ids import is_id

__all__ = ["Audit", "Counts", "audit_log"]

audit_log = logging.getLogger("headway.audit")

_REMEMBERED_USERS = 10_000


class Counts(msgspec.Struct, gc=False):
    """What one user, or everybody, did since the server began.

    Attributes:
        messages: that came over connections.
        refusals: requests, subscriptions and connections that were refused.
    """

    messages: int = 0
    refusals: int = 0


class Audit:
    """Writes the lines of one server and keeps its counts.

    Attributes:
        total: counts of everybody, those who never said who they are among them.
    """

    def __init__(self, *, enabled: bool = True) -> None:
        """Nothing has happened yet.

        Args:
            enabled: whether lines are written; counts are kept in any case.
        """
        self._enabled = enabled
        self._users: dict[str, Counts] = {}
        self.total = Counts()

    def of(self, user: str) -> Counts:
        """The counts of one user, to be read and to be counted up; of so many users as are remembered."""
        counts = self._users.get(user)
        if counts is None:
            if len(self._users) >= _REMEMBERED_USERS:
                del self._users[next(iter(self._users))]
            counts = self._users[user] = Counts()
        return counts

    def connected(self, door: str, address: str) -> None:
        """Somebody came; who it is, is not known yet.

        Args:
            door: `websocket`, `events`, `poll`, `socketio` or `rest`.
            address: where from, or an empty text where that cannot be known.
        """
        self._write("connect", door=door, address=address)

    def authenticated(self, user: str, door: str, address: str, can: Iterable[str]) -> None:
        """A token was good."""
        self._write("authenticate", user=user, door=door, address=address, can=sorted(can))

    def renewed(self, user: str, door: str, address: str, expires_at: float | None) -> None:
        """A new token was given on a connection that is open.

        Args:
            expires_at: Unix seconds.
        """
        self._write("renew", user=user, door=door, address=address, expires_at=expires_at)

    def refused(
        self,
        error: HeadwayError,
        *,
        user: str | None = None,
        door: str = "",
        address: str = "",
        action: str = "",
        channel: str | None = None,
        task: str | None = None,
    ) -> None:
        """Something was refused: a connection, a request, or an action on a channel or a task."""
        self.total.refusals += 1
        if user is not None:
            self.of(user).refusals += 1
        self._write(
            "refuse",
            code=error.code,
            user=user,
            door=door,
            address=address,
            action=action,
            # What a client took for a name may be anything, a secret in the wrong place for one.
            channel=channel if is_channel(channel) else None,
            task=task if is_id(task) else None,
        )

    def subscribed(self, user: str, channel: str | None, task: str | None) -> None:
        """Somebody follows a channel, or one task."""
        self._write("subscribe", user=user, channel=channel, task=task)

    def commanded(self, user: str, command: str, channel: str, task: str) -> None:
        """A task was cancelled, paused, resumed or retried; the event has the command's name."""
        self._write(command, user=user, channel=channel, task=task)

    def removed(self, user: str, channel: str, task: str) -> None:
        """A finished task was removed for good."""
        self._write("remove", user=user, channel=channel, task=task)

    def published(self, user: str, record: str, record_id: str, channel: str) -> None:
        """A task was created, or a notification made; not what a task reports afterwards.

        Args:
            record: `task` or `notification`.
        """
        self._write("publish", user=user, record=record, id=record_id, channel=channel)

    def shared(
        self, user: str, share: str, *, channel: str | None, task: str | None, expires_at: float | None
    ) -> None:
        """A share link was made.

        Args:
            share: its public id, by which it is revoked; never what opens it.
            expires_at: Unix seconds.
        """
        self._write("share", user=user, share=share, channel=channel, task=task, expires_at=expires_at)

    def revoked(self, user: str, what: str, which: str) -> None:
        """Something does not count any more.

        Args:
            user: who revoked it.
            what: `token`, `user`, `key` or `share`.
            which: its id, a user's name for one; never what opens anything.
        """
        self._write("revoke", user=user, what=what, which=which)

    def _write(self, event: str, **fields: object) -> None:
        if not self._enabled or not audit_log.isEnabledFor(logging.INFO):
            return
        said = {name: value for name, value in fields.items() if value is not None and value != ""}
        # Where in the code this stands is of no interest, and looking it up costs more than all the rest.
        record = audit_log.makeRecord(audit_log.name, logging.INFO, "", 0, event, (), None)
        vars(record).update(said, audited=said)
        audit_log.handle(record)
