"""The world in which the invariants are tried: one hub that can crash, producers, and clients that come and go."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import msgspec

from headway.buses.memory import MemoryBus
from headway.errors import HeadwayError, StoreUnavailable
from headway.hub.access import covers
from headway.hub.hub import Hub, HubSettings
from headway.hub.upkeep import Retention
from headway.hub.wanted import Wanted
from headway.model import report as r
from headway.model.cursor import Cursor
from headway.model.grant import Grant
from headway.model.notification import Notification
from headway.model.rules import adopt
from headway.model.task import Children, Task, Telling
from headway.model.telling import telling_id
from headway.ports.store import TaskQuery, Tombstone
from tests.hub.world import ADMIN, SlowStore, TestLink, View, small_bounds, unix_ms

__all__ = ["Client", "World", "recount"]

SETTINGS = HubSettings(
    lost_after=20.0, bounds=small_bounds, retention=Retention(tasks=600.0, tombstones=300.0, log_lines=20)
)


class Client:
    """A browser: a link, a grant, and a view for each thing it follows."""

    def __init__(self, world: World, grant: Grant) -> None:
        self.world = world
        self.grant = grant
        self.views: dict[str, View] = {}
        self.wanted: dict[str, Wanted] = {}
        self.lines: dict[str, dict[int, str]] = {}
        self.refused: dict[str, HeadwayError] = {}
        self.saved: dict[str, View] = {}
        self.connect()

    def connect(self) -> None:
        self.link = TestLink(self.take)
        self.follower = self.world.hub.follower(self.link, self.grant)
        self.link.on_drained = self.follower.drained

    def leave(self) -> None:
        self.follower.leave()
        self.link = TestLink(self.take)

    def take(self, message: dict[str, Any]) -> None:
        name = message["id"]
        assert name in self.wanted, "something came for what is not followed any more"
        if message["type"] == "log":
            self._lines(name, message)
            return
        for record in [message.get("task"), message.get("notification")]:
            self._allowed(record)
        for record in [*message.get("tasks", ()), *message.get("notifications", ())]:
            self._allowed(record)
        self.views[name].apply(message)

    def save(self) -> None:
        """What a page keeps that is put to sleep: its views, and where they stand."""
        self.saved = {name: view.copy() for name, view in self.views.items()}

    def wake(self, name: str) -> None:
        """Go back to what was kept."""
        if name in self.saved:
            self.views[name] = self.saved[name].copy()

    def follow(self, name: str, cursor: Cursor | None, **what: Any) -> None:
        self.refused.pop(name, None)
        self.link.attempts.pop(name, None)
        view = self.views.get(name)
        if view is None or cursor is None or view.cursor != cursor:
            # Who says nothing of where it stands holds nothing.
            view = View()
        view.answers = 0
        self.views[name] = view
        wanted = Wanted(key=name, name=msgspec.json.encode(name), cursor=cursor, **what)
        self.wanted[name] = wanted

        def refuse(error: HeadwayError) -> None:
            self.refused[name] = error

        self.follower.subscribe(wanted, refuse)

    def resume(self) -> None:
        """Follow everything again from where the views stand, as after a reconnection."""
        for name, wanted in list(self.wanted.items()):
            what: dict[str, Any] = {"channel": wanted.channel, "task": wanted.task, "only": wanted.only}
            self.follow(name, self.views[name].cursor, **what)

    def unfollow(self, name: str) -> None:
        if name not in self.refused:
            self.follower.unsubscribe(name)
        for kept in (self.wanted, self.views, self.lines):
            kept.pop(name, None)

    def _allowed(self, record: dict[str, Any] | None) -> None:
        if record is not None:
            assert covers(self.grant, record["channel"], record["id"]), "a record left its channel"

    def _lines(self, name: str, message: dict[str, Any]) -> None:
        held = self.lines.setdefault(name, {})
        for offset, entry in enumerate(message["entries"], message["offset"]):
            assert offset not in held, "a line came twice"
            held[offset] = entry["text"]


class World:
    """A hub on a store that outlives it, and what has been acknowledged so far."""

    def __init__(self) -> None:
        self.store = SlowStore()
        self.clients: list[Client] = []
        self.acknowledged: dict[str, tuple[str, int, int]] = {}
        self.notified: set[str] = set()
        self.removed: set[str] = set()
        self.said: dict[str, tuple[int, int]] = {}
        self.doing: set[asyncio.Task[Any]] = set()
        self.crashes = 0

    async def start(self) -> None:
        self.hub = Hub(self.store, MemoryBus(block=64), SETTINGS, clock=unix_ms)
        await self.hub.start()

    async def crash(self) -> None:
        """End as `kill -9` does: nothing that has not returned was done."""
        for task in self.doing:
            task.cancel()
        self.store.lose()
        hub = self.hub
        assert hub._upkeep_task is not None
        hub._upkeep_task.cancel()
        hub.wheel.stop()
        await asyncio.gather(hub._upkeep_task, *self.doing, return_exceptions=True)
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self.store.lose()
        self.doing.clear()
        self.crashes += 1
        await self.start()
        await self.speak_again()
        for client in self.clients:
            client.connect()
            client.resume()

    async def speak_again(self) -> None:
        """Every producer says where it stands, as heartbeats do after a restart."""
        for task_id, (attempt, done) in list(self.said.items()):
            task = await self.hub.records.find(task_id)
            if task is not None and not task.state.terminal and task.attempt == attempt:
                await self.report(r.TickReport(task=task_id, done=done, attempt=attempt))

    def begin(self, work: Coroutine[Any, Any, Any]) -> None:
        """Start something without waiting for it."""
        task = asyncio.create_task(work)
        self.doing.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.doing.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.failure = task.exception()

    failure: BaseException | None = None

    async def report(self, *reports: r.Report, grant: Grant = ADMIN) -> r.BatchAnswer | None:
        """Send a batch and note what was acknowledged; None when nothing was."""
        for report in reports:
            if isinstance(report, r.TickReport) and report.done is not None:
                known = self.said.get(report.task, (0, 0))
                self.said[report.task] = max(known, (report.attempt or 1, int(report.done)))
        try:
            answer = await self.hub.ingest(grant, r.Batch(list(reports)))
        except StoreUnavailable:
            return None
        refused = {rejected.index for rejected in answer.rejected}
        for index, report in enumerate(reports):
            if index in refused:
                continue
            if isinstance(report, r.Notify):
                self.notified.add(report.id)
            else:
                state, attempt = answer.tasks.get(report.task, ("", 0))
                known_state = self.acknowledged.get(report.task)
                news = known_state is None or known_state[1] < attempt or known_state[0] != state
                if attempt and news and (known_state is None or known_state[1] <= attempt):
                    self.acknowledged[report.task] = (state, attempt, unix_ms())
        return answer

    async def remove(self, task_id: str) -> None:
        try:
            await self.hub.remove(ADMIN, task_id)
        except StoreUnavailable:
            return
        except HeadwayError:
            return
        self.removed.add(task_id)

    async def ask(self, grant: Grant, task_id: str, telling: Telling | None) -> None:
        with contextlib.suppress(HeadwayError):
            await self.hub.tellings.ask(grant, task_id, telling)

    async def read(self, grant: Grant) -> None:
        try:
            await self.hub.read(grant, None)
        except StoreUnavailable:
            return

    async def settle(self) -> None:
        """Wait until all is written, paced out and taken."""
        self.store.hold = False
        self.store.failing = 0
        self.store.release()
        for client in self.clients:
            client.link.drain()
        await asyncio.sleep(0.1)
        while self.doing:
            await asyncio.gather(*self.doing, return_exceptions=True)
        # Longer than a failed write waits to be tried again.
        await asyncio.sleep(2.5)
        if self.failure is not None:
            raise self.failure

    def check_bounded(self) -> None:
        """Invariant 6: who refused is left alone until it has drained."""
        for client in self.clients:
            for name, attempts in client.link.attempts.items():
                assert attempts <= 2, (name, attempts)

    async def check_settled(self) -> None:
        """Everything that must hold when nothing is on its way."""
        hub = self.hub
        for channel in hub.records.channels.values():
            assert not channel.waiting
            revs = [version.record.rev for version in channel.log.all()]
            assert revs == sorted(set(revs)), "the log is out of order"
            for version in channel.log.all():
                await self._check_stored(version.record)
        for client in self.clients:
            for name, wanted in client.wanted.items():
                if name not in client.refused:
                    await self._check_view(client, name, wanted)
        await self._check_facts()
        await self._check_children()

    async def _check_stored(self, record: Any) -> None:
        if isinstance(record, Task):
            assert await self.store.task(record.id) == record
            newest = self.hub.records.tasks[record.id]
            if newest.children is None:
                assert newest == record
        elif isinstance(record, Notification):
            assert await self.store.notification(record.id) == record
        else:
            assert await self.store.task(record.id) is None

    async def _check_view(self, client: Client, name: str, wanted: Wanted) -> None:
        view = client.views[name]
        assert view.answers, f"{name} was never answered"
        log_ = None
        if wanted.channel is not None:
            log_ = self.hub.records.channels[wanted.channel].log
            versions = [v for v in log_.all() if wanted.only is None or wanted.only(v.record)]
        else:
            task = await self.hub.records.find(wanted.task or "")
            if task is None:
                assert wanted.task not in view.records
                return
            log_ = self.hub.records.channels[task.channel].log
            version = log_.get(task.id)
            versions = [] if version is None else [version]
        for version in versions:
            record = version.record
            held = view.records.get(record.id)
            if isinstance(record, Tombstone):
                assert held is None, f"{name} still holds what was removed"
                continue
            if held is None and isinstance(record, Notification) and version not in log_.newest():
                # A log holds a few more than who begins anew is given.
                continue
            assert held is not None, (name, record)
            if held["rev"] > record.rev:
                # A tick that a crash took; its producer has not spoken since.
                assert self.crashes
                continue
            assert held["rev"] == record.rev, (name, held, record)
            if not (self.crashes and isinstance(record, Task) and record.children):
                assert held == msgspec.json.decode(version.json)
        for record_id, held in view.records.items():
            if log_.get(record_id) is None:
                # Beyond the window: what was true then is final.
                assert held.get("status") or held["state"] in {"succeeded", "failed", "cancelled"}, (
                    name,
                    held,
                )

    async def _check_facts(self) -> None:
        kept = int(SETTINGS.retention.tasks * 1000)
        for task_id, (state, attempt, at) in self.acknowledged.items():
            task = await self.hub.records.find(task_id)
            if task is None:
                expired = unix_ms() - at > kept
                assert expired or task_id in self.removed, f"{task_id} was acknowledged and is gone"
                continue
            assert task.attempt >= attempt or task_id in self.removed
            if task.attempt == attempt and state in {"succeeded", "failed", "cancelled"}:
                assert task.state.value == state or task_id in self.removed
        for task_id in self.acknowledged:
            await self._check_told(task_id)
        for note in self.notified:
            assert await self.hub.records.find_notification(note) is not None

    async def _check_told(self, task_id: str) -> None:
        """Whoever is to be told of a task is told of its newest end, in the same write."""
        task = await self.store.task(task_id)
        if task is None:
            return
        for channel in ("user:ada", "user:bob", "user:eve", "user:root", task.channel):
            note = await self.store.notification(telling_id(task_id, channel))
            assert note is None or not (note.ongoing and task.state.terminal), (task, note)
            if task.state.terminal and channel == task.channel and task.notify in {"always", "ongoing"}:
                assert note is not None, task
                assert note.data == {"state": task.state.value, "attempt": task.attempt}, (task, note)
        if task.state.terminal:
            wishes = await self.store.documents("wish")
            assert not [wish for wish in wishes if wish.id.startswith(f"{task_id}/")]

    async def _check_children(self) -> None:
        for task in list(self.hub.records.tasks.values()):
            if task.children is not None:
                assert task.children == await recount(self.hub, self.store, task), task.id


async def recount(hub: Hub, store: SlowStore, parent: Task) -> Children:
    """The children of a task, counted one by one."""
    page = await store.tasks(TaskQuery(channels=None, parent=parent.id, limit=200))
    scratch = msgspec.structs.replace(parent, children=None)
    for child in page.tasks:
        if child.created_at < parent.created_at:
            continue
        scratch = adopt(scratch, None, hub.records.tasks.get(child.id, child), 0)
    return scratch.children or Children()
