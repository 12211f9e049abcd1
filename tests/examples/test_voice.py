"""The application `voice`: chapters, a real synthesiser, and a queue whose failures are failures."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Iterator
from typing import Any

import pytest
from examples.voice.chapters import find_chapters, sentences, voice_for
from examples.voice.library import SAMPLE
from examples.voice.synthesiser import Synthesiser

from tests.examples.running import Running, running, until
from tests.python_client import PythonClient


def titles(text: str) -> list[str]:
    return [chapter.title for _, chapter in find_chapters(text)]


def test_the_sample_has_four_chapters() -> None:
    assert titles(SAMPLE.read_text()) == [
        "The Lighthouse Keeper's Kettle",
        "The Boy Who Counted Waves",
        "第三章 灯塔上的茶",
        "Epilogue: What the Sea Remembers",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Before\nChapter 1: One\na\nCHAPTER II\nb", ["Before", "Chapter 1: One", "CHAPTER II"]),
        ("第1章 开始\n你好\n第二回\n再见", ["第1章 开始", "第二回"]),
        ("# Empty\n\n# Full\ntext", ["Full"]),
        ("One line only", ["One line only"]),
        (" \n\n", []),
        (
            "In chapter one of the book he goes home, and in the second one he comes back again, which takes long.",
            None,
        ),
    ],
)
def test_chapters_begin_with_their_headings(text: str, expected: list[str] | None) -> None:
    assert titles(text) == (expected if expected is not None else [text[:60]])


def test_a_text_without_headings_is_cut_where_a_paragraph_ends() -> None:
    paragraph = "A sentence of some length. " * 40 + "\n\n"
    chapters = [chapter for _, chapter in find_chapters(paragraph * 30)]
    assert len(chapters) == 3
    assert sum(chapter.text.count("sentence") for chapter in chapters) == 1200


def test_sentences_and_their_voices() -> None:
    text = '"Tea?" she said. 他说：“好。”然后走了！ *** Привет. ' + "a" * 900
    found = sentences(text)
    assert max(map(len, found)) == 400
    assert [voice_for(sentence) for sentence in found] == ["en", "en", "cmn", "cmn", "ru", "en", "en", "en"]


def test_the_synthesiser_speaks() -> None:
    speaker = Synthesiser()
    short, long = (
        speaker.speak(text, "en") for text in ("Tea.", "Nobody should wait in the dark without tea.")
    )
    assert 0.2 < len(short) / 2 / speaker.rate < len(long) / 2 / speaker.rate < 6
    assert speaker.speak("你好，世界。", "cmn") != speaker.speak("你好，世界。", "en")
    assert any(long)
    with pytest.raises(RuntimeError, match="nobody"):
        speaker.speak("Hello", "nobody")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("voice", tmp_path_factory.mktemp("voice"), EXAMPLE_PACE="0.02") as found:
        yield found


def submit(app: Running, path: str, token: str | None = None, **options: Any) -> dict[str, Any]:
    answer = app.ask("POST", path, token, **options)
    assert answer.status == 200, answer.body
    assert (answer.body["success"], answer.body["data"]["status"]) == (True, "queued")
    made: dict[str, Any] = answer.body["data"]
    return made


def parsed(app: Running, project: str) -> None:
    job = submit(app, f"/api/projects/{project}/parse", json={"useAI": True})["jobId"]
    assert app.over(job)["state"] == "succeeded"


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_chapter_is_told_stage_by_stage_and_can_be_heard(app: Running) -> None:
    heard: list[tuple[str, Any]] = []
    over = asyncio.Event()
    client = PythonClient()

    async def hear(name: str, data: Any, *_offset: str) -> None:
        heard.append((name, data))
        if name in ("audio:complete", "audio:failed"):
            over.set()

    client.on("*", hear)
    await client.connect(app.url)
    await client.emit("authenticate", {"userId": "demo-1", "token": app.tokens[0]})
    await asyncio.to_thread(parsed, app, "tales-of-demo-1")
    job = await asyncio.to_thread(submit, app, "/api/tts/chapters/tales-of-demo-1.2/generate")
    assert job["chapterId"] == "tales-of-demo-1.2"
    async with asyncio.timeout(60):
        await over.wait()
    await client.disconnect()

    assert heard[0] == ("authenticated", {"success": True})
    assert [name for name, _ in heard if name.startswith("parse:")][-1] == "parse:complete"
    about = {"projectId": "tales-of-demo-1", "chapterId": "tales-of-demo-1.2", "jobId": job["jobId"]}
    audio = [(name, data) for name, data in heard if name.startswith("audio:")]
    assert all({key: data[key] for key in about} == about for _, data in audio)
    progress = [data["progress"] for name, data in audio if name == "audio:progress"]
    shown = [step["percentage"] for step in progress]
    assert shown == sorted(shown)
    assert shown[-1] == 100
    steps = {step["currentStep"] for step in progress}
    assert "synthesising" in steps
    name, done = audio[-1]
    assert name == "audio:complete"
    answer = await asyncio.to_thread(app.ask, "GET", done["audioUrl"])
    assert len(answer.body) == done["fileSize"]
    with wave.open(io.BytesIO(answer.body)) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(done["duration"], abs=0.01)
    assert 10 < done["duration"] < 120


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_job_says_how_it_stands_to_its_owner(app: Running) -> None:
    parsed(app, "shared-tales")
    with app.held("examples.voice.worker"):
        job = submit(app, "/api/tts/chapters/shared-tales.4/generate")["jobId"]
        waits = app.ask("GET", f"/api/jobs/tts/{job}").body
        assert (waits["state"], waits["attemptsMade"], waits["progress"], waits["queueName"]) == (
            "waiting",
            0,
            0,
            "tts",
        )
    app.over(job)
    done = until(
        lambda: (found := app.ask("GET", f"/api/jobs/tts/{job}").body)["state"] == "completed" and found
    )
    assert sorted(done) == sorted(
        [
            "jobId",
            "queueName",
            "state",
            "progress",
            "failedReason",
            "attemptsMade",
            "data",
            "returnValue",
            "createdAt",
            "processedAt",
            "finishedAt",
        ]
    )
    assert (done["attemptsMade"], done["progress"], done["failedReason"]) == (1, 100, None)
    assert done["data"] == {"chapterId": "shared-tales.4"}
    assert done["returnValue"]["audioUrl"].endswith(".wav")
    assert done["createdAt"] <= done["processedAt"] <= done["finishedAt"]
    assert app.ask("GET", f"/api/jobs/audio/{job}").body == {**done, "queueName": "audio"}
    for path, token in (
        (f"tts/{job}", app.tokens[1]),
        (f"parse/{job}", None),
        (f"other/{job}", None),
        ("tts/nothing", None),
    ):
        assert app.ask("GET", f"/api/jobs/{path}", token).status == 404
    # Both may hear what belongs to the project of both.
    chapters = app.ask("GET", "/api/projects/shared-tales", app.tokens[1]).body["data"]["chapters"]
    assert chapters[3]["audio"] == done["returnValue"]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_failure_is_tried_three_times_and_then_is_one(app: Running) -> None:
    parsed(app, "tales-of-demo-1")
    with app.held("examples.voice.worker"):
        job = submit(app, "/api/tts/chapters/tales-of-demo-1.1/generate")["jobId"]
        (app.data / "projects/tales-of-demo-1/chapters.json").unlink()
    ended = app.over(job)
    assert (ended["state"], ended["attempt"]) == ("failed", 3)
    assert ended["error"] == "LookupError: There is no chapter tales-of-demo-1.1"
    assert [(past["attempt"], past["state"]) for past in ended["earlier"]] == [(1, "running"), (2, "running")]
    failed = until(
        lambda: (found := app.ask("GET", f"/api/jobs/tts/{job}").body)["state"] == "failed" and found
    )
    assert (failed["attemptsMade"], failed["returnValue"]) == (3, None)
    assert failed["failedReason"] == "LookupError: There is no chapter tales-of-demo-1.1"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_cancelling_ends_the_worker_leaves_no_file_and_is_not_tried_again(app: Running) -> None:
    app.ask("PUT", "/api/projects/tales-of-demo-1", json={"text": "# Long\n" + "This goes on. " * 5000})
    parsed(app, "tales-of-demo-1")
    job = submit(app, "/api/tts/chapters/tales-of-demo-1.1/generate")["jobId"]
    until(lambda: (app.task(job)["progress"].get("percent") or 0) > 30)
    assert app.ask("POST", f"/headway/api/tasks/{job}/cancel").status == 200
    failed = until(
        lambda: (found := app.ask("GET", f"/api/jobs/tts/{job}").body)["state"] == "failed" and found
    )
    assert "cancelled" in failed["failedReason"]
    assert app.task(job)["state"] == "cancelled"
    assert list((app.data / "audio").glob("*.part")) == []


@pytest.mark.slow
def test_another_s_projects_do_not_exist(app: Running) -> None:
    parsed(app, "tales-of-demo-1")
    _, theirs = app.tokens
    assert app.ask("GET", "/api/projects", theirs).body["data"]["projects"] == [
        "tales-of-demo-2",
        "shared-tales",
    ]
    for method, path in (
        ("POST", "/api/tts/chapters/tales-of-demo-1.1/generate"),
        ("POST", "/api/tts/chapters/nothing/generate"),
        ("POST", "/api/tts/chapters/..%2F..%2Fx.1/generate"),
        ("POST", "/api/projects/tales-of-demo-1/parse"),
        ("GET", "/api/projects/tales-of-demo-1"),
        ("GET", "/audio/nothing.wav"),
    ):
        answer = app.ask(method, path, theirs)
        assert (answer.status, answer.body["success"]) == (404, False), path
    # What is another's is refused in the words for what there is not.
    said = [
        app.ask("POST", f"/api/tts/chapters/{chapter}/generate", theirs).body["message"].replace(chapter, "X")
        for chapter in ("tales-of-demo-1.1", "tales-of-demo-1.99", "nothing.1")
    ]
    assert len(set(said)) == 1
    assert app.ask("GET", "/api/projects", "").status == 401
    assert app.ask("PUT", "/api/projects/shared-tales", json={"text": ""}).status == 400
