"""What others outside are to hear of: written together with the change itself, so that a kill of the server loses none.

The ledger asks what is owed for a change before it is written, and says when it is durable. Whoever delivers keeps its
place in the documents, drops them when they are delivered, and reads what is left after a restart.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from headway.model.notification import Notification
from headway.model.task import Task
from headway.ports.store import Document

__all__ = ["Outbox"]


class Outbox(ABC):
    """Owes something to somebody for what happens. Both methods are called in the loop and must not wait."""

    @abstractmethod
    def owed(self, happened: Task | Notification, now: int) -> Sequence[Document]:
        """The documents that are to be written with a change.

        Args:
            happened: a task that has just reached a terminal state, or a notification that is new or has just become
                the message that its task is over; with its revision.
            now: Unix milliseconds.
        """

    @abstractmethod
    def kept(self, documents: Sequence[Document]) -> None:
        """What was owed is durable: it may be delivered. Not called for what could not be made durable."""
