"""When the next batch may leave: at once, then at most 20 a second; later and later while nobody answers. Pure.

It must not know a clock or chance: both come in as numbers.
"""

from __future__ import annotations

__all__ = ["FIRST_DELAY", "INTERVAL", "LONGEST_DELAY", "REFUSED_DELAY", "Pace"]

INTERVAL = 0.05
FIRST_DELAY = 0.2
LONGEST_DELAY = 15.0
REFUSED_DELAY = 60.0


class Pace:
    """Seconds until the next batch. `ready_at` is the moment from which one may leave."""

    def __init__(self) -> None:
        self.ready_at = 0.0
        self.failures = 0

    def sent(self, now: float) -> None:
        """A batch leaves."""
        self.ready_at = now + INTERVAL

    def succeeded(self) -> None:
        """It was answered."""
        self.failures = 0

    def failed(self, now: float, chance: float) -> None:
        """Nobody answered: exponential back-off with full jitter, so that a thousand workers do not come as one.

        Args:
            now: seconds.
            chance: a random number from 0 to 1.
        """
        ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(self.failures, 16))
        self.failures += 1
        self.ready_at = now + max(INTERVAL, chance * ceiling)

    def refused(self, now: float) -> None:
        """The token is not good: nothing changes until somebody changes it, so ask rarely."""
        self.failures += 1
        self.ready_at = now + REFUSED_DELAY

    def hurry(self) -> None:
        """Forget the delay: something changed (a setting, or somebody waits for the outcome)."""
        self.ready_at = 0.0
