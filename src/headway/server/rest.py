"""REST: what a producer without our SDK, a script and the dashboard use. Thin: each call is one request to the hub."""

from __future__ import annotations

import os
import time
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, HeaderParameter, JSONBody, QueryParameter
from msgspec.structs import asdict

from headway.errors import InvalidField
from headway.hub.hub import Hub
from headway.model import report as r
from headway.model.grant import Grant
from headway.model.ids import check_id, ulid
from headway.model.progress import StepPlan, Tick
from headway.model.task import Task, TaskState
from headway.model.telling import as_telling
from headway.ports.store import TaskQuery
from headway.server.bodies import read_batch
from headway.transports.service import Service

__all__ = ["TEXT", "Ingest", "Key", "Stats", "Tasks", "new_id"]

Caller = NamedDependency[Grant]
TheHub = NamedDependency[Hub]

MAX_OFFSET = 2**53 - 1
TEXT = r"^[^\0]*$"
"""Text that a store can be asked for: no NUL, which ends a text in some and is refused by others."""

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=TEXT)]


class NewTask(msgspec.Struct, frozen=True):
    """A task to create. Without a channel it lives in the token's user's channel."""

    title: str
    id: str | None = None
    kind: str = ""
    channel: str | None = None
    total: int | float | None = None
    unit: str | None = None
    tags: tuple[str, ...] = ()
    meta: dict[str, Any] | None = None
    parent: str | None = None
    weight: int = 1
    steps: tuple[StepPlan, ...] = ()
    lost_after: float | None = None
    idempotency_key: Key | None = None
    start: bool = False
    notify: bool | str | None = None


class TickBody(Tick, frozen=True, kw_only=True):
    """Progress. What is left out stays as it is."""

    attempt: int | None = None


class Succeeded(msgspec.Struct, frozen=True):
    """What the task produced: any JSON of at most 16384 bytes."""

    result: Any = None


class Failed(msgspec.Struct, frozen=True):
    """Why the task failed, in words for its owner."""

    error: str = ""


class LogBody(msgspec.Struct, frozen=True):
    """One line (`text`), or several (`lines`)."""

    text: str | None = None
    level: str = "info"
    lines: Annotated[tuple[r.LogLine, ...], msgspec.Meta(max_length=r.MAX_LOG_LINES)] = ()


class Telling(msgspec.Struct, frozen=True):
    """When the caller is told that a task is over: `always`, `unwatched` or `ongoing`; null for never."""

    when: str | None = "always"


class TaskPage(msgspec.Struct, frozen=True):
    """Tasks, newest first, and the `after` of the next page."""

    tasks: tuple[Task, ...]
    next: str | None


class LogPage(msgspec.Struct, frozen=True):
    """Log lines. `next` is the offset to go on from; `trimmed` counts lines that are kept no longer."""

    task: str
    offset: int
    next: int
    trimmed: int
    entries: list[dict[str, Any]]


