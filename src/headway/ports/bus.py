"""The bus: gives revisions and carries changes between processes.

Guarantees that every adapter gives, held by `tests/contract/test_bus.py`:

- Revisions of a channel strictly increase, across restarts too.
- No revision is given out before it is certain that it will never be given again.
- Announcements of one process are heard in their order.
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
    async def announce(self, subject: str, text: str) -> None:
        """Tell every process, this one too, of something small and rare.

        This process has heard it when the call returns. One that is cut off misses it, so what must be known is in the
        store before.

        Raises:
            StoreUnavailable: the others may not have heard it.
        """

    @abstractmethod
    def listen(self, subject: str, heard: Callable[[str], object]) -> None:
        """Call `heard` with what is announced under a subject. It must not wait for anything."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of everything. Idempotent."""
