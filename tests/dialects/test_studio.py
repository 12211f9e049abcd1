"""`studio`: one list of cards on every device."""

from __future__ import annotations

import pytest

from headway.dialects.studio import StudioTranslation, meta_of
from headway.errors import InvalidField
from headway.model.task import TaskState
from tests.dialects.lives import Life, at

SUBMITTED = {"id": 1712, "formData": {"prompt": " a red\nfox "}, "mode": "text", "startTime": 1700000000000}


def life() -> Life:
    title, meta = meta_of(SUBMITTED)
    return Life(StudioTranslation(), title=title, meta=meta)


def test_a_submission_becomes_a_card_everywhere_and_ends_once() -> None:
    run = life()
    (created,) = run.heard()
    assert created == ("task_created", {**SUBMITTED, "serverTaskId": "t"})
    assert run.change(TaskState.RUNNING, progress=at(1, message="tile 1")).heard() == [
        ("task_progress", {"id": 1712, "progress": 25.0, "message": "tile 1"})
    ]
    assert run.change(TaskState.SUCCEEDED, result={"images": ["a.png"]}).heard() == [
        ("task_completed", {"id": 1712, "result": {"images": ["a.png"]}})
    ]
    assert run.standing() == [("active_tasks", {"tasks": []})]


def test_what_comes_and_goes_between_two_batches_is_still_created_first() -> None:
    run = life().change(TaskState.RUNNING, progress=at(1)).change(TaskState.FAILED, error="no memory")
    assert run.heard() == [
        ("task_created", {**SUBMITTED, "serverTaskId": "t"}),
        ("task_failed", {"id": 1712, "error": "no memory"}),
    ]


def test_a_cancelled_task_has_failed() -> None:
    run = life()
    run.heard()
    (event,) = run.change(TaskState.CANCELLED).heard()
    assert event == ("task_failed", {"id": 1712, "error": "The task was cancelled"})


def test_who_connects_gets_what_has_not_finished() -> None:
    run = life().change(TaskState.RUNNING, progress=at(1))
    assert run.standing() == [("active_tasks", {"tasks": [{**SUBMITTED, "serverTaskId": "t"}]})]


def test_a_task_of_another_producer_is_a_card_too() -> None:
    run = Life(StudioTranslation(), title="Nightly", kind="batch")
    (event,) = run.heard()
    assert event.data == {
        "id": 7,
        "formData": {"prompt": "Nightly"},
        "mode": "batch",
        "startTime": 100,
        "serverTaskId": "t",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {**SUBMITTED, "formData": {}},
        {**SUBMITTED, "formData": {"prompt": " "}},
        {**SUBMITTED, "formData": {"prompt": 1}},
        {**SUBMITTED, "id": "1"},
        {**SUBMITTED, "id": True},
        {**SUBMITTED, "startTime": None},
        {**SUBMITTED, "mode": 3},
    ],
)
def test_a_submission_that_is_none_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        meta_of(wrong)


def test_a_submission_that_is_too_long_is_refused_in_its_own_words() -> None:
    with pytest.raises(InvalidField, match="A submission has at most 4096 bytes"):
        meta_of({**SUBMITTED, "formData": {"prompt": "x" * 4096}})
