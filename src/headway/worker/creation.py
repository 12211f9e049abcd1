"""Turns what a job says about a new task into a report that a server takes. It must not know when it is sent."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any, Final

from msgspec.structs import replace

from headway.model.channel import NAME_BYTES
from headway.model.progress import UNIT_CHARS, Amount, StepPlan
from headway.model.report import KEY_CHARS, Create
from headway.model.task import KIND_CHARS, MAX_TAGS, MAX_WEIGHT, META_BYTES, TAG_CHARS, TITLE_CHARS
from headway.worker import delivery, values
from headway.worker.ambient import current
from headway.worker.handle import TaskHandle

__all__ = ["AMBIENT", "Ambient", "Parent", "Step", "describe", "parent_handle"]

Step = str | tuple[str, float] | StepPlan


class Ambient(Enum):
    """Stands for the task that the code works on, which may be none."""

    TASK = "the ambient task"


AMBIENT: Final = Ambient.TASK
Parent = TaskHandle | str | None | Ambient


def describe(
    title: str,
    *,
    total: Amount | None = None,
    unit: str | None = None,
    steps: Iterable[Step] | None = None,
    channel: str | None = None,
    kind: str = "",
    tags: Iterable[str] = (),
    meta: dict[str, Any] | None = None,
    parent: Parent = AMBIENT,
    weight: int = 1,
    id: str | None = None,  # noqa: A002 - its name in the wire contract
    lost_after: float | None = None,
    idempotency_key: str | None = None,
    notify: bool | str = False,
    start: bool = False,
) -> Create:
    """The report that creates a task; arguments are those of `headway.task`."""
    complaints: list[str] = []
    task = values.identifier(id, "id", complaints) or delivery.new_id()
    around = parent_handle(parent)
    if channel is None and around is not None:
        channel = around.channel
    silence = values.amount(lost_after, "lost_after", complaints)
    share = values.amount(weight, "weight", complaints)
    made = Create(
        task,
        values.text(title, TITLE_CHARS).strip() or "Task",
        kind=values.text(kind, KIND_CHARS),
        channel=None if channel is None else values.text(channel, NAME_BYTES),
        total=values.amount(total, "total", complaints),
        unit=None if unit is None else values.text(unit, UNIT_CHARS),
        tags=values.tags(tags, MAX_TAGS, TAG_CHARS, complaints),
        meta=values.json_object(meta, "meta", META_BYTES, complaints),
        weight=1 if share is None else min(max(round(share), 1), MAX_WEIGHT),
        steps=values.plan(steps, complaints),
        lost_after=None if silence is None else min(max(float(silence), 1.0), 86_400.0),
        idempotency_key=values.text(idempotency_key, KEY_CHARS) or None,
        start=start,
        notify=values.telling(notify, complaints),
    )
    if around is not None and parent is not None:
        made = replace(made, parent=around.id)
    elif isinstance(parent, str):
        made = replace(made, parent=values.identifier(parent, "parent", complaints))
    delivery.complain(task, complaints)
    return made


def parent_handle(parent: Parent) -> TaskHandle | None:
    """The handle that `parent` means, when it is one of this process."""
    if isinstance(parent, TaskHandle):
        return parent
    return current() if parent is AMBIENT else None
