"""The functions that a job calls: begin a task, attach to one, report on the one that the code works on, notify.

It must not know how reports travel, nor how loops are wrapped.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar, cast

from headway.model.notification import CONTENT_CHARS, SOURCE_CHARS, Severity, keyed_id
from headway.model.progress import Amount
from headway.model.report import KEY_CHARS, Notify
from headway.model.task import TITLE_CHARS
from headway.worker import delivery, values
from headway.worker.ambient import current
from headway.worker.creation import AMBIENT, Parent, Step, describe, parent_handle
from headway.worker.handle import TaskHandle

__all__ = ["attach", "create", "current", "log", "notify", "progress", "step", "task", "tracked"]

P = ParamSpec("P")
T = TypeVar("T")


def task(
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
    attempt: int | None = None,
    lost_after: float | None = None,
    idempotency_key: str | None = None,
    notify: bool | str = False,
) -> TaskHandle:
    """A task that runs while the block of its `with` (or `async with`) runs.

    Args:
        title: for people, at most 300 characters.
        total: amount of `unit`s in the whole task, when it has no steps.
        unit: what is counted (`files`, `B`).
        steps: the plan: names, or `(name, weight)` pairs.
        channel: where it lives; the parent's, or the token's user's channel when None.
        kind: what it is (`import`, `render`), for filters and forecasts.
        tags: free labels.
        meta: a small JSON object, at most 4096 bytes.
        parent: the task that this one is a part of; the one that the code works on when left out, None for none.
        weight: its share of its parent.
        id: its id; a fresh one when None. A queue's own job id makes a repeated run the same task.
        attempt: which attempt at it this is, counting from 1; a later one is begun by a retry.
        lost_after: seconds of silence until it counts as lost.
        idempotency_key: makes creating it twice harmless when the id is fresh each time.
        notify: whether the user (or project) it belongs to gets a notification when it is over; `"unwatched"` only
            when the user does not watch at that moment, `"ongoing"` at once, and it becomes the message that it is over.
    """
    made = describe(
        title,
        total=total,
        unit=unit,
        steps=steps,
        channel=channel,
        kind=kind,
        tags=tags,
        meta=meta,
        parent=parent,
        weight=weight,
        id=id,
        lost_after=lost_after,
        idempotency_key=idempotency_key,
        notify=notify,
        start=attempt is None or attempt <= 1,
    )
    return TaskHandle(made.task, made, attempt, parent_handle(parent) or current())


def create(title: str, **options: Any) -> str:
    """Create a task that another worker will `attach` to; it waits as `queued`.

    Args:
        title: for people.
        options: those of `task`, `attempt` excepted.

    Returns:
        its id.
    """
    made = describe(title, **options)
    if delivery.enabled():
        delivery.courier().report(made)
    return made.task


def attach(task_id: str, *, attempt: int | None = None) -> TaskHandle:
    """Work on a task that was created elsewhere, while the block of its `with` runs.

    Args:
        task_id: its id.
        attempt: which attempt at it this is, counting from 1; a later one is begun by a retry, and reports of an
            earlier one that still runs somewhere are ignored.
    """
    complaints: list[str] = []
    known = values.identifier(task_id, "id", complaints)
    handle = TaskHandle(known or delivery.new_id(), None, attempt, current())
    if known is None:
        complaints.append("there is no id to attach to, so nothing is reported")
        handle.ended = True
    delivery.complain(handle.id, complaints)
    return handle


def progress(
    done: Amount | None = None,
    total: Amount | None = None,
    message: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Report on the task that the code works on; does nothing outside one. See `TaskHandle.progress`.

    Raises:
        Cancelled: the task was cancelled.
    """
    handle = current()
    if handle is not None:
        handle.progress(done, total, message, detail)


def step(
    name: str, *, weight: float | None = None, total: Amount | None = None, unit: str | None = None
) -> None:
    """Begin a step of the task that the code works on; does nothing outside one. See `TaskHandle.step`.

    Raises:
        Cancelled: the task was cancelled.
    """
    handle = current()
    if handle is not None:
        handle.step(name, weight=weight, total=total, unit=unit)


def log(text: str, level: str = "info") -> None:
    """Add to the log of the task that the code works on; does nothing outside one. See `TaskHandle.log`.

    Raises:
        Cancelled: the task was cancelled.
    """
    handle = current()
    if handle is not None:
        handle.log(text, level)


def notify(
    user: str | None,
    title: str,
    content: str = "",
    *,
    channel: str | None = None,
    link: str | None = None,
    severity: str = "info",
    kind: str = "",
    source: str | None = None,
    task: str | None = None,
    data: dict[str, Any] | None = None,
    id: str | None = None,  # noqa: A002 - its name in the wire contract
    idempotency_key: str | None = None,
) -> str:
    """Put a notification into somebody's inbox.

    Args:
        user: whose; None with a `channel`.
        title: at most 300 characters.
        content: at most 4000 characters.
        channel: of a project, say, instead of a user.
        link: http, https or a path.
        severity: `info`, `success`, `warning` or `error`.
        kind: what it is about, a word of your own.
        source: who says it.
        task: the task that it is about; the one that the code works on when None.
        data: a small JSON object.
        id: a fresh one when None; the same id twice is one notification.
        idempotency_key: the same one twice for the same user or channel is one notification, whatever its id.

    Returns:
        its id. For one's own channel (neither user nor channel given) a key makes another id on the server.
    """
    complaints: list[str] = []
    ambient_task = current()
    known = values.identifier(id, "id", complaints) or delivery.new_id()
    user = None if user is None else values.text(user, SOURCE_CHARS)
    channel = None if channel is None else values.text(channel, SOURCE_CHARS)
    key = values.text(idempotency_key, KEY_CHARS).replace("\0", "") or None
    inbox = channel if user is None else f"user:{user}"
    if key is not None and inbox is not None:
        known = keyed_id(inbox, key)
    try:
        loudness = Severity(severity)
    except Exception:  # noqa: BLE001 - a foreign object may raise anything when it is looked up
        complaints.append(f"severity is one of {', '.join(Severity)}")
        loudness = Severity.INFO
    about = values.identifier(task, "task", complaints)
    report = Notify(
        known,
        values.text(title, TITLE_CHARS) or "Notification",
        user=user,
        channel=channel,
        content=values.text(content, CONTENT_CHARS),
        kind=values.text(kind, SOURCE_CHARS),
        severity=loudness,
        link=values.link(link, complaints),
        source=None if source is None else values.text(source, SOURCE_CHARS),
        task=about or (None if ambient_task is None else ambient_task.id),
        data=values.json_object(data, "data", CONTENT_CHARS, complaints),
        idempotency_key=key,
    )
    delivery.complain(known, complaints)
    if delivery.enabled():
        delivery.courier().report(report)
    return known


def tracked(title: str | None = None, **options: Any) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make each call of a function (or coroutine function) a task.

    Args:
        title: for people; made from the function's name when None.
        options: those of `task`.
    """

    def wrap(function: Callable[P, T]) -> Callable[P, T]:
        name = title or function.__name__.strip("_").replace("_", " ").capitalize()
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                async with task(name, **options):
                    return await function(*args, **kwargs)

            return cast("Callable[P, T]", run_async)

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> T:
            with task(name, **options):
                return function(*args, **kwargs)

        return run

    return wrap
