"""A link on which something falls due now and then: its turns, on the wheel that all links share."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from headway.errors import HeadwayError, LifetimeOver
from headway.ports.link import Link
from headway.transports.service import Service

__all__ = ["Turning"]

_LONGEST = 60.0
"""Seconds that a turn is planned ahead. None can be taken back, so a link that has ended is kept in memory until its turn."""


class Turning(Link):
    """It has one turn ahead of it, the soonest that it needs.

    Who inherits has the attributes in slots of its own; `_turn_at` begins infinite.
    """

    if not TYPE_CHECKING:
        # Two bases that both have slots could not be combined.
        __slots__ = ()

    _ended: bool
    _service: Service
    _turn_at: float

    @abstractmethod
    def goodbye(self, error: HeadwayError, reconnect_in: float) -> None:
        """End a connection that did nothing wrong; it is to come again.

        Args:
            reconnect_in: seconds.
        """

    @abstractmethod
    def _next(self) -> float:
        """The moment at which something falls due (monotonic seconds); infinite when nothing does."""

    @abstractmethod
    def _due(self, now: float) -> None:
        """Do what falls due.

        Raises:
            HeadwayError: the connection ends with it.
        """

    def _plan(self) -> None:
        """Ask for the next turn, unless one comes soon enough."""
        at = self._next()
        if at < self._turn_at:
            wait = min(max(0.0, at - self._service.now()), _LONGEST)
            self._turn_at = self._service.now() + wait
            self._service.hub.wheel.schedule(wait, self._turn)

    def _turn(self) -> None:
        now = self._service.now()
        # A turn that was planned before a sooner one was needed has nothing to do any more.
        if self._ended or now < self._turn_at:
            return
        try:
            self._due(now)
        except LifetimeOver as error:
            self.goodbye(error, 0.0)
        except HeadwayError as error:
            self.end(error)
        else:
            self._turn_at = float("inf")
            self._plan()
