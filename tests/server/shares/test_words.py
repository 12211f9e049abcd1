"""What the pages of share links say, in both languages."""

from __future__ import annotations

import msgspec
import pytest

from headway.model.progress import START
from headway.model.task import Task, TaskState
from headway.server.shares.words import WORDS, language_of, standing


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"), ("*", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-GB,zh;q=0.5", "en"), ("de, zh-Hant;q=0.8", "zh"),
        ("de", "en"), ("ZH", "zh"), ("\0;;,,", "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_first_of_ours(accepted: str, language: str) -> None:
    assert language_of(accepted) == language


def test_both_languages_have_a_word_for_each_state() -> None:
    for words in WORDS.values():
        assert set(words.states) == {state.value for state in TaskState}
        assert all(words.states.values())
        assert "{}" in words.running


def test_where_a_task_stands() -> None:
    half = msgspec.structs.replace(START, percent=40.96)

    def said(state: TaskState, progress: object = half) -> str:
        return standing(Task("t", "user:ada", 1, "T", "", state, 1, progress, 0, 0), WORDS["en"])  # type: ignore[arg-type]

    assert said(TaskState.RUNNING) == "40 %"
    assert said(TaskState.RUNNING, START) == "running"
    assert said(TaskState.PAUSED) == "paused, 40 %"
    assert said(TaskState.SUCCEEDED) == "done"
    assert said(TaskState.FAILED) == "failed"
