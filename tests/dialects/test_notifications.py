"""`notifications`: new ones once, and single tasks to their end."""

from __future__ import annotations

from msgspec.structs import replace

from headway.dialects.notifications import InboxTranslation, TaskTranslation, kind_of, notification_body
from headway.model.notification import NotificationStatus, Severity
from headway.model.task import TaskState
from tests.contract.store_records import make_note
from tests.dialects.lives import Life, at

NOTE = make_note("n", title="Ready", content="42 rows", kind="analysis", link="/r/1", source="jobs")


class TestInbox:
    def test_a_new_one_is_told_once_and_its_reading_is_not(self) -> None:
        inbox = Life(InboxTranslation())
        inbox.put(NOTE)
        assert inbox.heard() == [
            (
                "notification",
                {
                    "id": "n",
                    "title": "Ready",
                    "type": "analysis",
                    "content": "42 rows",
                    "link": "/r/1",
                    "source": "jobs",
                    "created_at": "1970-01-01T00:00:00.100Z",
                    "status": "unread",
                },
            )
        ]
        assert inbox.put(replace(NOTE, status=NotificationStatus.READ)).heard() == []
        assert inbox.standing() == []

    def test_one_that_was_read_before_a_client_came_back_is_not_told(self) -> None:
        inbox = Life(InboxTranslation())
        inbox.put(NOTE).put(replace(NOTE, status=NotificationStatus.READ))
        assert inbox.heard() == []

    def test_kinds_that_the_contract_does_not_know(self) -> None:
        assert kind_of(make_note("n", kind="weather")) == "system"
        assert kind_of(make_note("n", kind="weather", severity=Severity.ERROR)) == "system"
        assert kind_of(make_note("n", kind="alert")) == "alert"

    def test_an_archived_one_counts_as_read(self) -> None:
        assert notification_body(make_note("n", status=NotificationStatus.ARCHIVED))["status"] == "read"


class TestTask:
    def test_progress_to_completion(self) -> None:
        run = Life(TaskTranslation())
        run.change(TaskState.RUNNING, progress=at(1, message="m", step=(2, 5, "s")))
        (progress,) = run.heard()
        assert progress.name == "progress"
        assert (
            progress.data | {"step": 2, "total_steps": 5, "progress": 25.0, "message": "m"} == progress.data
        )
        (end,) = run.change(TaskState.SUCCEEDED, result=[1]).heard()
        assert (end.name, end.data["progress"], end.data["result"]) == ("completed", 100.0, [1])
        assert run.change(updated_at=7).heard() == []

    def test_without_steps_the_amounts_count(self) -> None:
        run = Life(TaskTranslation()).change(TaskState.RUNNING, progress=at(3))
        (progress,) = run.heard()
        assert (progress.data["step"], progress.data["total_steps"]) == (3, 4)

    def test_a_failure_is_an_error(self) -> None:
        run = Life(TaskTranslation()).change(TaskState.FAILED, error="no data")
        assert [(event.name, event.data["error"]) for event in run.standing()] == [("error", "no data")]
