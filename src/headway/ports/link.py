"""A link: one client's delivery end. It has no read.

Guarantees that every adapter gives, held by `tests/contract/test_link.py`:

- What is delivered arrives in order, or the link ends.
- `deliver` never blocks, never raises, and returns whether the link will take more at once; after False the link
  says so to `Outlet.drained` when it can take more.
- After the link has ended, `deliver` does nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from headway.errors import HeadwayError

__all__ = ["Framing", "Link"]


class Framing(ABC):
    """How messages look on a link. Links with the same framing share encoded bytes, so each is made once."""

    __slots__ = ()

    @abstractmethod
    def frame(self, message: bytes) -> bytes:
        """The bytes that carry one JSON message."""


class Link(ABC):
    """One client's delivery end."""

    __slots__ = ()

    framing: Framing

    @property
    @abstractmethod
    def full(self) -> bool:
        """Whether more than the high-water mark waits to be sent."""

    @abstractmethod
    def deliver(self, data: bytes) -> bool:
        """Send framed bytes; returns False when the link is full now. The bytes are kept, never copied."""

    @abstractmethod
    def close(self, error: HeadwayError) -> None:
        """Tell the client why, then end the link. Idempotent."""
