"""What falls due on a connection: heartbeats, and its end, which comes with its token's and a little later, or with its lifetime's.

Sans-I/O, like the session: the time goes in, what falls due comes out.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from headway.errors import LifetimeOver, TokenExpired

if TYPE_CHECKING:
    from headway.wire.session import SessionLimits

__all__ = ["Due", "Lease"]

_NEVER = float("inf")


class Due(Enum):
    """What falls due at a turn."""

    NOTHING = 0
    HEARTBEAT = 1
    EXPIRING = 2


class Lease:
    """One connection's time. All times are monotonic seconds."""

    __slots__ = ("_beat_at", "_expires_at", "_limits", "_over_at", "_warned")

    def __init__(self, limits: SessionLimits, lifetime: float | None, now: float) -> None:
        """It begins; there is no token yet.

        Args:
            limits: `heartbeat`, `expiring_before` and `grace` count.
            lifetime: seconds that it lasts at most, whatever tokens come; None for ever.
        """
        self._limits = limits
        self._over_at = _NEVER if lifetime is None else now + lifetime
        self._expires_at = _NEVER
        self._warned = False
        self._beat_at = now + limits.heartbeat

    def renew(self, lasts: float | None, now: float) -> None:
        """A token has come.

        Args:
            lasts: seconds until it expires; None when it does not.
        """
        self._expires_at = _NEVER if lasts is None else now + lasts
        self._warned = False

    def put_off(self, now: float) -> None:
        """There is no need for a heartbeat before a whole pause has gone by."""
        self._beat_at = now + self._limits.heartbeat

    def due(self, now: float) -> Due:
        """What is to be said now: that the token ends soon, once for each; or a heartbeat.

        Raises:
            TokenExpired: it has ended, and no other came.
            LifetimeOver: the connection has lasted long enough.
        """
        if now >= self._expires_at + self._limits.grace:
            raise TokenExpired
        if now >= self._over_at:
            raise LifetimeOver
        if not self._warned and now >= self._expires_at - self._limits.expiring_before:
            self._warned = True
            return Due.EXPIRING
        if now >= self._beat_at:
            self.put_off(now)
            return Due.HEARTBEAT
        return Due.NOTHING

    def next(self) -> float:
        """The moment at which something falls due; infinite when nothing does."""
        expiry = self._expires_at + (self._limits.grace if self._warned else -self._limits.expiring_before)
        return min(expiry, self._over_at, self._beat_at)

    def remaining(self, now: float) -> float:
        """Seconds until the token expires; 0 when it has, infinite when it does not."""
        return max(0.0, self._expires_at - now)
