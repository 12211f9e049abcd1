"""`voice`: the kind before the colon, the stages, and the end once."""

from __future__ import annotations

from headway.dialects.voice import VoiceTranslation
from headway.model.task import TaskState
from tests.dialects.lives import Life, at

IDS = {"projectId": "p1", "chapterId": "c2", "jobId": "t"}
RUNNING = TaskState.RUNNING


def life(**fields: object) -> Life:
    given: dict[str, object] = {"kind": "audio", "channel": "project:p1", "meta": {"chapterId": "c2"}}
    return Life(VoiceTranslation(), **{**given, **fields})


def test_an_audio_job() -> None:
    run = life()
    assert run.heard() == []
    run.change(RUNNING, updated_at=1500, progress=at(3, 10, 30.9, message="m", step=(2, 4, "synthesising")))
    assert run.heard() == [
        (
            "audio:progress",
            {
                **IDS,
                "progress": {
                    "percentage": 30,
                    "message": "m",
                    "currentStep": "synthesising",
                    "totalSteps": 4,
                },
                "timestamp": "1970-01-01T00:00:01.500Z",
            },
        )
    ]
    assert run.change(progress=at(10, 10)).heard() == []
    result = {"audioUrl": "/a.wav", "duration": 1.5, "fileSize": 99, "jobId": "forged"}
    progress, complete = run.change(TaskState.SUCCEEDED, result=result).heard()
    assert progress.data["progress"]["percentage"] == 100
    assert complete == (
        "audio:complete",
        {
            **IDS,
            "audioUrl": "/a.wav",
            "duration": 1.5,
            "fileSize": 99,
            "timestamp": "1970-01-01T00:00:03.000Z",
        },
    )
    assert run.change(updated_at=9).heard() == []


def test_a_failure_and_a_cancellation_have_failed() -> None:
    for state, error, said in (
        (TaskState.FAILED, "no voice", "no voice"),
        (TaskState.CANCELLED, None, "The job was cancelled"),
    ):
        run = life().change(RUNNING, progress=at(1))
        run.heard()
        (event,) = run.change(state, error=error).heard()
        assert (event.name, event.data["error"]) == ("audio:failed", said)


def test_parsing_has_no_chapter_and_any_kind_has_its_events() -> None:
    run = life(kind="parse", meta={"projectId": "p9"}).change(RUNNING, progress=at(1))
    (event,) = run.heard()
    assert event.name == "parse:progress"
    assert (event.data["projectId"], "chapterId" in event.data) == ("p9", False)
    assert run.change(TaskState.SUCCEEDED).names() == ["parse:progress", "parse:complete"]


def test_who_comes_gets_the_jobs_that_run() -> None:
    run = life()
    assert run.standing() == []
    run.change(RUNNING, progress=at(1))
    assert [event.name for event in run.standing()] == ["audio:progress"]
    run.change(TaskState.SUCCEEDED)
    assert run.standing() == []
