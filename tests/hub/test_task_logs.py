"""Logs: offsets without gaps, repeated reports that add nothing, and lines that a restart finds again."""

from __future__ import annotations

import pytest

from headway.errors import StoreUnavailable
from headway.hub.task_logs import TaskLogs
from headway.model.report import LOG_LINE_CHARS, Log, LogLine
from headway.ports.store import Writes
from headway.stores.memory import MemoryStore


@pytest.fixture
async def logs() -> TaskLogs:
    store = MemoryStore()
    await store.open()
    return TaskLogs(store)


def said(*texts: str, seq: int | None = None, source: str | None = "w", level: str = "info") -> Log:
    return Log(task="t", lines=tuple(LogLine(text, level=level) for text in texts), source=source, seq=seq)


async def test_offsets_follow_on(logs: TaskLogs) -> None:
    await logs.open("t")
    first = logs.append("t", said("a", "b", seq=0), 7)
    second = logs.append("t", said("c", seq=2), 8)
    assert [(entry.offset, entry.text, entry.at) for entry in first + second] == [
        (0, "a", 7),
        (1, "b", 7),
        (2, "c", 8),
    ]


async def test_lines_that_came_before_are_not_added_again(logs: TaskLogs) -> None:
    await logs.open("t")
    logs.append("t", said("a", "b", seq=0), 7)
    assert [entry.text for entry in logs.append("t", said("a", "b", "c", seq=0), 7)] == ["c"]
    assert [entry.text for entry in logs.append("t", said("x", seq=0, source="other"), 7)] == ["x"]


@pytest.mark.parametrize("report", [said("a"), said("a", seq=0, source=None)])
async def test_without_a_number_or_a_source_nothing_can_be_compared(logs: TaskLogs, report: Log) -> None:
    await logs.open("t")
    for _ in range(2):
        (entry,) = logs.append("t", report, 7)
        assert entry.seq is None
        assert entry.source is None


async def test_unknown_levels_are_info_and_long_lines_are_cut(logs: TaskLogs) -> None:
    await logs.open("t")
    (entry,) = logs.append("t", said("x" * (LOG_LINE_CHARS + 1), level="shout"), 7)
    assert entry.level == "info"
    assert len(entry.text) == LOG_LINE_CHARS


async def test_what_is_stored_is_known_when_a_log_is_opened() -> None:
    store = MemoryStore()
    await store.open()
    before = TaskLogs(store)
    await before.open("t")
    await store.write(Writes(logs=before.append("t", said("a", "b", seq=0), 7)))
    after = TaskLogs(store)
    await after.open("t")
    (entry,) = after.append("t", said("a", "b", "c", seq=0), 7)
    assert (entry.offset, entry.text) == (2, "c")


async def test_a_log_that_is_not_open_asks_for_another_try(logs: TaskLogs) -> None:
    await logs.open("t")
    logs.drop("t")
    with pytest.raises(StoreUnavailable):
        logs.append("t", said("a"), 7)
