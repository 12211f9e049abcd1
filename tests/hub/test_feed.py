"""Delivery: pace, who is behind, what is shared, and that nobody waits for anybody."""

from __future__ import annotations

import asyncio
from typing import Any

from headway.hub.feed import STALENESS, Feed, Subscription
from headway.hub.log import Bounds, CompactedLog
from headway.hub.sources import ChannelSource
from headway.hub.wheel import Wheel
from headway.ports.store import Window
from tests.contract.store_records import make_task
from tests.hub.world import CODEC, InstantLoop, TestLink, instant

PACE = 0.05


class Scene:
    """A feed of one channel, and the loop's time."""

    def __init__(self, pace: float = PACE) -> None:
        self.log = CompactedLog(Window((), 0), Bounds(), 0)
        self.feed = Feed(
            ChannelSource(self.log, "e"), CODEC, b'"s"', pace, Wheel(asyncio.get_running_loop()), "user:ada"
        )

    def change(self, task: str = "a", **fields: Any) -> int:
        rev = self.log.head + 1
        self.log.put(make_task(task, rev, **fields))
        self.feed.changed()
        return rev

    def join(self, position: int | None = None) -> tuple[TestLink, Subscription]:
        link = TestLink()
        subscription = self.feed.join(link, position)
        link.on_drained = subscription.drained
        return link, subscription


def seen(link: TestLink) -> list[int]:
    """Revisions that came as changes."""
    return [int(message["cursor"].split(".")[1]) for message in link.messages if message["type"] == "change"]


@instant
async def test_a_lone_change_goes_out_at_once_and_the_next_ones_at_the_pace() -> None:
    scene = Scene()
    link, _ = scene.join()
    scene.change()
    assert seen(link) == [1]
    for _ in range(10):
        scene.change()
    assert seen(link) == [1]
    await asyncio.sleep(PACE + 0.011)
    assert seen(link) == [1, 11]
    await asyncio.sleep(10)
    assert link.batches == 3


@instant
async def test_no_more_than_twenty_batches_a_second_and_the_last_change_arrives() -> None:
    scene = Scene()
    link, _ = scene.join()
    for _ in range(1000):
        scene.change()
        await asyncio.sleep(0.001)
    await asyncio.sleep(1)
    assert 15 <= link.batches <= 22
    assert seen(link)[-1] == 1000


LARGE = 300
"""Tasks whose batch is larger than what a client is sent in a quarter of a second."""


async def changing_all(scene: Scene, seconds: float) -> None:
    """Change so many tasks fifty times a second."""
    big = {"text": "x" * 4000}
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        for task in range(LARGE):
            scene.log.put(make_task(f"t{task}", scene.log.head + 1, meta=big))
        scene.feed.changed()
        await asyncio.sleep(0.02)


@instant
async def test_large_batches_come_less_often_and_never_later_than_promised() -> None:
    scene = Scene()
    link, _ = scene.join()
    await changing_all(scene, 2)
    assert 2 / STALENESS <= link.batches - 1 <= 2 / 0.2 + 1


class Weighty(TestLink):
    """One of very many: to give them all their batch takes time."""

    seconds = 0.06

    def deliver(self, data: bytes) -> bool:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, InstantLoop)
        loop.now += self.seconds
        return super().deliver(data)


@instant
async def test_the_time_that_a_turn_takes_is_part_of_what_is_promised() -> None:
    scene = Scene()
    link = Weighty()
    scene.feed.join(link, None)
    await changing_all(scene, 2)
    # From the beginning of a turn to the end of the next one.
    assert 2 / (STALENESS - link.seconds) <= link.batches - 1


@instant
async def test_a_turn_that_takes_very_long_leaves_half_of_the_time_to_others() -> None:
    scene = Scene()
    link = Weighty()
    link.seconds = 0.5
    scene.feed.join(link, None)
    await changing_all(scene, 2)
    assert link.batches - 1 <= 2 / (2 * link.seconds) + 1


@instant
async def test_a_full_link_is_left_alone_until_it_drains_and_then_gets_the_newest_only() -> None:
    scene = Scene()
    slow, _ = scene.join()
    quick, _ = scene.join()
    slow.fill()
    for _ in range(10):
        scene.change()
        await asyncio.sleep(0.1)
    assert slow.attempts == {"s": 1}
    assert seen(quick) == list(range(1, 11))
    slow.drain()
    await asyncio.sleep(0.1)
    assert seen(slow) == [10]
    scene.change()
    assert seen(slow)[-1] == seen(quick)[-1] == 11


@instant
async def test_who_comes_while_a_turn_is_due_gets_nothing_twice() -> None:
    scene = Scene()
    first, _ = scene.join()
    scene.change()
    scene.change()
    second, _ = scene.join()
    assert second.messages[0]["cursor"] == "e.2"
    scene.change()
    await asyncio.sleep(1)
    assert seen(first) == [1, 3]
    assert seen(second) == [3]


@instant
async def test_a_link_that_is_full_from_the_start_gets_its_answer_when_it_drains() -> None:
    scene = Scene()
    link = TestLink()
    link.fill()
    subscription = scene.feed.join(link, None)
    link.on_drained = subscription.drained
    scene.change()
    assert link.messages == []
    link.drain()
    await asyncio.sleep(0.1)
    assert [message["type"] for message in link.messages] == ["snapshot"]
    assert subscription.caught_up


@instant
async def test_who_left_gets_nothing_and_the_last_one_empties_the_feed_once() -> None:
    scene = Scene()
    emptied: list[str] = []
    scene.feed.on_empty = lambda: emptied.append("now")
    first, leaving = scene.join()
    _, staying = scene.join()
    scene.change()
    scene.change()
    leaving.leave()
    leaving.leave()
    assert emptied == []
    await asyncio.sleep(1)
    assert seen(first) == [1]
    staying.leave()
    staying.leave()
    assert emptied == ["now"]


@instant
async def test_what_is_encoded_is_shared_by_all_who_stand_at_one_place() -> None:
    scene = Scene()
    got: list[bytes] = []

    class Keeper(TestLink):
        def deliver(self, data: bytes) -> bool:
            got.append(data)
            return True

    for _ in range(3):
        scene.feed.join(Keeper(), None)
    got.clear()
    scene.change()
    assert len(got) == 3
    assert got[0] is got[1] is got[2]


@instant
async def test_what_was_shared_is_let_go_of() -> None:
    scene = Scene()
    scene.join()
    scene.change()
    assert scene.feed._shared[1]
    await asyncio.sleep(5)
    assert not scene.feed._shared[1]
    scene.change()
    assert scene.feed._shared[1]
    await asyncio.sleep(5)
    assert not scene.feed._shared[1]
