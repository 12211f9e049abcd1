"""`dedup`: the order of a run, each event once, and the joiner's view."""

from __future__ import annotations

from headway.dialects.dedup import DedupTranslation
from headway.model.task import TaskState
from tests.dialects.lives import Life, at

RUNNING, DONE, FAILED = TaskState.RUNNING, TaskState.SUCCEEDED, TaskState.FAILED


def life() -> Life:
    return Life(
        DedupTranslation(), title="Check", kind="dedup", meta={"config": {"similarity_threshold": 0.8}}
    )


def test_a_run_in_its_order_with_the_last_progress_at_100() -> None:
    run = life()
    run.heard()
    run.change(RUNNING, progress=at(1, detail={"current_group": {"subject": "maths"}}, message="maths"))
    (first,) = run.heard()
    assert first == (
        "task_progress",
        {
            "task_id": 7,
            "status": "running",
            "processed_groups": 1,
            "total_groups": 4,
            "progress_percentage": 25.0,
            "current_group": {"subject": "maths"},
            "message": "maths",
        },
    )
    run.change(progress=at(4))
    assert run.heard() == []
    progress, completed = run.change(DONE, result={"total_questions": 9, "exact_duplicate_groups": 2}).heard()
    assert (progress.name, progress.data["progress_percentage"]) == ("task_progress", 100.0)
    assert (completed.name, completed.data["task_id"]) == ("task_completed", 7)
    body = completed.data["data"]
    assert body | {"id": 7, "status": "completed", "progress_percentage": 100.0, "total_questions": 9} == body
    assert set(body) == {
        "id", "task_name", "status", "total_groups", "processed_groups", "progress_percentage", "total_questions",
        "exact_duplicate_groups", "exact_duplicate_pairs", "similar_duplicate_pairs", "started_at", "completed_at",
        "error_message", "config", "analysis_type", "estimated_duration", "created_at", "updated_at",
    }  # fmt: skip
    assert run.change(updated_at=9).heard() == []


def test_a_client_that_is_behind_gets_the_newest_and_the_end_once() -> None:
    run = life()
    run.heard()
    run.change(RUNNING, progress=at(1)).change(progress=at(2)).change(DONE, progress=at(4))
    assert run.names() == ["task_progress", "task_completed"]


def test_that_it_starts_is_no_event_and_that_it_goes_on_is_one() -> None:
    run = life()
    run.heard()
    assert run.change(RUNNING, started_at=1500, updated_at=1500).heard() == []
    run.change(TaskState.PAUSED, updated_at=1600)
    run.change(RUNNING, started_at=1500, updated_at=1700)
    (event,) = run.heard()
    assert (event.name, event.data["status"], event.data["processed_groups"]) == (
        "task_progress",
        "running",
        0,
    )


def test_a_heartbeat_is_no_event() -> None:
    run = life().change(RUNNING, progress=at(1))
    run.heard()
    assert run.change(seen_at=5, updated_at=5).heard() == []


def test_pause_resume_and_cancel_are_progress() -> None:
    run = life().change(RUNNING, progress=at(2))
    run.heard()
    said = []
    for state in (TaskState.PAUSED, RUNNING, TaskState.CANCELLED):
        (event,) = run.change(state, stopping=state.terminal).heard()
        said.append((event.name, event.data["status"], event.data["progress_percentage"]))
    assert said == [
        ("task_progress", "paused", 50.0),
        ("task_progress", "running", 50.0),
        ("task_progress", "cancelled", 50.0),
    ]
    assert run.change(stopping=False).heard() == []


def test_a_failure_keeps_its_progress_and_says_why() -> None:
    run = life().change(RUNNING, progress=at(1))
    run.heard()
    assert run.change(FAILED, error="no such file").heard() == [
        ("task_error", {"task_id": 7, "error": "no such file"})
    ]
    status, end = run.standing()
    assert (status.data["status"], status.data["data"]["progress_percentage"]) == ("error", 25.0)
    assert end.name == "task_error"


def test_a_joiner_gets_the_status_and_a_late_one_the_end_too() -> None:
    run = life().change(RUNNING, progress=at(1))
    (status,) = run.standing()
    assert (status.name, status.data["status"], status.data["task_id"]) == ("task_status", "running", 7)
    run.change(DONE)
    assert [event.name for event in run.standing()] == ["task_status", "task_completed"]
