"""What is told of a task: how its end reads, where it leads, and that it fits into a notification."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from headway.errors import InvalidField
from headway.model.notification import NotificationStatus, Severity, check_notification
from headway.model.progress import START
from headway.model.task import TITLE_CHARS, Task, TaskState, Telling
from headway.model.telling import as_telling, begin, conclude, telling_id

INBOX = "user:ada"


def ended(state: TaskState = TaskState.SUCCEEDED, **fields: Any) -> Task:
    made: dict[str, Any] = {"title": "Import", "created_at": 1, "updated_at": 2, **fields}
    return Task(id="t", channel="project:p", rev=3, kind="", state=state, attempt=2, progress=START, **made)


def content(task: Task) -> str:
    return conclude(task, None, INBOX, "n", 9).content


@pytest.mark.parametrize(
    ("value", "telling"),
    [
        (None, None),
        (False, None),
        (True, Telling.ALWAYS),
        ("always", Telling.ALWAYS),
        ("unwatched", Telling.UNWATCHED),
        ("ongoing", Telling.ONGOING),
    ],
)
def test_what_notify_says(value: object, telling: Telling | None) -> None:
    assert as_telling(value) is telling


@pytest.mark.parametrize("value", ["", "Always", "true", 1, 0, 1.0, [], {}])
def test_what_it_cannot_say(value: object) -> None:
    with pytest.raises(InvalidField):
        as_telling(value)


def test_one_id_for_each_task_and_inbox() -> None:
    ids = {telling_id(task, channel) for task in ("t", "T") for channel in (INBOX, "user:bob")}
    assert len(ids) == 4
    assert telling_id("t", INBOX) == telling_id("t", INBOX)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (90000, "25 h 0 min"),
    ],
)
def test_how_long_it_took(seconds: int, said: str) -> None:
    assert content(ended(started_at=1000, finished_at=1000 + seconds * 1000)) == f"Done after {said}"


def test_a_clock_that_went_back_took_no_time() -> None:
    assert content(ended(started_at=9000, finished_at=1000)) == "Done after 0 s"


def test_how_it_failed() -> None:
    assert content(ended(TaskState.FAILED, error="No space")) == "Failed: No space"
    assert content(ended(TaskState.FAILED)) == "Failed"


def test_how_far_it_was_when_it_was_cancelled() -> None:
    assert content(ended(TaskState.CANCELLED)) == "Cancelled"
    assert (
        content(replace(ended(TaskState.CANCELLED), progress=replace(START, percent=41.6)))
        == "Cancelled at 42 %"
    )


def test_it_leads_to_what_was_made() -> None:
    def link(result: Any, meta: Any = None) -> str | None:
        return conclude(ended(result=result, meta=meta), None, INBOX, "n", 9).link

    assert link({"link": "/r/1"}, {"link": "/m"}) == "/r/1"
    assert link(7, {"link": "https://example.org/m"}) == "https://example.org/m"
    assert link({"link": "javascript:alert(1)"}, {"link": "/m"}) == "/m"
    assert link({"link": 7}) is None
    assert link(["link"], None) is None


def test_the_one_that_follows_becomes_the_message() -> None:
    following = begin(ended(TaskState.RUNNING), INBOX, "n", 5)
    assert (following.ongoing, following.task, following.status) == (True, "t", NotificationStatus.UNREAD)
    read = replace(following, status=NotificationStatus.READ, rev=7)
    message = conclude(ended(), read, INBOX, "other", 9)
    assert (message.id, message.ongoing, message.status) == ("n", False, NotificationStatus.UNREAD)
    assert (message.created_at, message.severity, message.kind) == (9, Severity.SUCCESS, "task.succeeded")
    assert message.data == {"state": "succeeded", "attempt": 2}


@given(
    st.sampled_from([TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED]),
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=TITLE_CHARS
    ),
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5000),
    st.recursive(st.none() | st.text(max_size=3), lambda inner: st.dictionaries(st.just("link"), inner)),
)
def test_it_is_always_a_notification(state: TaskState, title: str, error: str | None, result: Any) -> None:
    task = ended(state, title=f"x{title}"[:TITLE_CHARS], error=error, result=result)
    check_notification(begin(task, INBOX, "n", 1))
    check_notification(conclude(task, None, INBOX, "n", 1))
