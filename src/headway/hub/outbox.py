"""What others outside are to hear of: written together with the change itself, so that a kill of the server loses none.

The ledger asks what is to be written for what happened, and says when it is durable. Whoever delivers drops the documents
when they are delivered, and reads what is left after a restart.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from headway.model.notification import Notification
from headway.model.task import Task
from headway.ports.store import Document

__all__ = ["Announced", "Outbox"]

Announced = Task | Notification
"""A task whose attempt has just ended; or a notification that is new, or has become the message that its task is over."""


class Outbox(ABC):
    """Hears of facts that go onward. Both methods are called in the loop and must not wait."""

    @abstractmethod
    def prepare(self, facts: Sequence[Announced]) -> Sequence[Document]:
        """The documents that are to be written with these facts, each fact with its revision."""

    @abstractmethod
    def stored(self, documents: Sequence[Document]) -> None:
        """These are durable: they may be delivered. Not called for what could not be made durable."""
