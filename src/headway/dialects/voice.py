"""The dialect `voice`: the jobs of a user and of the projects that it subscribes to, over Socket.IO.

A job's task is in its project's channel (`project:<id>`) with the tag `by:<user>`, so that its owner hears of it without
subscribing and others of the project when they do; or, when it belongs to no project, in its owner's channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headway.dialects.translation import Event, Translation, iso, percent_of, task_anew, tasks_of
from headway.model.task import Task, TaskState
from headway.ports.link import Version

__all__ = ["VoiceTranslation", "owner_tag"]

_PROJECT = "project:"


class VoiceTranslation(Translation):
    """Jobs as `kind:progress`, `kind:complete` and `kind:failed`."""

    __slots__ = ()

    def standing(self, versions: Sequence[Version]) -> list[Event]:
        return [
            _progress(task)
            for task in tasks_of(versions)
            if not task.state.terminal and task.state is not TaskState.QUEUED
        ]

    def news(self, version: Version, since: int) -> list[Event]:
        task = task_anew(version, since)
        if task is None:
            return []
        if task.state.terminal:
            # The stage 100 may have come together with the end.
            done = [_progress(task)] if task.state is TaskState.SUCCEEDED else []
            return [*done, _end(task)]
        if task.state is TaskState.QUEUED or percent_of(task) >= 100:
            # That it waits is no event of the contract, and that all is done is said with the end, once.
            return []
        return [_progress(task)]


def owner_tag(user: str) -> str:
    """The tag of a user's own jobs."""
    return f"by:{user}"


def _ids(task: Task) -> dict[str, Any]:
    meta = task.meta or {}
    project = meta.get("projectId")
    if project is None and task.channel.startswith(_PROJECT):
        project = task.channel.removeprefix(_PROJECT)
    ids: dict[str, Any] = {"projectId": project}
    if "chapterId" in meta:
        ids["chapterId"] = meta["chapterId"]
    ids["jobId"] = task.id
    return ids


def _progress(task: Task) -> Event:
    progress: dict[str, Any] = {"percentage": int(percent_of(task))}
    if task.progress.message:
        progress["message"] = task.progress.message
    if task.progress.step is not None:
        progress["currentStep"] = task.progress.step.name
        progress["totalSteps"] = task.progress.step.of
    return Event(
        _name(task, "progress"), {**_ids(task), "progress": progress, "timestamp": iso(task.updated_at)}
    )


def _end(task: Task) -> Event:
    stamp = {"timestamp": iso(task.finished_at or task.updated_at)}
    if task.state is TaskState.SUCCEEDED:
        result = task.result if isinstance(task.result, dict) else {}
        return Event(_name(task, "complete"), {**result, **_ids(task), **stamp})
    error = "The job was cancelled" if task.state is TaskState.CANCELLED else "The job failed"
    return Event(_name(task, "failed"), {**_ids(task), "error": task.error or error, **stamp})


def _name(task: Task, what: str) -> str:
    return f"{task.kind or 'audio'}:{what}"
