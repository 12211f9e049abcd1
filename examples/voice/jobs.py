"""The jobs, as the queue runs them. Headway's part of them is the lines with `task.`"""

from __future__ import annotations

import os
import secrets
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rq import get_current_job

import headway
from examples.voice.chapters import find_chapters, sentences, voice_for
from examples.voice.library import Library
from examples.voice.synthesiser import Synthesiser

__all__ = ["ATTEMPTS", "AUDIO_STEPS", "PARSE_STEPS", "generate", "parse", "produce", "working"]

ATTEMPTS = 3
AUDIO_STEPS = (("accepted", 10), ("started", 20), ("synthesising", 60), ("stored", 10))
"""Begun at 0, 10, 30 and 90 percent."""
PARSE_STEPS = (("accepted", 10), ("started", 20), ("parsing", 60), ("stored", 10))
_PAUSE_SECONDS = 0.3


class Stopped(Exception):
    """The job was cancelled."""


def generate(task_id: str, chapter: str) -> dict[str, Any]:
    """Read a chapter aloud: a job of the queue `tts`."""
    with working(task_id) as task:
        library = Library(Path(os.environ["EXAMPLE_DATA"]))
        audio = produce(task, chapter, library, _pace())
        task.result(audio)
    return audio


def parse(task_id: str, project: str) -> dict[str, Any]:
    """Find the chapters of a project's text: a job of the queue `parse`."""
    with working(task_id) as task:
        pace = _pace()
        _stage(task, "started", pace)
        library = Library(Path(os.environ["EXAMPLE_DATA"]))
        text = library.text(project)
        _stage(task, "parsing", pace, total=len(text.splitlines()), unit="lines")
        chapters = []
        for read, chapter in find_chapters(text):
            chapters.append(chapter)
            task.progress(read, message=chapter.title)
            headway.flush()
        if not chapters:
            raise ValueError("There is no text in this project")
        library.write_chapters(project, chapters)
        _stage(task, "stored", pace)
        found = {"chapters": len(chapters)}
        task.result(found)
    return found


def produce(task: headway.TaskHandle, chapter_id: str, library: Library, pace: float = 0.0) -> dict[str, Any]:
    """Read a chapter aloud, sentence by sentence.

    Args:
        pace: seconds that each stage and each sentence takes at least, so that people can watch.

    Returns:
        `{audioUrl, duration, fileSize}`; seconds and bytes. Whoever has the address may hear it, and nobody can guess one.

    Raises:
        headway.Cancelled: somebody cancelled it; no file is left.
    """
    _stage(task, "started", pace)
    chapter = library.chapter(chapter_id)
    if chapter is None:
        raise LookupError(f"There is no chapter {chapter_id}")
    spoken = sentences(chapter["text"])
    if not spoken:
        raise ValueError("There is nothing to read in this chapter")
    speaker = Synthesiser()
    _stage(task, "synthesising", pace, total=len(spoken), unit="sentences")
    library.audio.mkdir(parents=True, exist_ok=True)
    name = f"{secrets.token_urlsafe(16)}.wav"
    unfinished = library.audio / f"{name}.part"
    try:
        with wave.open(str(unfinished), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(speaker.rate)
            for number, sentence in enumerate(spoken, 1):
                began = time.monotonic()
                file.writeframes(speaker.speak(sentence, voice_for(sentence)))
                file.writeframes(bytes(2 * int(speaker.rate * _PAUSE_SECONDS)))
                time.sleep(max(0.0, pace - (time.monotonic() - began)))
                task.progress(number, message=f"Sentence {number} of {len(spoken)}")
            duration = file.getnframes() / speaker.rate
        unfinished.replace(library.audio / name)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    audio = {
        "audioUrl": f"/audio/{name}",
        "duration": round(duration, 3),
        "fileSize": (library.audio / name).stat().st_size,
    }
    library.write_audio(chapter_id, audio)
    headway.flush()
    _stage(task, "stored", pace)
    return audio


def _pace() -> float:
    return float(os.environ.get("EXAMPLE_PACE", "0.1"))


def _stage(task: headway.TaskHandle, name: str, pace: float, **parts: Any) -> None:
    """Begin a stage. One that is over sooner than people are told would be passed over: they are shown the newest state."""
    task.step(name, **parts)
    headway.flush()
    time.sleep(pace)


@contextmanager
def working(task_id: str) -> Iterator[headway.TaskHandle]:
    """The task of the job that the queue runs now: what fails is tried again, and only the last failure is one.

    Raises:
        Stopped: it was cancelled, so the queue must not try again.
    """
    job = get_current_job()
    left = (job.retries_left or 0) if job is not None else 0
    try:
        with headway.attach(task_id, attempt=ATTEMPTS - left) as task:
            try:
                yield task
            except Exception as error:
                if left:
                    task.retry(error)
                raise
    except headway.Cancelled:
        if job is not None:
            job.retries_left = 0
        raise Stopped("The job was cancelled") from None
    finally:
        # The queue ends this process without waiting for anything.
        headway.flush(30)
