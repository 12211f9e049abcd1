"""What can be followed: what comes after a position, and what there is for who has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from headway.hub.log import Bounds, CompactedLog
from headway.hub.sources import ChannelSource, LogSource, TaskLog, TaskSource
from headway.model.task import Task, TaskState
from headway.ports.store import MOST_SOURCES, LogEntry, Record, Window
from tests.contract.store_records import make_line, make_task, make_tombstone
from tests.hub.world import CODEC

EPOCH = "e"
NAME = b'"s"'


def log_of(*records: Record, floor: int = 0, head: int = 0) -> CompactedLog:
    return CompactedLog(Window(records, floor), Bounds(), head)


def read(data: bytes) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in data.splitlines()]


def only(data: bytes) -> dict[str, Any]:
    (message,) = read(data)
    return message


class TestChannel:
    @pytest.mark.parametrize(
        ("position", "reset", "ids"),
        [
            (None, True, ["a", "b"]),
            (0, True, ["a", "b"]),
            (2, True, ["a", "b"]),
            (3, False, ["a", "b"]),
            (5, False, ["b"]),
            (8, False, []),
            (9, False, []),
            (10, True, ["a", "b"]),
        ],
    )
    def test_the_answer_is_what_changed_or_all_there_is(
        self, position: int | None, reset: bool, ids: list[str]
    ) -> None:
        source = ChannelSource(log_of(make_task("a", 5), make_task("b", 8), floor=3, head=9), EPOCH)
        answer = only(source.answer(position, CODEC, NAME))
        assert (answer["reset"], [task["id"] for task in answer["tasks"]]) == (reset, ids)
        assert answer["cursor"] == "e.9"

    def test_changes_say_where_each_leads(self) -> None:
        source = ChannelSource(log_of(make_task("a", 5), make_tombstone("b", 8), floor=3), EPOCH)
        first, second = read(source.changes(4, CODEC, NAME))
        assert (first["cursor"], first["task"]["id"]) == ("e.5", "a")
        assert (second["cursor"], second["removed"]) == ("e.8", "b")
        assert source.changes(8, CODEC, NAME) == b""

    def test_who_is_behind_what_has_gone_begins_anew(self) -> None:
        source = ChannelSource(log_of(make_task("a", 5), floor=3), EPOCH)
        answer = only(source.changes(2, CODEC, NAME))
        assert (answer["type"], answer["reset"]) == ("snapshot", True)

    def test_a_selection_holds_for_answers_and_changes(self) -> None:
        def chosen(record: Record) -> bool:
            return isinstance(record, Task) and record.kind == "b"

        source = ChannelSource(log_of(make_task("a", 1), make_task("b", 2, kind="b")), EPOCH, chosen)
        assert [task["id"] for task in only(source.answer(None, CODEC, NAME))["tasks"]] == ["b"]
        assert [change["task"]["id"] for change in read(source.changes(0, CODEC, NAME))] == ["b"]
        assert source.changes(2, CODEC, NAME) == b""


class TestTask:
    def test_the_answer_is_the_task_alone_and_nothing_when_it_did_not_change(self) -> None:
        source = TaskSource(log_of(make_task("a", 5), make_task("b", 8)), EPOCH, "a", None)
        assert [task["id"] for task in only(source.answer(None, CODEC, NAME))["tasks"]] == ["a"]
        again = only(source.answer(5, CODEC, NAME))
        assert (again["reset"], again["tasks"], again["cursor"]) == (False, [], "e.8")
        assert source.changes(5, CODEC, NAME) == b""

    def test_a_task_that_the_log_does_not_hold_is_shown_as_it_was_stored(self) -> None:
        log = log_of(make_task("b", 8), floor=3)
        stored = make_task("a", 3, TaskState.FAILED)
        source = TaskSource(log, EPOCH, "a", stored)
        assert only(source.answer(None, CODEC, NAME))["tasks"][0]["state"] == "failed"
        log.put(make_task("a", 9, TaskState.QUEUED))
        assert only(source.changes(8, CODEC, NAME))["task"]["state"] == "queued"

    def test_a_cursor_of_the_future_gets_it_anew(self) -> None:
        source = TaskSource(log_of(make_task("a", 5)), EPOCH, "a", None)
        answer = only(source.answer(99, CODEC, NAME))
        assert (answer["reset"], len(answer["tasks"])) == (True, 1)


@pytest.fixture
def bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TaskLog, "LINES", 3)
    monkeypatch.setattr(TaskLog, "CHARS", 20)


def lines(log: TaskLog, count: int, make: Callable[[int], LogEntry] | None = None) -> None:
    for _ in range(count):
        log.append((make or (lambda offset: make_line("t", offset, f"l{offset}")))(log.end))


@pytest.mark.usefixtures("bounded")
class TestLog:
    def test_lines_beyond_the_bound_go_and_offsets_stay(self) -> None:
        log = TaskLog(0, {})
        lines(log, 5)
        assert (log.start, log.end, [entry.text for entry in log.lines]) == (2, 5, ["l2", "l3", "l4"])

    def test_long_lines_are_bounded_by_their_characters(self) -> None:
        log = TaskLog(0, {})
        lines(log, 3, lambda offset: make_line("t", offset, "x" * 9))
        assert (log.start, len(log.lines)) == (1, 2)

    def test_of_very_many_sources_those_that_spoke_last_are_remembered(self) -> None:
        log = TaskLog(0, {"w": 6})
        for n in range(MOST_SOURCES):
            if n == 1:
                log.append(make_line("t", log.end, source="w", seq=7))
            log.append(make_line("t", log.end, source=f"s{n}", seq=0))
        assert (len(log.seen), log.seen["w"], "s0" in log.seen) == (MOST_SOURCES, 7, False)

    @pytest.mark.parametrize(("offset", "texts"), [(0, "234"), (2, "234"), (3, "34"), (5, ""), (9, "")])
    def test_since(self, offset: int, texts: str) -> None:
        log = TaskLog(0, {})
        lines(log, 5)
        assert [entry.text for entry in log.since(offset)] == [f"l{text}" for text in texts]

    def test_who_is_far_behind_is_told_how_much_was_left_out(self) -> None:
        log = TaskLog(0, {})
        lines(log, 5)
        message = only(LogSource("t", log).changes(0, CODEC, NAME))
        assert (message["offset"], message["next"], message["trimmed"]) == (2, 5, 2)
        assert LogSource("t", log).answer(None, CODEC, NAME) == b""
