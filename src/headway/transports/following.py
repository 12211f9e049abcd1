"""A link that follows something: its place among the connections, and what it follows, end together."""

from __future__ import annotations

from abc import abstractmethod

from headway.errors import HeadwayError
from headway.hub.follower import Follower
from headway.hub.wanted import Wanted
from headway.model.grant import Grant
from headway.transports.members import Member
from headway.transports.service import Service

__all__ = ["Following"]


class Following(Member):
    """A member with a follower of its own, once it follows something."""

    __slots__ = ("_service", "follower")

    def __init__(self, service: Service) -> None:
        """Nothing is known of the client yet."""
        self._service = service
        self.grant = None
        self.follower: Follower | None = None

    @abstractmethod
    def goodbye(self, error: HeadwayError, reconnect_in: float) -> None:
        """End a connection that did nothing wrong; it is to come again.

        Args:
            reconnect_in: seconds.
        """

    @abstractmethod
    def renew(self, grant: Grant) -> None:
        """Go on with another token of the same user; what it does not cover ends."""

    def admit(self, grant: Grant) -> None:
        """Take a place among the connections.

        Raises:
            TooManyConnections: the user has enough.
        """
        self._service.admit(grant, self)

    async def follow(self, grant: Grant, *wants: Wanted) -> None:
        """Begin to follow, and wait until how all of it stands was answered; what comes later is delivered.

        Raises:
            HeadwayError: any of it was refused.
        """
        self.follower = follower = self._service.hub.follower(self, grant)
        refused: list[HeadwayError] = []
        for wanted in wants:
            follower.subscribe(wanted, refused.append)
        await follower.opened()
        if refused:
            raise refused[0]

    def finish(self) -> None:
        """It was answered, or the client has gone. Idempotent."""
        self._service.release(self)
        self.mute()

    def mute(self) -> None:
        if self.follower is not None:
            self.follower.leave()
            self.follower = None
