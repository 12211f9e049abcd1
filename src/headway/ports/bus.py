"""The bus: gives revisions and carries changes between processes.

Guarantees that every adapter gives, held by `tests/contract/test_bus.py`:

- Revisions of a channel strictly increase, across restarts too.
- No revision is given out before it is certain that it will never be given again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

__all__ = ["Bus", "Reserve"]

Reserve = Callable[[int], Awaitable[None]]
"""Makes durable that every revision below the argument may have been given out."""


class Bus(ABC):
    """Gives revisions. One per process."""

    @abstractmethod
    async def open(self, ceiling: int, reserve: Reserve) -> None:
        """Make ready.

        Args:
            ceiling: where revisions may begin.
            reserve: called before revisions beyond what was reserved are given out.
        """

    @abstractmethod
    async def stamp(self, channel: str, count: int) -> int:
        """Take `count` consecutive revisions of a channel; returns the first.

        Does not yield to the event loop while reserved revisions are left.

        Raises:
            StoreUnavailable: no more could be reserved; nothing was taken.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let go of everything. Idempotent."""
