"""How long a connection may last: until its token ends, and a little longer for the next one to come; or its lifetime.

Sans-I/O, like the session: the time goes in, what falls due comes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headway.errors import LifetimeOver, TokenExpired

if TYPE_CHECKING:
    from headway.wire.session import SessionLimits

__all__ = ["Lease"]

_NEVER = float("inf")


class Lease:
    """One connection's time. All times are monotonic seconds."""

    __slots__ = ("_expires_at", "_limits", "_over_at", "_warned")

    def __init__(self, limits: SessionLimits, lifetime: float | None, now: float) -> None:
        """It begins; there is no token yet.

        Args:
            limits: `expiring_before` and `grace` count.
            lifetime: seconds that it lasts at most, whatever tokens come; None for ever.
        """
        self._limits = limits
        self._over_at = _NEVER if lifetime is None else now + lifetime
        self._expires_at = _NEVER
        self._warned = False

    def renew(self, lasts: float | None, now: float) -> None:
        """A token has come.

        Args:
            lasts: seconds until it expires; None when it does not.
        """
        self._expires_at = _NEVER if lasts is None else now + lasts
        self._warned = False

    def due(self, now: float) -> bool:
        """Whether the client is to be told now that its token ends soon; true once for each token.

        Raises:
            TokenExpired: it has ended, and no other came.
            LifetimeOver: the connection has lasted long enough.
        """
        if now >= self._expires_at + self._limits.grace:
            raise TokenExpired
        if now >= self._over_at:
            raise LifetimeOver
        if self._warned or now < self._expires_at - self._limits.expiring_before:
            return False
        self._warned = True
        return True

    def next(self) -> float:
        """The moment at which something falls due; infinite when nothing does."""
        expiry = self._expires_at + (self._limits.grace if self._warned else -self._limits.expiring_before)
        return min(expiry, self._over_at)

    def remaining(self, now: float) -> float:
        """Seconds until the token expires; 0 when it has, infinite when it does not."""
        return max(0.0, self._expires_at - now)
