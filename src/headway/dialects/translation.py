"""What a dialect is made of: how records look to the clients of a contract that is older than Headway.

A translation is pure and has no memory: one instance serves all clients, and what it makes of a change is shared by them.
That nothing is announced twice comes from the versions, which say since when what they say is true
(`headway.ports.link.Version`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from headway.model.task import Task
from headway.ports.link import Version

__all__ = ["Event", "Translation", "facts_of", "iso", "iso_or_none", "percent_of", "task_anew", "tasks_of"]


class Event(NamedTuple):
    """One message in a contract's words: its name (its `type`), and its payload as JSON has it."""

    name: str
    data: dict[str, Any]


class Translation(ABC):
    """How the records of one subscription become a contract's events."""

    __slots__ = ()

    @abstractmethod
    def standing(self, versions: Sequence[Version]) -> list[Event]:
        """How things stand, for somebody who has just come and knows nothing. Ascending revisions."""

    @abstractmethod
    def news(self, version: Version, since: int) -> list[Event]:
        """What there is to say of a record that changed, to those who know everything up to `since`."""

    def changed(self, versions: Iterable[Version], since: int) -> list[Event]:
        """What there is to say of several records."""
        return [event for version in versions for event in self.news(version, since)]


def tasks_of(versions: Iterable[Version]) -> list[Task]:
    """The tasks among the records."""
    return [version.record for version in versions if isinstance(version.record, Task)]


def task_anew(version: Version, since: int) -> Task | None:
    """The task, when there is something to say of it to those who know everything up to `since`; an end is said once."""
    task = version.record
    if not isinstance(task, Task) or version.said <= since:
        return None
    return None if task.state.terminal and version.ended <= since else task


def facts_of(task: Task) -> dict[str, Any]:
    """What a job said about its task beyond progress: `meta`, then `detail`, then `result`, the later ones first."""
    facts: dict[str, Any] = dict(task.meta or {})
    facts |= task.progress.detail or {}
    if isinstance(task.result, dict):
        facts |= task.result
    return facts


def percent_of(task: Task) -> float:
    """0 to 100 with two decimals; 100 exactly when it succeeded, since what is done is done."""
    if task.state == "succeeded":
        return 100.0
    return round(task.progress.percent or 0.0, 2)


def iso(milliseconds: int) -> str:
    """A time as text, in UTC (RFC 3339)."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(milliseconds: int | None) -> str | None:
    """The same for a time that may not have come yet."""
    return None if milliseconds is None else iso(milliseconds)
