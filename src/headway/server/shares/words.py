"""What the pages of share links say, in English and Chinese. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from headway.model.task import Task, TaskState

__all__ = ["WORDS", "Language", "Words", "language_of", "standing"]

Language = Literal["en", "zh"]


class Words(msgspec.Struct, frozen=True):
    """The words of one language."""

    states: dict[str, str]
    tasks: str
    running: str
    idle: str
    empty: str
    ended: str
    ended_more: str
    read_only: str


WORDS: dict[Language, Words] = {
    "en": Words(
        states={
            "queued": "queued", "running": "running", "paused": "paused", "succeeded": "done", "failed": "failed",
            "cancelled": "cancelled", "lost": "no contact",
        },
        tasks="Tasks",
        running="{} running",
        idle="idle",
        empty="There are no tasks.",
        ended="This link does not work any more",
        ended_more="It has ended, was taken back, or never was one. Ask whoever gave it to you for another.",
        read_only="Read only, by share link",
    ),
    "zh": Words(
        states={
            "queued": "排队中", "running": "进行中", "paused": "已暂停", "succeeded": "已完成", "failed": "失败",
            "cancelled": "已取消", "lost": "失去联系",
        },
        tasks="任务",
        running="{} 个进行中",
        idle="空闲",
        empty="没有任务。",
        ended="此链接已失效",
        ended_more="它已到期、被收回，或从未存在。请向分享者索取新的链接。",
        read_only="只读分享链接",
    ),
}  # fmt: skip


def language_of(accepted: str) -> Language:
    """The language for a browser's `Accept-Language`: the first of ours that it names."""
    for part in accepted.lower().split(","):
        tag = part.partition(";")[0].strip().partition("-")[0]
        if tag == "zh":
            return "zh"
        if tag == "en":
            return "en"
    return "en"


def standing(task: Task, words: Words) -> str:
    """Where a task stands, in a word or two."""
    percent = task.progress.percent
    if task.state is TaskState.RUNNING and percent is not None:
        return f"{int(percent)} %"
    if task.state in {TaskState.PAUSED, TaskState.LOST} and percent is not None:
        return f"{words.states[task.state.value]}, {int(percent)} %"
    return words.states[task.state.value]
