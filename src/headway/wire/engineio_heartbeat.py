"""The heartbeat of Engine.IO v4: the server pings, the client pongs, and silence ends the session."""

from __future__ import annotations

from enum import Enum

from headway.wire.engineio_limits import EngineLimits

__all__ = ["Beat", "Heartbeat"]


class Beat(Enum):
    """What a turn finds."""

    NOTHING = 0
    PING = 1
    TIMEOUT = 2


class Heartbeat:
    """When one client is to be pinged and when it is given up (Engine.IO protocol v4 §Heartbeat)."""

    __slots__ = ("_extended", "awaiting", "due")

    def __init__(self, limits: EngineLimits, now: float) -> None:
        self.due = now + limits.ping_interval
        """When to ping; while a pong is awaited when to give up."""
        self.awaiting = False
        """Whether a ping has not been answered."""
        self._extended = False

    def pong(self, limits: EngineLimits, now: float) -> None:
        """A pong came; one that nobody awaited changes nothing."""
        if self.awaiting:
            self.awaiting = False
            self.due = now + limits.ping_interval

    def heard(self, limits: EngineLimits, now: float) -> None:
        """Something else came: a pong may be stuck behind what is large."""
        # Once for each ping, as the reference server has it: a client that only talks and never answers is not well.
        if self.awaiting and not self._extended:
            self._extended = True
            self.due = now + limits.ping_timeout

    def expired(self, now: float) -> bool:
        """Whether the client is to be given up."""
        return self.awaiting and now >= self.due

    def turn(self, limits: EngineLimits, now: float) -> Beat:
        """What falls due; `PING` is said once for each ping."""
        if now < self.due:
            return Beat.NOTHING
        if self.awaiting:
            return Beat.TIMEOUT
        # After a stall of the server the client gets its whole time; a timer's little lateness is not added up.
        begins = now if now - self.due > limits.ping_timeout / 4 else self.due
        self.due = begins + limits.ping_timeout
        self.awaiting, self._extended = True, False
        return Beat.PING
