"""The compacted log: the newest version of each record, in the order of revisions, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from headway.hub.log import Bounds, CompactedLog
from headway.model.notification import Notification, NotificationStatus
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


class TestWhatIsNew:
    """What a codec that announces needs: `first`, `said` and `ended` of a version."""

    def test_what_was_there_before_is_not_new(self) -> None:
        log = make_log(make_task("t", 3, TaskState.FAILED), make_task("r", 4))
        assert marks(log, "t") == (0, 3, 3)
        assert marks(log, "r") == (0, 4, 0)

    def test_a_sign_of_life_says_nothing(self) -> None:
        log = make_log()
        begun = make_task("t", 5)
        log.put(begun)
        log.put(replace(begun, rev=6, seen_at=1, updated_at=1))
        assert marks(log, "t") == (5, 5, 0)
        log.put(replace(begun, rev=7, progress=replace(begun.progress, message="on")))
        assert marks(log, "t") == (5, 7, 0)

    def test_an_end_is_one_until_the_next_attempt(self) -> None:
        log = make_log()
        begun = make_task("t", 1)
        log.put(begun)
        ended = replace(begun, rev=2, state=TaskState.CANCELLED, stopping=True)
        log.put(ended)
        log.put(replace(ended, rev=3, stopping=False))
        assert marks(log, "t") == (1, 3, 2)
        log.put(replace(begun, rev=4, state=TaskState.QUEUED, attempt=2))
        assert marks(log, "t") == (1, 4, 0)
        log.put(replace(begun, rev=5, state=TaskState.FAILED, attempt=2))
        assert marks(log, "t") == (1, 5, 5)

    def test_reading_a_notification_is_no_news(self) -> None:
        log = make_log()
        note = make_note("n", 1)
        log.put(note)
        log.put(replace(note, rev=2, status=NotificationStatus.READ))
        assert marks(log, "n") == (1, 1, 0)
        log.put(replace(note, rev=3, title="Done"))
        assert marks(log, "n") == (1, 3, 0)


def marks(log: CompactedLog, record_id: str) -> tuple[int, int, int]:
    version = log.get(record_id)
    assert version is not None
    return version.first, version.said, version.ended


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from([*NotificationStatus, "gone", "trim", "task"])),
        max_size=40,
    )
)
def test_unread_counts_what_is_at_hand_and_what_is_not(changes: list[tuple[str, str]]) -> None:
    log = make_log()
    unread: set[str] = set()
    for rev, (which, what) in enumerate(changes, 1):
        if what == "trim":
            trim(log)
        elif what == "task":
            log.put(make_task(f"t-{which}", rev))
            assert log.all()[-1].unread is None
        elif what == "gone":
            before = log.get(which)
            known = which in unread or (before is not None and isinstance(before.record, Notification))
            log.put(make_tombstone(which, rev))
            unread.discard(which)
            assert log.all()[-1].unread == (len(unread) if known else None)
        else:
            log.put(make_note(which, rev, NotificationStatus(what)))
            (unread.add if what == "unread" else unread.discard)(which)
            assert log.all()[-1].unread == len(unread)
        assert log.unread == len(unread)


def test_unread_begins_with_what_the_window_left_out() -> None:
    log = CompactedLog(Window((make_note("a", 9),), 8, ("b", "c")), BOUNDS, 9)
    assert log.unread == 3
    log.put(make_note("b", 10, READ))
    assert log.unread == 2


def test_the_removal_of_a_task_says_nothing_of_notifications() -> None:
    log = make_log(make_task("t", 1), make_note("n", 2))
    log.put(make_tombstone("t", 3))
    assert log.all()[-1].unread is None
    log.put(make_tombstone("n", 4))
    assert log.all()[-1].unread == 0
