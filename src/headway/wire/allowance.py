"""How much one client may say: a rate with a burst, and how long it may go on beyond that. Sans-I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headway.errors import Flooding, RateLimited

if TYPE_CHECKING:
    from headway.wire.session import SessionLimits

__all__ = ["Allowance"]

_MOST_REFUSED = 1000.0
_FAR_BEYOND = 20
"""A client whose messages are refused is warned each time, and closed when so many were refused beyond so many times
its rate: a page that got into a loop calms down by itself, an attack does not."""


class Allowance:
    """One client's. All times are monotonic seconds."""

    __slots__ = ("_allowance", "_allowed_at", "_limits", "_patience")

    def __init__(self, limits: SessionLimits, now: float) -> None:
        """Nothing was said yet.

        Args:
            limits: `message_rate` and `message_burst` count.
        """
        self._limits = limits
        self._allowance = limits.message_burst
        self._allowed_at = now
        self._patience = _MOST_REFUSED

    def count(self, now: float) -> None:
        """The client said something, whatever it was.

        Raises:
            RateLimited: it says too much; this is not to be heard.
            Flooding: and it goes on, far beyond what is allowed.
        """
        limits = self._limits
        earned = (now - self._allowed_at) * limits.message_rate
        allowance = min(limits.message_burst, self._allowance + earned)
        self._allowed_at = now
        if self._patience < _MOST_REFUSED:
            self._patience = min(_MOST_REFUSED, self._patience + earned * _FAR_BEYOND)
        if allowance < 1:
            self._allowance = allowance
            self._patience -= 1
            if self._patience < 0:
                raise Flooding
            raise RateLimited(rate=limits.message_rate)
        self._allowance = allowance - 1
