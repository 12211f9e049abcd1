"""Projects and their chapters, as files. It knows nothing of progress."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from examples.voice.chapters import Chapter

__all__ = ["SAMPLE", "Library", "chapter_id", "project_of"]

SAMPLE = Path(__file__).with_name("sample.txt")
_PROJECT = re.compile(r"[A-Za-z0-9_-]{1,64}")


def chapter_id(project: str, number: int) -> str:
    """The id of a chapter, from 1: it says which project it belongs to."""
    return f"{project}.{number}"


def project_of(chapter: str) -> str:
    """The project of a chapter's id."""
    return chapter.rpartition(".")[0]


class Library:
    """The texts and chapters of all projects below a folder."""

    def __init__(self, data: Path) -> None:
        """Open it; folders are made when something is written."""
        self.audio = data / "audio"
        self._projects = data / "projects"

    def text(self, project: str) -> str:
        """What is to be read; the sample until somebody writes another text."""
        file = self._folder(project) / "text.txt"
        return (file if file.exists() else SAMPLE).read_text(encoding="utf-8")

    def write_text(self, project: str, text: str) -> None:
        """Take another text; its chapters are found by parsing it."""
        _write(self._folder(project) / "text.txt", text)

    def chapters(self, project: str) -> list[dict[str, Any]]:
        """`{id, title, text, audio?}` of each; none before the text was parsed."""
        try:
            found: list[dict[str, Any]] = json.loads(
                (self._folder(project) / "chapters.json").read_text("utf-8")
            )
        except FileNotFoundError:
            return []
        for chapter in found:
            audio = self._folder(project) / f"audio-{chapter['id']}.json"
            if audio.exists():
                chapter["audio"] = json.loads(audio.read_text("utf-8"))
        return found

    def write_chapters(self, project: str, chapters: list[Chapter]) -> None:
        """Put these in place of those there are; their audio goes with them."""
        for audio in self._folder(project).glob("audio-*.json"):
            audio.unlink()
        made = [
            {"id": chapter_id(project, number), **chapter._asdict()}
            for number, chapter in enumerate(chapters, 1)
        ]
        _write(self._folder(project) / "chapters.json", json.dumps(made, ensure_ascii=False))

    def chapter(self, chapter: str) -> dict[str, Any] | None:
        """A chapter by its id."""
        if not _PROJECT.fullmatch(project_of(chapter)):
            return None
        return next((found for found in self.chapters(project_of(chapter)) if found["id"] == chapter), None)

    def write_audio(self, chapter: str, audio: dict[str, Any]) -> None:
        """Say which audio a chapter has now."""
        _write(self._folder(project_of(chapter)) / f"audio-{chapter}.json", json.dumps(audio))

    def _folder(self, project: str) -> Path:
        if not _PROJECT.fullmatch(project):
            raise FileNotFoundError(project)
        return self._projects / project


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)
