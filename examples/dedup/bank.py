"""Where questions and results are kept: files in a folder for each user. It knows nothing of progress."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from examples.dedup.questions import Question, Reading, read_questions

__all__ = ["SAMPLE", "Bank", "Upload"]

SAMPLE = Path(__file__).with_name("sample.csv")
_MOST_UPLOADS = 50


class Upload(NamedTuple):
    """A file of questions that somebody has sent, counted from 1; 0 is the sample."""

    number: int
    name: str
    questions: int


class Bank:
    """The questions of one user, and what was found among them."""

    def __init__(self, data: Path, user: str) -> None:
        """Open it; the folder is made when something is written."""
        # A name may hold anything, so it is no name of a folder.
        self._folder = data / "users" / hashlib.sha256(user.encode()).hexdigest()[:24]

    def add(self, name: str, reading: Reading) -> Upload:
        """Take an upload in.

        Raises:
            ValueError: there are 50 already.
        """
        number = len(self.uploads()) + 1
        if number > _MOST_UPLOADS:
            raise ValueError(f"There are {_MOST_UPLOADS} files already")
        upload = Upload(number, name[:200], len(reading.questions))
        _write(self._folder / f"upload-{number}.json", {"upload": upload, "questions": reading.questions})
        return upload

    def uploads(self) -> list[Upload]:
        """All there are, oldest first."""
        files = sorted(self._folder.glob("upload-*.json"), key=_number)
        return [Upload(*json.loads(file.read_text())["upload"]) for file in files]

    def newest(self) -> int:
        """Number of the newest upload; 0 when there is none, so that the sample is what there is."""
        return max(map(_number, self._folder.glob("upload-*.json")), default=0)

    def questions(self, until: int, since: int = 0) -> tuple[list[Question], set[str]]:
        """The questions of the uploads up to one, and the ids of those that came after another.

        A question that was sent again counts as it was sent last. Without an upload it is the sample.
        """
        if until == 0:
            questions = read_questions(SAMPLE.read_bytes()).questions
            return questions, {question.id for question in questions}
        found: dict[str, Question] = {}
        new: set[str] = set()
        for number in range(1, until + 1):
            for row in json.loads((self._folder / f"upload-{number}.json").read_text())["questions"]:
                question = Question(*row)
                if number > since and not _same(found.get(question.id), question):
                    new.add(question.id)
                found[question.id] = question
        return list(found.values()), new

    def keep_results(self, task: str, results: dict[str, Any]) -> None:
        """Write what a task has found."""
        _write(self._folder / f"results-{task}.json", results)

    def results(self, task: str) -> dict[str, Any] | None:
        """What a task has found; None when it has not ended well."""
        try:
            found: dict[str, Any] = json.loads((self._folder / f"results-{task}.json").read_text())
        except FileNotFoundError:
            return None
        return found

    def forget(self, task: str) -> None:
        """Remove what a task has found. Idempotent."""
        (self._folder / f"results-{task}.json").unlink(missing_ok=True)


def _number(file: Path) -> int:
    return int(file.stem.rpartition("-")[2])


def _write(file: Path, value: Iterable[Any] | dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    unfinished.replace(file)


def _same(known: Question | None, question: Question) -> bool:
    return known is not None and known[:5] == question[:5]
