"""Short ways to say things in tests of the hub: a hub that runs, and reports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from headway.buses.memory import MemoryBus
from headway.errors import HeadwayError
from headway.hub.follower import Follower
from headway.hub.hub import Hub, HubSettings
from headway.hub.wanted import Wanted
from headway.model import report as r
from headway.model.cursor import Cursor
from headway.model.grant import Grant
from headway.model.task import Task
from headway.ports.store import Store
from tests.hub.world import ADA, SlowStore, TestLink, View, unix_ms

__all__ = ["codes", "create", "follow", "held", "note", "running", "send", "shown", "tick"]


@asynccontextmanager
async def running(store: Store | None = None, settings: HubSettings | None = None) -> AsyncIterator[Hub]:
    """A hub from its start to its stop."""
    hub = Hub(store or SlowStore(), MemoryBus(), settings, clock=unix_ms)
    await hub.start()
    yield hub
    if isinstance(store, SlowStore):
        store.hold = False
        store.failing = 0
        store.release()
    await hub.stop()


def create(task: str, **fields: Any) -> r.Create:
    return r.Create(task=task, title=f"Task {task}", **{"total": 100, **fields})


def tick(task: str, done: int, **fields: Any) -> r.TickReport:
    return r.TickReport(task=task, done=done, **fields)


def note(note_id: str, **fields: Any) -> r.Notify:
    return r.Notify(id=note_id, title=f"Note {note_id}", **fields)


def codes(answer: r.BatchAnswer) -> dict[int, int]:
    """What was refused of a batch, by index, and with which code."""
    return {rejected.index: rejected.code for rejected in answer.rejected}


async def send(hub: Hub, *reports: r.Report, grant: Grant = ADA) -> r.BatchAnswer:
    return await hub.ingest(grant, r.Batch(list(reports)))


def shown(hub: Hub, task_id: str) -> Task | None:
    """A task as clients can see it."""
    for channel in hub.records.channels.values():
        version = channel.log.get(task_id)
        if version is not None and isinstance(version.record, Task):
            return version.record
    return None


def held(link: TestLink) -> View:
    """What the client behind a link holds of its one subscription."""
    view = View()
    for message in link.messages:
        view.apply(message)
    return view


def follow(
    hub: Hub, grant: Grant = ADA, link: TestLink | None = None, cursor: Cursor | None = None, **what: Any
) -> tuple[TestLink, Follower, list[HeadwayError]]:
    """Follow something under the name `s`; returns the link, the follower and what was refused."""
    link = link or TestLink()
    follower = hub.follower(link, grant)
    link.on_drained = follower.drained
    refused: list[HeadwayError] = []
    wanted = Wanted(key="s", name=msgspec.json.encode("s"), cursor=cursor, **what)
    follower.subscribe(wanted, refused.append)
    return link, follower, refused
