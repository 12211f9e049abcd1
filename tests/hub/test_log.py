"""The compacted log: the newest version of each record, in the order of revisions, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headway.hub.log import Bounds, CompactedLog
from headway.model.notification import NotificationStatus
from headway.model.task import TaskState
from headway.ports.store import Record, Window
from tests.contract.store_records import make_note, make_task, make_tombstone

BOUNDS = Bounds(finished=2, notifications=2, age=10.0)
DONE = TaskState.SUCCEEDED
READ = NotificationStatus.READ


def make_log(*records: Record, floor: int = 0, head: int = 0) -> CompactedLog:
    return CompactedLog(Window(records, floor), BOUNDS, head)


def ids(log: CompactedLog) -> list[str]:
    return [version.record.id for version in log.all()]


def trim(log: CompactedLog, now: int = 1000, needed: str = "") -> list[str]:
    return [version.record.id for version in log.trim(now, lambda which: which in needed)]


@given(st.lists(st.sampled_from("abcdef"), max_size=40), st.integers(0, 45))
def test_since_is_every_record_that_changed_after_it_ascending_and_newest(
    changes: list[str], since: int
) -> None:
    log = make_log()
    for rev, which in enumerate(changes, 1):
        log.put(make_task(which, rev))
    newest = {which: rev for rev, which in enumerate(changes, 1)}
    expected = sorted(rev for rev in newest.values() if rev > since)
    assert [version.record.rev for version in log.since(since)] == expected
    assert log.head == len(changes)
    assert len(log) == len(newest)


def test_the_head_is_not_below_what_was_given() -> None:
    log = make_log(make_task("a", 3), head=9)
    assert log.head == 9
    log.put(make_task("a", 10))
    assert log.head == 10


def test_finished_tasks_beyond_the_bound_go_oldest_first_and_raise_the_floor() -> None:
    log = make_log(*(make_task(name, rev, DONE) for rev, name in enumerate("abcd", 1)))
    assert (log.crowded, trim(log), log.crowded) == (True, ["a", "b"], False)
    assert ids(log) == ["c", "d"]
    assert log.floor == 2


def test_unfinished_tasks_stay_however_many_and_however_old() -> None:
    log = make_log(*(make_task(name, rev) for rev, name in enumerate("abcd", 1)))
    assert not log.crowded
    assert trim(log, now=10**9) == []


def test_age_takes_finished_tasks_read_notifications_and_tombstones() -> None:
    log = make_log(
        make_task("t", 1, DONE),
        make_note("n", 2, READ),
        make_note("unread", 3),
        make_tombstone("x", 4),
        make_task("new", 5, DONE, updated_at=99_000),
    )
    assert trim(log, now=100_000) == ["t", "n", "x"]
    assert ids(log) == ["unread", "new"]
    assert log.floor == 4


def test_read_notifications_go_before_unread_ones_and_unread_ones_are_bounded_too() -> None:
    log = make_log(make_note("u1", 1), make_note("u2", 2), make_note("r", 3, READ), make_note("u3", 4))
    assert (log.crowded, trim(log), log.crowded) == (True, ["r", "u1"], False)
    assert ids(log) == ["u2", "u3"]
    assert log.floor == 3


def test_what_is_needed_stays() -> None:
    log = make_log(*(make_task(name, rev, DONE) for rev, name in enumerate("abcd", 1)), make_note("n", 9))
    assert trim(log, needed="a") == ["b", "c"]
    assert ids(log) == ["a", "d", "n"]


def test_a_task_that_is_retried_counts_as_finished_no_longer() -> None:
    log = make_log(*(make_task(name, rev, DONE) for rev, name in enumerate("abc", 1)))
    log.put(make_task("a", 4, TaskState.QUEUED))
    assert not log.crowded
    assert trim(log) == []
