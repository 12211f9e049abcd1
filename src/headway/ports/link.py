"""A link: one client's delivery end (it has no read), and the codec that says how records look on it.

Guarantees that every link gives, held by `tests/contract/test_link.py`:

- What is delivered arrives in order, or the link ends.
- `deliver` never blocks, never raises, and takes all or nothing. After it refused, the link calls `drained` of whoever
  feeds it as soon as it takes more.
- What a delivery leads to, the end of what is followed for one, comes after it: whoever delivers has not noted it yet.
- After the link has ended, `deliver` does nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import msgspec

from headway.errors import HeadwayError
from headway.model.cursor import Cursor
from headway.ports.store import LogEntry, Record

__all__ = ["Codec", "Link", "Version"]

_encode = msgspec.json.Encoder().encode


class Version:
    """One version of a record, encoded once, when somebody first wants it.

    Attributes:
        first: the revision with which the record appeared; 0 when it was there before this server started.
        said: the newest revision that says more than a sign of life (of a task), or than that it was read (of a
            notification).
        ended: the revision with which the task reached the terminal state that it is in; 0 when it is in none.
        unread: how many notifications of the channel are unread since this change; None when it concerns none.

    Who got everything up to a revision has been told what is not above it. So a codec that announces things, instead
    of showing states, announces each once.
    """

    __slots__ = ("_json", "ended", "first", "record", "said", "unread")

    def __init__(self, record: Record, first: int = 0, said: int | None = None, ended: int = 0) -> None:
        self.record = record
        self.first = first
        self.said = record.rev if said is None else said
        self.ended = ended
        self.unread: int | None = None
        self._json: bytes | None = None

    @property
    def json(self) -> bytes:
        """The record as JSON."""
        if self._json is None:
            self._json = _encode(self.record)
        return self._json


class Codec(ABC):
    """How messages look on a link. Links with an equal codec share encoded bytes, so each is made once.

    `name` is the client's own name for a subscription, in the form in which the codec wants it back.
    """

    __slots__ = ()

    @abstractmethod
    def snapshot(
        self,
        name: bytes,
        cursor: Cursor,
        reset: bool,
        versions: Sequence[Version],
        unread: int | None = None,
        since: int = 0,
    ) -> bytes:
        """The answer to a subscription: all records (`reset`), or those that changed. Ascending revisions.

        Args:
            unread: counts the channel's unread notifications; None where notifications are not followed.
            since: the revision up to which everything is known; 0 with `reset`.
        """

    @abstractmethod
    def changes(self, name: bytes, epoch: str, versions: Sequence[Version], since: int) -> bytes:
        """Records that changed, ascending revisions; each carries the cursor up to itself.

        Args:
            since: the revision up to which everything is known.

        Returns:
            nothing when all that is not worth saying.
        """

    @abstractmethod
    def log(
        self, name: bytes, task: str, offset: int, end: int, trimmed: int, entries: Sequence[LogEntry]
    ) -> bytes:
        """Lines of a task's log: `entries` begin at `offset`, `end` is where to go on."""


class Link(ABC):
    """One client's delivery end."""

    __slots__ = ()

    codec: Codec

    @property
    @abstractmethod
    def full(self) -> bool:
        """Whether more than the high-water mark waits to be sent."""

    @abstractmethod
    def deliver(self, data: bytes) -> bool:
        """Send encoded bytes; False, with nothing sent, while the link is full. The bytes are shared, not copied."""

    @property
    def way(self) -> Callable[[bytes], bool]:
        """`deliver`, or what does the same with less in between until `Follower.rerouted` says otherwise."""
        return self.deliver

    @abstractmethod
    def end(self, error: HeadwayError) -> None:
        """Tell the client why, then close. Idempotent."""
