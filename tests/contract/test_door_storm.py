"""What holds whatever happens: fifty tasks that tick, a client on every door whose connections break at random, and a server
that is killed on the way."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.contract.storm_clients import CLIENTS, FINAL, Watcher
from tests.servers import FORMS, Form, Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

TASKS = 50
TOTAL = 1_000_000
CUTS = 100
CHANNEL = "user:ada"

Ends = dict[str, list[tuple[str, int, str]]]


class Place:
    """A server that can be killed and comes back on the same port with the same data."""

    def __init__(self, data: Path, form: Form) -> None:
        self._data = data
        self._form = form
        self.server = Server(data, form, {})
        self.port = self.server.address[1]
        self.token = self.server.token()

    def kill(self) -> None:
        self.server.kill()
        self.server.close()

    def restart(self) -> None:
        self.server = Server(self._data, self._form, {"port": self.port})

    def close(self) -> None:
        self.server.close()

    def report(self, reports: list[dict[str, Any]]) -> None:
        """As a worker does: again when nobody answered, since nothing is said twice by that."""
        while True:
            try:
                self.server.report(self.token, *reports)
            except urllib3.exceptions.HTTPError:
                continue
            return


class Producer:
    """Ticks all tasks to their ends, some of them twice.

    Attributes:
        ends: of each attempt, by task.
    """

    def __init__(self, place: Place, chance: random.Random) -> None:
        self.place = place
        self.tasks = [f"task-{number}" for number in range(TASKS)]
        self.ends: Ends = {task: [] for task in self.tasks}
        self._chance = chance
        self._done = dict.fromkeys(self.tasks, 0)

    def create(self) -> None:
        create: dict[str, Any] = {"type": "create", "title": "a task", "total": TOTAL, "start": True}
        self.place.report([{**create, "task": task} for task in self.tasks])

    def tick(self, share: float) -> None:
        """Say something of some tasks, and end a share of them."""
        chance = self._chance
        reports: list[dict[str, Any]] = []
        for task in chance.sample(sorted(self._done), min(10, len(self._done))):
            attempt = len(self.ends[task]) + 1
            about = {"task": task, "attempt": attempt}
            if chance.random() >= share:
                self._done[task] = min(TOTAL, self._done[task] + chance.randint(1, 500))
                reports.append({"type": "progress", **about, "done": self._done[task]})
                continue
            end, state = chance.choice(
                [("succeed", "succeeded"), ("fail", "failed"), ("cancel", "cancelled")]
            )
            self.ends[task].append((task, attempt, state))
            reports.append({"type": end, **about})
            if end == "cancel":
                # Else the server says by itself, much later, that the worker must have stopped.
                reports.append({"type": "stopped", **about})
            if state == "succeeded" or attempt == 2:
                del self._done[task]
            else:
                self._done[task] = 0
                reports.append({"type": "retry", **about})
        self.place.report(reports)

    @property
    def goes_on(self) -> bool:
        return bool(self._done)


@contextmanager
def watching(place: Place, chance: random.Random) -> Iterator[list[Watcher]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                closing(kind(place.port, CHANNEL, place.token, random.Random(chance.random())))
            )
            for kind in CLIENTS.values()
        ]


@pytest.mark.parametrize("form", FORMS)
def test_a_storm(form: Form, tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    # Answers that are cut in two are what is wanted here.
    caplog.set_level(logging.ERROR, "urllib3.connection")
    chance = random.Random(seed)
    complete, calm = threading.Event(), threading.Event()
    with (
        closing(Place(tmp_path, form)) as place,
        watching(place, chance) as watchers,
        ThreadPoolExecutor(len(watchers) + 1) as pool,
    ):
        producer = Producer(place, chance)
        producer.create()
        running = [pool.submit(watcher.run, complete, set(producer.tasks)) for watcher in watchers]
        try:
            restarting = None
            while producer.goes_on and not any(run.done() for run in running):
                cuts = min(watcher.cuts for watcher in watchers)
                if restarting is None and cuts >= CUTS // 2:
                    place.kill()
                    restarting = pool.submit(place.restart)
                    restarting.result()
                # About as fast as a busy server hears of fifty tasks.
                calm.wait(0.03)
                # First attempts may end early, the others when everybody was cut often enough.
                producer.tick(0.002 if cuts < CUTS else 0.2)
        finally:
            complete.set()
            for watcher in watchers:
                watcher.calm = True
                watcher.over = producer.goes_on
        for run in running:
            run.result()
        page = place.server.ask("GET", f"/api/tasks?channel={CHANNEL}&limit=200", place.token)
    truth = {task["id"]: task for task in page["tasks"]}
    assert {task["state"] for task in truth.values()} <= FINAL
    for task, ends in producer.ends.items():
        # An end that a retry followed at once can pass unseen, and is told by the record.
        earlier = [(task, past["attempt"], past["state"]) for past in truth[task].get("earlier", [])]
        assert [*earlier, (task, truth[task]["attempt"], truth[task]["state"])] == ends
    every = {end for ends in producer.ends.values() for end in ends}
    for watcher in watchers:
        print(type(watcher).__name__, watcher.connections, dict(watcher.network.struck))
        assert watcher.cuts >= CUTS
        assert watcher.view.records == truth
        assert watcher.view.resets == 1
        # No end came twice, and the last one of each task always came.
        assert len(watcher.ends) == len(set(watcher.ends))
        assert {ends[-1] for ends in producer.ends.values()} <= set(watcher.ends) <= every
