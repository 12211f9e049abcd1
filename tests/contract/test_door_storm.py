"""What holds whatever happens: twenty tasks that tick, three clients whose connections are cut at random."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from tests.clients import View, connected
from tests.servers import Server

pytestmark = pytest.mark.slow

TASKS = 20
TOTAL = 1_000_000
FINAL = {"succeeded", "failed", "cancelled"}


class Watcher:
    """A client that is cut and comes back with its cursor, until it has seen the end of everything."""

    def __init__(self, server: Server, user: str, chance: random.Random) -> None:
        self.server = server
        self.user = user
        self.chance = chance
        self.view = View()
        self.ends: list[tuple[str, int, str]] = []
        self.percents: dict[tuple[str, int], float] = {}
        self.known: dict[str, Any] = {}
        self.connections = 0

    async def run(self, done: asyncio.Event, expected: set[str]) -> None:
        while not self.complete(done, expected):
            async with connected(self.server) as client:
                self.connections += 1
                await client.say("auth", token=self.server.token(self.user))
                await client.say("subscribe", id=1, channel=f"user:{self.user}", cursor=self.view.cursor)
                # After this many messages the connection is cut, in the middle of whatever comes.
                for _ in range(self.chance.randint(1, 40)):
                    if self.complete(done, expected):
                        return
                    message = await client.hear()
                    if message["type"] in {"snapshot", "change"}:
                        self.view.take(message)
                        self.compare()
                client.socket.transport.abort()

    def complete(self, done: asyncio.Event, expected: set[str]) -> bool:
        records = self.view.records
        return (
            done.is_set()
            and records.keys() == expected
            and all(r["state"] in FINAL for r in records.values())
        )

    def compare(self) -> None:
        """What has changed since the message before: each end counts, no bar goes back."""
        for task, record in self.view.records.items():
            before = self.known.get(task)
            if before is not None and before["rev"] == record["rev"]:
                continue
            attempt = record["attempt"]
            assert before is None or attempt >= before["attempt"]
            percent = record["progress"]["percent"] or 0.0
            assert percent >= self.percents.get((task, attempt), 0.0)
            self.percents[task, attempt] = percent
            if record["state"] in FINAL and (before is None or before["state"] not in FINAL):
                self.ends.append((task, attempt, record["state"]))
            elif before is not None and before["state"] in FINAL:
                # Final within an attempt.
                assert attempt > before["attempt"] or record["state"] == before["state"]
        self.known = dict(self.view.records)


async def produce(
    server: Server, user: str, chance: random.Random, tasks: list[str], watchers: list[Watcher]
) -> dict[str, list[tuple[str, int, str]]]:
    """Tick all tasks to their ends, some of them twice, until everybody was cut often; gives the ends of each."""
    token = server.token(user)
    create: dict[str, Any] = {"type": "create", "title": "a task", "total": TOTAL, "start": True}
    await asyncio.to_thread(server.report, token, *({**create, "task": task} for task in tasks))
    ends: dict[str, list[tuple[str, int, str]]] = {task: [] for task in tasks}
    done = dict.fromkeys(tasks, 0)
    while done:
        reports: list[dict[str, Any]] = []
        cut = min(watcher.connections for watcher in watchers)
        for task in chance.sample(sorted(done), min(8, len(done))):
            attempt = len(ends[task]) + 1
            # First attempts may end early, the others when everybody was cut often enough.
            if chance.random() > 0.05 or cut < 3 * attempt:
                done[task] = min(TOTAL, done[task] + chance.randint(1, 500))
                reports.append({"type": "progress", "task": task, "done": done[task]})
                continue
            end, state = chance.choice(
                [("succeed", "succeeded"), ("fail", "failed"), ("cancel", "cancelled")]
            )
            ends[task].append((task, attempt, state))
            reports.append({"type": end, "task": task})
            if state == "succeeded" or attempt == 2:
                del done[task]
            else:
                done[task] = 0
                reports.append({"type": "retry", "task": task})
        await asyncio.to_thread(server.report, token, *reports)
    return ends


async def test_a_storm(door: Server, user: str) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    tasks = [f"{user}-{number}" for number in range(TASKS)]
    watchers = [Watcher(door, user, random.Random(chance.random())) for _ in range(3)]
    done = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for watcher in watchers:
            group.create_task(watcher.run(done, set(tasks)))
        ends = await produce(door, user, chance, tasks, watchers)
        done.set()
    page = door.ask("GET", f"/api/tasks?channel=user:{user}&limit=200", door.token(user))
    truth = {task["id"]: task for task in page["tasks"]}
    assert {task["state"] for task in truth.values()} <= FINAL
    assert any(len(of_task) == 2 for of_task in ends.values())
    for task, of_task in ends.items():
        # An end that a retry followed at once can pass unseen, and is told by the record.
        earlier = [(task, past["attempt"], past["state"]) for past in truth[task].get("earlier", [])]
        assert [*earlier, (task, truth[task]["attempt"], truth[task]["state"])] == of_task
    for watcher in watchers:
        assert watcher.view.records == truth
        assert watcher.view.resets == 1
        assert watcher.connections >= 6
        # No end came twice, and the last one of each task always came.
        assert len(watcher.ends) == len(set(watcher.ends))
        assert {of_task[-1] for of_task in ends.values()} <= set(watcher.ends)
        assert set(watcher.ends) <= {end for of_task in ends.values() for end in of_task}
