"""What goes onward: the ends of attempts and new notifications, once each, and durable together with them or not at all."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from headway.buses.memory import MemoryBus
from headway.errors import StoreUnavailable
from headway.hub.hub import Hub
from headway.hub.outbox import Announced, Outbox
from headway.model import report as r
from headway.model.notification import Notification
from headway.model.task import Task
from headway.ports.store import Document
from tests.hub.scenes import create, send, tick
from tests.hub.world import ADA, SlowStore, instant, unix_ms


class Noting(Outbox):
    """Writes a document for each fact."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, int]] = []
        self.done: list[str] = []
        self.revisions: list[int] = []

    def prepare(self, facts: Sequence[Announced]) -> Sequence[Document]:
        for fact in facts:
            what = (fact.state.value, fact.attempt) if isinstance(fact, Task) else (fact.title, 0)
            self.heard.append((fact.id, *what))
            self.revisions.append(fact.rev)
        return [Document("test", f"{fact.id}-{len(self.heard)}", "", "{}") for fact in facts]

    def stored(self, documents: Sequence[Document]) -> None:
        self.done += [document.id for document in documents]


async def started(store: SlowStore) -> tuple[Hub, Noting]:
    outbox = Noting()
    hub = Hub(store, MemoryBus(), clock=unix_ms, outbox=outbox)
    await hub.start()
    return hub, outbox


@instant
async def test_each_end_of_an_attempt_is_announced_once() -> None:
    hub, outbox = await started(SlowStore())
    await send(hub, create("t", start=True))
    await send(hub, tick("t", 5))
    assert outbox.heard == []
    await send(hub, r.Fail(task="t", error="no"))
    await send(hub, r.Fail(task="t", error="no"))
    await send(hub, r.Retry(task="t"), r.Start(task="t"), r.Cancel(task="t"))
    # That its worker has stopped changes the task, and not that it is over.
    await send(hub, r.Stopped(task="t"))
    assert outbox.heard == [("t", "failed", 1), ("t", "cancelled", 2)]
    assert outbox.done == ["t-1", "t-2"]
    assert all(outbox.revisions)
    await hub.stop()


@instant
async def test_an_end_that_is_taken_back_in_the_same_batch_is_announced_too() -> None:
    hub, outbox = await started(SlowStore())
    await send(hub, create("t", start=True), r.Fail(task="t"), r.Retry(task="t"), r.Start(task="t"))
    assert outbox.heard == [("t", "failed", 1)]
    await hub.stop()


@instant
async def test_the_end_of_a_child_is_not_one_of_its_parent() -> None:
    hub, outbox = await started(SlowStore())
    await send(hub, create("p", start=True), create("c", parent="p", start=True), r.Succeed(task="p"))
    await send(hub, r.Succeed(task="c"))
    assert outbox.heard == [("p", "succeeded", 1), ("c", "succeeded", 1)]
    await hub.stop()


@instant
async def test_a_notification_is_announced_when_it_is_new() -> None:
    hub, outbox = await started(SlowStore())
    await send(hub, r.Notify(id="n", title="Ready"))
    await send(hub, r.Notify(id="n", title="Ready"))
    await hub.read(ADA, ["n"])
    assert outbox.heard == [("n", "Ready", 0)]
    assert isinstance(hub.records.notifications["n"], Notification)
    await hub.stop()


@instant
async def test_what_is_handed_over_is_durable_with_the_fact_or_not_at_all() -> None:
    store = SlowStore()
    hub, outbox = await started(store)
    await send(hub, create("t", start=True))
    store.failing = 1
    with pytest.raises(StoreUnavailable):
        await send(hub, r.Succeed(task="t"))
    assert outbox.done == []
    assert await store.document("test", "t-1") is None
    await send(hub, r.Succeed(task="t"))
    assert outbox.done == ["t-2"]
    assert await store.document("test", "t-2") is not None
    await hub.stop()
