"""When to try again, and when to give up. Pure: time and chance are arguments."""

from __future__ import annotations

import msgspec

__all__ = ["Backoff"]


class Backoff(msgspec.Struct, frozen=True):
    """Ever longer waits, so that a receiver that is down for a minute is told soon, and one that is down for hours still is.

    Attributes:
        first: seconds until the second attempt.
        factor: by which each wait is longer than the one before.
        longest: seconds of the longest wait.
        span: seconds from the beginning after which no more attempts are made.
    """

    first: float = 5.0
    factor: float = 3.0
    longest: float = 4 * 3600.0
    span: float = 86_400.0

    def next_try(
        self, began: int, attempts: int, now: int, chance: float, asked: float | None = None
    ) -> int | None:
        """When to try again after a failure, in Unix milliseconds; None to give up.

        Args:
            began: Unix milliseconds of when it was first due.
            attempts: how many were made, at least one.
            now: Unix milliseconds.
            chance: 0 to 1; spreads those that failed together over a fifth more than the wait.
            asked: seconds that the receiver asked us to wait (`Retry-After`); kept to, up to the longest wait.
        """
        wait = min(self.longest, self.first * self.factor ** min(attempts - 1, 60))
        if asked is not None:
            wait = max(wait, min(asked, self.longest))
        at = now + round(wait * (1 + chance / 5) * 1000)
        return at if at <= began + self.span * 1000 else None
