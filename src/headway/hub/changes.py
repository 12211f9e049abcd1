"""What one request changes: collected while rules are applied, carried out by the ledger as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from headway.hub.outbox import Announced
from headway.ports.store import Document, LogEntry, Record

__all__ = ["Changes"]


class Changes:
    """What one request changed.

    Attributes:
        records: the newest versions, by channel and id.
        facts: ids whose change must be durable before it is shown and acknowledged.
        named: ids of all records that the answer speaks of, changed or not.
        keys: idempotency keys of new tasks, by id.
        logs: new lines of logs.
        removed: ids of tasks that are removed.
        unwritten: lines of their logs that were still to be written, should they stay after all.
        announced: what others outside are to hear of, as it was when it happened.
        documents, dropped: as in `Writes`.
        afterwards: called when these changes are durable, whether somebody still waits for that or not.
        settled: called when it is known what became of these changes, be it that they failed.
        stale: what these changes were built on could not be made durable.
    """

    __slots__ = (
        "afterwards",
        "announced",
        "documents",
        "dropped",
        "facts",
        "keys",
        "logs",
        "named",
        "records",
        "removed",
        "settled",
        "stale",
        "unwritten",
    )

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Record]] = {}
        self.facts: set[str] = set()
        self.named: set[str] = set()
        self.keys: dict[str, str] = {}
        self.logs: list[LogEntry] = []
        self.removed: set[str] = set()
        self.unwritten: list[LogEntry] = []
        self.announced: list[Announced] = []
        self.documents: list[Document] = []
        self.dropped: list[tuple[str, str]] = []
        self.afterwards: list[Callable[[], object]] = []
        self.settled: Callable[[object], object] | None = None
        self.stale = False

    def add(self, record: Record, fact: bool) -> None:
        self.records.setdefault(record.channel, {})[record.id] = record
        if fact:
            self.facts.add(record.id)

    def announce(self, fact: Announced) -> None:
        """Have others outside hear of this (`Outbox`)."""
        self.announced.append(fact)

    @property
    def weighs(self) -> bool:
        """Whether there is anything to write but log lines."""
        return bool(self.records or self.documents or self.dropped)

    def builds_on(self, ids: Iterable[str]) -> bool:
        """Whether any of these records was looked at or changed."""
        return any(which in self.named or any(which in own for own in self.records.values()) for which in ids)