def new_id() -> str:
    """A fresh ULID."""
    return ulid(time.time_ns() // 1_000_000, os.urandom(10))


class Tasks(Controller):
    """Tasks and what happens to them."""

    path = "/api/tasks"
    tags = ("tasks",)

    @post(summary="Create a task", status_code=201)
    async def create_task(
        self,
        data: Annotated[
            NewTask,
            Body(
                examples=[
                    Example(
                        value={"title": "Importing customers", "total": 1200, "unit": "rows", "start": True}
                    )
                ]
            ),
        ],
        grant: Caller,
        hub: TheHub,
        idempotency_header: Annotated[
            str | None, HeaderParameter(name="Idempotency-Key", max_length=200)
        ] = None,
    ) -> Response[Task]:
        """Answers 201 with the new task; 200 with the one there is when its id or idempotency key is known."""
        fields = asdict(data)
        given = fields.pop("id")
        fields["task"] = new_id() if given is None else check_id(given)
        fields["idempotency_key"] = data.idempotency_key or idempotency_header or None
        task, created = await hub.report(grant, r.Create(**fields))
        assert isinstance(task, Task)  # noqa: S101 - a create gives a task
        return Response(task, status_code=201 if created else 200)

    @get(summary="List tasks")
    async def list_tasks(
        self,
        grant: Caller,
        hub: TheHub,
        states: Annotated[
            str | None, QueryParameter(name="state", description="One or more states, comma separated.")
        ] = None,
        kind: Annotated[str | None, QueryParameter(max_length=64, pattern=TEXT)] = None,
        tag: Annotated[str | None, QueryParameter(max_length=64, pattern=TEXT)] = None,
        channel: Annotated[str | None, QueryParameter(max_length=200, pattern=TEXT)] = None,
        parent: Annotated[str | None, QueryParameter(max_length=64, pattern=TEXT)] = None,
        q: Annotated[
            str | None, QueryParameter(max_length=200, pattern=TEXT, description="Part of the title.")
        ] = None,
        number: Annotated[
            int | None, QueryParameter(ge=1, le=MAX_OFFSET, description="The task with this number.")
        ] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
        after: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> TaskPage:
        """Newest first, of what the token covers. A filter that nothing matches gives an empty page."""
        query = TaskQuery(
            channels=None,
            channel=channel,
            states=_states(states),
            kind=kind,
            tag=tag,
            parent=parent,
            text=q or None,
            number=number,
            after=after,
            limit=limit,
        )
        page = await hub.tasks(grant, query)
        return TaskPage(page.tasks, page.next)

    @get("/{task_id:str}", summary="Read a task")
    async def read_task(self, task_id: FromPath[str], grant: Caller, hub: TheHub) -> Task:
        """The task as it is now."""
        return await hub.task(grant, task_id)

    @patch("/{task_id:str}", summary="Report progress")
    async def report_progress(
        self, task_id: FromPath[str], data: JSONBody[TickBody], grant: Caller, hub: TheHub
    ) -> Task:
        """Starts a queued task, and brings a lost one back. Progress never decreases within an attempt (409)."""
        return await _report(hub, grant, r.TickReport(task=task_id, **asdict(data)))

    @delete("/{task_id:str}", summary="Remove a finished task")
    async def remove_task(self, task_id: FromPath[str], grant: Caller, hub: TheHub) -> None:
        """For good, and for everybody who sees it."""
        await hub.remove(grant, task_id)

    @post("/{task_id:str}/start", summary="A worker has begun", status_code=200)
    async def start_task(self, task_id: FromPath[str], grant: Caller, hub: TheHub) -> Task:
        """`queued` and `lost` become `running`."""
        return await _report(hub, grant, r.Start(task=task_id))

    @post("/{task_id:str}/pause", summary="Hold a task", status_code=200)
    async def pause_task(self, task_id: FromPath[str], grant: Caller, hub: TheHub) -> Task:
        """Its worker waits at its next report."""
        return await _report(hub, grant, r.Pause(task=task_id))

    @post("/{task_id:str}/resume", summary="Let a task go on", status_code=200)
    async def resume_task(self, task_id: FromPath[str], grant: Caller, hub: TheHub) -> Task:
        """`paused` becomes `running`."""
        return await _report(hub, grant, r.Resume(task=task_id))

    @post("/{task_id:str}/cancel", summary="Cancel a task", status_code=200)
    async def cancel_task(self, task_id: FromPath[str], grant: Caller, hub: TheHub) -> Task:
        """Final at once; `stopping` says that the worker has yet to confirm."""
        return await _report(hub, grant, r.Cancel(task=task_id))

    @post("/{task_id:str}/succeed", summary="A task is done", status_code=200)
    async def succeed_task(
        self, task_id: FromPath[str], grant: Caller, hub: TheHub, data: JSONBody[Succeeded | None] = None
    ) -> Task:
        """Any unfinished state becomes `succeeded`."""
        return await _report(
            hub, grant, r.Succeed(task=task_id, result=None if data is None else data.result)
        )

    @post("/{task_id:str}/fail", summary="A task failed", status_code=200)
    async def fail_task(
        self, task_id: FromPath[str], grant: Caller, hub: TheHub, data: JSONBody[Failed | None] = None
    ) -> Task:
        """It keeps the progress it had reached."""
        return await _report(hub, grant, r.Fail(task=task_id, error="" if data is None else data.error))

    @post("/{task_id:str}/retry", summary="Begin the next attempt", status_code=200)
    async def retry_task(self, task_id: FromPath[str], grant: Caller, hub: TheHub) -> Task:
        """Back to `queued`, at the next attempt; the earlier one is remembered."""
        return await _report(hub, grant, r.Retry(task=task_id))

    @post("/{task_id:str}/heartbeat", summary="A sign of life", status_code=200)
    async def beat_task(self, task_id: FromPath[str], grant: Caller, hub: TheHub) -> Task:
        """For workers with nothing new to say."""
        return await _report(hub, grant, r.Beat(task=task_id))

    @get("/{task_id:str}/notify", summary="What I am told")
    async def read_telling(self, task_id: FromPath[str], grant: Caller, hub: TheHub) -> Telling:
        """When the caller is told that the task is over; null for never."""
        return Telling(await hub.tellings.asked(grant, task_id))

    @post("/{task_id:str}/notify", summary="Tell me when it is done", status_code=200)
    async def tell_me(
        self, task_id: FromPath[str], grant: Caller, hub: TheHub, data: JSONBody[Telling | None] = None
    ) -> Telling:
        """The caller gets one notification when the task is over. A task that is over is answered with 409."""
        when = as_telling("always" if data is None else data.when)
        await hub.tellings.ask(grant, task_id, when)
        return Telling(when)

    @delete("/{task_id:str}/notify", summary="Do not tell me")
    async def tell_me_not(self, task_id: FromPath[str], grant: Caller, hub: TheHub) -> None:
        """Takes it back, and with it the notification that followed the task. Nothing to take back is fine."""
        await hub.tellings.ask(grant, task_id, None)

    @post("/{task_id:str}/log", summary="Add to a task's log", status_code=200)
    async def write_log(
        self, task_id: FromPath[str], data: JSONBody[LogBody], grant: Caller, hub: TheHub
    ) -> dict[str, int]:
        """Answers how many lines were added."""
        lines = data.lines if data.text is None else (r.LogLine(data.text, level=data.level), *data.lines)
        if not lines:
            raise InvalidField("Give text, or lines", field="text")
        await _report(hub, grant, r.Log(task=task_id, lines=lines))
        return {"added": len(lines)}

    @get("/{task_id:str}/log", summary="Read a task's log")
    async def read_log(
        self,
        task_id: FromPath[str],
        grant: Caller,
        hub: TheHub,
        offset: Annotated[int, QueryParameter(ge=0, le=MAX_OFFSET)] = 0,
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 500,
    ) -> LogPage:
        """Lines in order, from an offset."""
        after, entries = await hub.log(grant, task_id, offset, limit)
        first = entries[0].offset if entries else offset
        return LogPage(
            task_id,
            first,
            after,
            first - offset,
            [{"at": entry.at, "level": entry.level, "text": entry.text} for entry in entries],
        )


class Ingest(Controller):
    """Batches of reports, as the worker SDK sends them."""

    path = "/api/ingest"
    tags = ("reports",)

    @post(summary="Report a batch", status_code=200)
    async def ingest(self, request: Request[Any, Any, State], grant: Caller, hub: TheHub) -> r.BatchAnswer:
        """Answered when every fact in it is durable. Idempotent: a batch may be sent again (`spec/wire.md` §8)."""
        batch, malformed, places = read_batch(await request.body())
        answer = await hub.ingest(grant, batch)
        if not malformed:
            return answer
        # The hub counted what it was given; the client counts what it sent.
        rejected = [msgspec.structs.replace(entry, index=places[entry.index]) for entry in answer.rejected]
        return r.BatchAnswer(
            answer.accepted, sorted(rejected + malformed, key=lambda entry: entry.index), answer.tasks
        )


class Stats(Controller):
    """Counts."""

    path = "/api/stats"
    tags = ("server",)

    @get(summary="Counts")
    async def stats(self, grant: Caller, hub: TheHub, service: NamedDependency[Service]) -> dict[str, Any]:
        """Of everything for an administrator; of one's own tasks, connections and so on for others."""
        return {"connections": service.members.count(grant.user), **hub.stats(grant)}


async def _report(hub: Hub, grant: Grant, report: r.Report) -> Task:
    task, _ = await hub.report(grant, report)
    assert isinstance(task, Task)  # noqa: S101 - reports on tasks give tasks
    return task


def _states(text: str | None) -> frozenset[TaskState]:
    if not text:
        return frozenset()
    try:
        return frozenset(TaskState(part.strip()) for part in text.split(","))
    except ValueError:
        raise InvalidField(f"state is one or more of {', '.join(TaskState)}", field="state") from None
