"""A link that lasts: what falls due on it, and when what it follows to the end has ended."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Hashable

from headway.errors import HeadwayError
from headway.model.grant import Grant
from headway.transports.following import Following
from headway.transports.service import Service
from headway.transports.turning import Turning
from headway.wire.lease import Due, Lease
from headway.wire.session import SessionLimits

__all__ = ["Lasting"]


class Lasting(Following, Turning):
    """It ends with its token, with its lifetime, or with the tasks that it follows to their end."""

    __slots__ = ("_ended", "_lease", "_turn_at", "_until")

    def __init__(self, service: Service, limits: SessionLimits) -> None:
        """Nothing is known of the client yet.

        Args:
            limits: as for `Lease`.
        """
        super().__init__(service)
        self._ended = False
        self._lease = Lease(limits, service.lifetime(), service.now())
        self._turn_at = float("inf")
        self._until: tuple[str, ...] = ()
        """The tasks after whose last state it ends; none to go on."""

    @abstractmethod
    def done(self) -> None:
        """End, since there is nothing more to say; what was sent before still goes out."""

    @abstractmethod
    def pulse(self) -> None:
        """Send a heartbeat."""

    def expiring(self, seconds: float) -> None:
        """Tell that the token ends in so many seconds, where there is a word for it."""

    def admit(self, grant: Grant) -> None:
        super().admit(grant)
        self._lease.renew(self._service.lasts(grant), self._service.now())

    def begin(self) -> None:
        """What is followed was answered."""
        if not self._ended:
            self._plan()
            self._end_when_done()

    def finish(self) -> None:
        """The client has gone. Idempotent."""
        self._ended = True
        super().finish()

    def renew(self, grant: Grant) -> None:
        if self._ended:
            return
        service = self._service
        service.members.renew(grant, self)
        self._lease.renew(service.lasts(grant), service.now())
        if self.follower is not None:
            self.follower.renew(grant, self._refuse)
        self._plan()

    def delivered(self) -> None:
        """Something was delivered; a last state may have been among it."""
        if self._until:
            # Whoever delivers has not noted yet how far we are, nor perhaps that we follow.
            asyncio.get_running_loop().call_soon(self._end_when_done)

    def _end_when_done(self) -> None:
        follower = self.follower
        if (
            self._until
            and follower is not None
            and follower.caught_up
            and all(self._service.hub.finished(task) for task in self._until)
        ):
            self.done()

    def _refuse(self, subscription: Hashable, error: HeadwayError) -> None:  # noqa: ARG002 - it follows one thing
        """A new token does not cover what is followed."""
        self.end(error)

    def _next(self) -> float:
        return self._lease.next()

    def _due(self, now: float) -> None:
        due = self._lease.due(now)
        if due is Due.EXPIRING:
            self.expiring(round(self._lease.remaining(now), 1))
        elif due is Due.HEARTBEAT and not self.full:
            self.pulse()
            # What comes after a last state need not be worth a delivery.
            self._end_when_done()
