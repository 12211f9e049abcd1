"""`user-tasks`: the list of a user's tasks, and one update for each change."""

from __future__ import annotations

from headway.dialects.user_tasks import UserTasksTranslation
from headway.model.task import TaskState
from tests.dialects.lives import Life, at


def life(**fields: object) -> Life:
    return Life(UserTasksTranslation(), **{"channel": "user:42", "title": "Plan", **fields})


def test_each_change_is_one_update() -> None:
    run = life()
    seen = []
    for state, fields in (
        (None, {}),
        (TaskState.RUNNING, {"progress": at(0)}),
        (None, {"progress": at(1, message="m", step=(1, 3, "reading"))}),
        (None, {"seen_at": 8, "updated_at": 8}),
        (TaskState.SUCCEEDED, {"result": {"shapes": 3}}),
    ):
        if state or fields:
            run.change(state, **fields)
        seen += [
            (event.name, event.data["data"]["status"], event.data["data"]["progress"])
            for event in run.heard()
        ]
    assert seen == [
        ("task_update", "pending", 0),
        ("task_update", "started", 0),
        ("task_update", "processing", 25),
        ("task_update", "success", 100),
    ]


def test_the_fields_of_a_task() -> None:
    run = life(meta={"file": "a.svg"}).change(
        TaskState.RUNNING, progress=at(1, message="m", step=(1, 3, "reading"))
    )
    run.change(TaskState.FAILED, error="broken")
    (event,) = run.heard()
    assert event.data["task_id"] == "t"
    assert event.data["data"] == {
        "task_id": "t",
        "name": "Plan",
        "user_id": 42,
        "status": "failure",
        "stage": "reading",
        "progress": 25,
        "message": "m",
        "created_at": "1970-01-01T00:00:00.100Z",
        "updated_at": "1970-01-01T00:00:00.100Z",
        "started_at": "1970-01-01T00:00:01.000Z",
        "completed_at": "1970-01-01T00:00:03.000Z",
        "error_message": "broken",
        "results": None,
        "metadata": {"file": "a.svg"},
        "duration": 2.0,
    }


def test_a_retry_and_a_revocation_have_their_words() -> None:
    run = life().change(TaskState.QUEUED, attempt=2)
    assert run.heard()[-1].data["data"]["status"] == "retry"
    assert run.change(TaskState.CANCELLED).heard()[-1].data["data"]["status"] == "revoked"


def test_who_comes_gets_the_list() -> None:
    (event,) = life().standing()
    assert (event.name, event.data["message"], len(event.data["tasks"])) == ("user_tasks", "1 task", 1)
