"""What a follower knows of a task, and the words for it."""

from __future__ import annotations

from typing import Any

import pytest

from headway.cli.view import View, amount, clean, duration


def record(**fields: Any) -> dict[str, Any]:
    task = {
        "id": "t", "channel": "user:ada", "rev": 1, "title": "T", "kind": "", "state": "running", "attempt": 1,
        "progress": {"done": 0, "total": 10, "percent": 0.0, "message": ""}, "created_at": 0, "updated_at": 1000,
    }  # fmt: skip
    return {**task, **fields}


def snapshot(cursor: str, *tasks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "snapshot", "id": 1, "cursor": cursor, "reset": True, "tasks": list(tasks), "notifications": [], "removed": []}  # fmt: skip


def test_asks_for_what_it_lacks() -> None:
    view = View("t", log=True)
    assert view.wanted() == {"type": "subscribe", "id": 1, "task": "t", "log": 0}
    view.take(snapshot("e.1", record()), 0)
    view.take({"type": "log", "id": 1, "task": "t", "offset": 0, "next": 7, "entries": []}, 0)
    view.take({"type": "change", "id": 1, "cursor": "e.2", "task": record(state="paused")}, 0)
    assert view.wanted() == {"type": "subscribe", "id": 1, "task": "t", "cursor": "e.2", "log": 7}
    assert view.task is not None
    assert view.task.state == "paused"


def test_an_answer_without_news_leaves_the_task() -> None:
    view = View("t", log=False)
    view.take(snapshot("e.1", record()), 0)
    view.take(snapshot("e.1"), 0)
    assert view.task is not None


def test_says_what_of_the_log_is_left_out() -> None:
    view = View("t", log=True)
    line = {"at": 1, "level": "info", "text": "x"}
    message = {"type": "log", "id": 1, "task": "t", "offset": 5, "next": 6, "trimmed": 5, "entries": [line]}
    assert [entry["text"] for entry in view.take(message, 0)] == ["(5 earlier lines are left out)", "x"]


def test_removal_is_known() -> None:
    view = View("t", log=False)
    view.take({"type": "change", "id": 1, "cursor": "e.3", "removed": "t"}, 0)
    assert view.removed


def test_counts_down_by_the_clock_of_the_server() -> None:
    view = View("t", log=False)
    view.take({"type": "welcome", "now": 51_000, "channels": []}, 1_000)
    progress = {"done": 1, "total": 10, "percent": 10.0, "message": "", "eta": 30.0}
    view.take(snapshot("e.1", record(progress=progress, updated_at=50_000)), 1_000)
    assert view.remaining(2_000) == 28.0
    assert view.remaining(100_000) == 0.0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "running"),
        ({"attempt": 2}, "attempt 2, running"),
        ({"state": "succeeded", "started_at": 0, "finished_at": 62_000}, "succeeded after 1:02"),
        ({"state": "failed", "error": "no\n\x1b[2Jroom"}, "failed at 0 %: no  [2Jroom"),
        ({"state": "cancelled", "stopping": True}, "cancelled at 0 %"),
    ],
)
def test_says_how_it_stands(fields: dict[str, Any], words: str) -> None:
    view = View("t", log=False)
    view.take(snapshot("e.1", record(**fields)), 0)
    assert view.ending() == words


def test_nothing_that_a_job_says_commands_the_terminal() -> None:
    assert clean("a\x1b]0;x\x07b\u202ec\r\nd\N{SNOWMAN}é") == "a ]0;x b c  d\N{SNOWMAN}é"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (61, "1:01"), (3600, "1:00:00")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(7, "7"), (0.254, "0.25"), (12.46, "12.5"), (1204.4, "1,204"), (3.0, "3")]
)
def test_amounts(value: float, text: str) -> None:
    assert amount(value) == text
