"""The invariants of the design, tried with whatever can happen to a hub, in any order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from headway.hub.wanted import Only
from headway.model import report as r
from headway.model.cursor import Cursor
from headway.model.grant import Ability, Grant
from headway.model.task import Telling
from tests.hub.machine import Client, World
from tests.hub.world import ADA, ADMIN, BOB, InstantLoop

CHANNELS = ["user:ada", "user:bob", "project:p", "public"]
TASKS = {f"t{n}": CHANNELS[n % 2] for n in range(6)}
GROUPS = {"g0": "user:ada", "g1": "user:bob"}
CHILDREN = {f"{group}c{n}": group for group in GROUPS for n in range(4)}
HOMES = TASKS | GROUPS | {child: GROUPS[group] for child, group in CHILDREN.items()}
TOLD = {name: (True, "ongoing", "unwatched", None)[n % 4] for n, name in enumerate(HOMES)}
"""When their owners are told that tasks are over."""
READER = Grant("eve", channels=("project:*",), tasks=("t0",), can=frozenset((Ability.READ,)))

anything = st.sampled_from(sorted(HOMES))
grants = st.sampled_from([ADA, BOB, READER, ADMIN])
numbers = st.integers(0, 7)
tick = st.builds(lambda task, by: ("tick", task, by), anything, st.integers(0, 60))
command = st.builds(
    lambda task, kind: (kind, task, 0),
    anything,
    st.sampled_from([r.Start, r.Pause, r.Resume, r.Cancel, r.Retry, r.Succeed, r.Fail, r.Beat, r.Stopped]),
)
create = st.builds(lambda task, start: ("create", task, start), anything, st.integers(0, 1))
notify = st.builds(lambda n, channel: ("notify", f"n{n}", channel), numbers, st.sampled_from(CHANNELS))
log = st.builds(lambda task, n: ("log", task, n), anything, st.integers(1, 3))
ending = st.builds(
    lambda task, kind: (kind, task, 0), anything, st.sampled_from([r.Cancel, r.Succeed, r.Fail])
)
said = st.lists(st.one_of(create, create, tick, tick, command, ending, notify, log), min_size=1, max_size=6)


class Hubs(RuleBasedStateMachine):
    """One hub, its producers and its clients."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=InstantLoop)
        self.world = World()
        self.lines = 0
        self.notes: dict[str, str] = {}
        self.run(self._begin())

    async def _begin(self) -> None:
        await self.world.start()
        self.world.clients = [Client(self.world, grant) for grant in (ADA, BOB, READER, ADMIN)]
        self.world.clients[0].follow("user:ada", None, channel="user:ada")

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        try:
            self.run(self._end())
        finally:
            self.runner.close()

    async def _end(self) -> None:
        await self.world.settle()
        await self.world.check_settled()
        await self.world.hub.stop()

    def _report(self, kind: Any, name: str, value: Any) -> r.Report:
        if kind == "create":
            return r.Create(
                task=name,
                title=name,
                channel=HOMES[name],
                total=None if name in GROUPS else 100,
                parent=CHILDREN.get(name),
                weight=1 + len(name) % 3 + int(name[-1]),
                start=bool(value),
                idempotency_key=f"key-{name}" if name == "t1" else None,
                notify=TOLD.get(name),
            )
        if kind == "notify":
            # A producer that repeats itself says the same.
            return r.Notify(id=name, title=name, channel=self.notes.setdefault(name, value))
        attempt = self._attempt(name)
        if kind == "tick":
            before = self.world.said.get(name, (attempt, 0))
            done = min(100, (before[1] if before[0] == attempt else 0) + value)
            return r.TickReport(task=name, done=done, message=f"at {done}", attempt=attempt)
        if kind == "log":
            self.lines += value
            texts = tuple(r.LogLine(f"line {n}") for n in range(value))
            return r.Log(task=name, lines=texts, source="w", seq=self.lines - value)
        report: r.Report = kind(task=name)
        return report

    def _attempt(self, name: str) -> int:
        task = self.world.hub.records.tasks.get(name)
        return 1 if task is None else task.attempt

    @rule(what=said)
    def report(self, what: list[tuple[Any, str, Any]]) -> None:
        self.run(self._report_all(what))

    async def _report_all(self, what: list[tuple[Any, str, Any]]) -> None:
        reports = [self._report(*one) for one in what]
        if self.world.store.hold:
            self.world.begin(self.world.report(*reports))
            await asyncio.sleep(0.01)
        else:
            await self.world.report(*reports)

    @rule(one=said, two=said, apart=st.sampled_from([0.0, 0.001, 0.003]))
    def report_at_once(
        self, one: list[tuple[Any, str, Any]], two: list[tuple[Any, str, Any]], apart: float
    ) -> None:
        async def both() -> None:
            self.world.begin(self.world.report(*[self._report(*each) for each in one]))
            await asyncio.sleep(apart)
            self.world.begin(self.world.report(*[self._report(*each) for each in two]))
            await asyncio.sleep(0.004)

        self.run(both())

    @rule(what=said, after=st.sampled_from([0.0, 0.001, 0.0025]))
    def hang_up(self, what: list[tuple[Any, str, Any]], after: float) -> None:
        """A request that is given up half way."""

        async def cut() -> None:
            request = asyncio.create_task(self.world.report(*[self._report(*each) for each in what]))
            await asyncio.sleep(after)
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)

        self.run(cut())

    @rule(task=anything)
    def remove(self, task: str) -> None:
        async def act() -> None:
            self.world.begin(self.world.remove(task))
            await asyncio.sleep(0.004)

        self.run(act())

    @rule(grant=grants)
    def read(self, grant: Grant) -> None:
        async def act() -> None:
            self.world.begin(self.world.read(grant))
            await asyncio.sleep(0.004)

        self.run(act())

    @rule(task=anything, grant=grants, telling=st.sampled_from([None, *Telling]))
    def ask(self, task: str, grant: Grant, telling: Telling | None) -> None:
        """To be told when it is over."""

        async def act() -> None:
            self.world.begin(self.world.ask(grant, task, telling))
            await asyncio.sleep(0.004)

        self.run(act())

    @rule(
        who=numbers,
        channel=st.sampled_from(CHANNELS),
        old=st.sampled_from(["none", "kept", "foreign", "future", "first", "saved"]),
        parent=st.sampled_from([None, None, "g0"]),
    )
    def follow(self, who: int, channel: str, old: str, parent: str | None) -> None:
        client = self.world.clients[who % len(self.world.clients)]
        name = channel if parent is None else f"{channel}/{parent}"
        only = None if parent is None else Only(parent=parent)
        self._follow(client, name, old, channel=channel, only=only)

    @rule(who=numbers, task=anything, old=st.sampled_from(["none", "kept"]), log=st.sampled_from([None, 0]))
    def follow_task(self, who: int, task: str, old: str, log: int | None) -> None:
        client = self.world.clients[who % len(self.world.clients)]
        if f"task:{task}" not in client.wanted:
            self._follow(client, f"task:{task}", old, task=task, log=log)

    def _follow(self, client: Client, name: str, old: str, **what: Any) -> None:
        async def act() -> None:
            if old == "saved":
                client.wake(name)
            view = client.views.get(name)
            kept = None if view is None else view.cursor
            epoch = self.world.hub.records.epoch
            cursor = {
                "none": None,
                "kept": kept,
                "foreign": Cursor("elsewhere", 0 if kept is None else kept.rev),
                "future": Cursor(epoch, 2**50),
                "first": Cursor(epoch, 0),
                "saved": kept,
            }[old]
            client.follow(name, cursor, **what)
            await asyncio.sleep(0)

        self.run(act())

    @rule(who=numbers)
    def unfollow(self, who: int) -> None:
        client = self.world.clients[who % len(self.world.clients)]

        async def act() -> None:
            for name in list(client.wanted)[:1]:
                client.unfollow(name)

        self.run(act())

    @rule(who=numbers)
    def save(self, who: int) -> None:
        self.world.clients[who % len(self.world.clients)].save()

    @rule(who=numbers)
    def reconnect(self, who: int) -> None:
        client = self.world.clients[who % len(self.world.clients)]

        async def act() -> None:
            client.leave()
            client.connect()
            client.resume()

        self.run(act())

    @rule(who=numbers)
    def fill(self, who: int) -> None:
        self.world.clients[who % len(self.world.clients)].link.fill()

    @rule(who=numbers)
    def drain(self, who: int) -> None:
        async def act() -> None:
            self.world.clients[who % len(self.world.clients)].link.drain()

        self.run(act())

    @rule(groups=st.integers(1, 2))
    def fail(self, groups: int) -> None:
        self.world.store.failing = groups

    @rule(fail=st.booleans())
    def hold_and_release(self, fail: bool) -> None:
        async def act() -> None:
            store = self.world.store
            if store.hold:
                store.hold = False
                store.release(fail=fail)
                await asyncio.sleep(0.001)
            else:
                store.hold = True

        self.run(act())

    @rule(seconds=st.sampled_from([0.01, 0.06, 0.3, 2.0, 31.0, 400.0]))
    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @rule()
    def crash(self) -> None:
        self.run(self.world.crash())

    @rule()
    def settle(self) -> None:
        async def act() -> None:
            await self.world.settle()
            await self.world.check_settled()

        self.run(act())

    @invariant()
    def bounded(self) -> None:
        self.world.check_bounded()


Hubs.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestHub = pytest.mark.slow(Hubs.TestCase)
