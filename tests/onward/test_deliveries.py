"""Deliveries: at least once, with one id, again after failures and restarts, and given up in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from headway.hub.hub import unix_ms
from headway.onward import deliveries as module
from headway.onward.backoff import Backoff
from headway.onward.deliveries import Deliveries
from headway.onward.delivery import ATTEMPT, DELIVERY, Attempt, Delivery, message_document
from headway.onward.endpoint import Endpoint
from headway.onward.post import Poster
from headway.onward.signature import make_secret
from headway.ports.store import Writes
from headway.stores.memory import MemoryStore
from tests.hub.world import SlowStore
from tests.onward.receiver import Receiver, receiving

SOON = Backoff(first=0.02, factor=1.5, longest=0.1, span=60)


class World:
    """A store, endpoints, and deliveries that were started."""

    def __init__(self, store: MemoryStore, backoff: Backoff) -> None:
        self.store = store
        self.endpoints: dict[str, Endpoint] = {}
        self.poster = Poster(("127.0.0.0/8",), 10.0, "Headway/test")
        self.deliveries = Deliveries(store, self.poster, self.endpoints.get, unix_ms, backoff, 3600.0)

    def add(self, name: str, receiver: Receiver, **fields: Any) -> Endpoint:
        self.endpoints[name] = Endpoint(name, f"{receiver.url}/{name}", make_secret(b"k" * 32), **fields)
        return self.endpoints[name]

    async def owe(self, endpoint: str, *messages: str) -> list[Delivery]:
        """Write what is owed as the hub does, then say so."""
        now = unix_ms()
        owed = [Delivery(f"{m}.{endpoint}", m, endpoint, "ping", now, now) for m in messages]
        documents = [message_document(m, b'{"n":"%b"}' % m.encode(), now + 10**6) for m in messages]
        await self.store.write(Writes(documents=[*documents, *(d.document() for d in owed)]))
        self.deliveries.owe(owed)
        return owed

    async def attempts(self, endpoint: str) -> list[Attempt]:
        """The log, the oldest first."""
        found = await self.store.documents(ATTEMPT, endpoint, limit=100)
        return [msgspec.json.decode(document.data, type=Attempt) for document in found][::-1]

    async def until(self, done: Callable[[], Any]) -> None:
        """Wait for something that a receiver's thread brings about."""
        async with asyncio.timeout(30):
            while not (await found if asyncio.iscoroutine(found := done()) else found):
                await asyncio.sleep(0.005)

    async def settled(self) -> None:
        """Wait until nothing is owed any more."""
        await self.until(lambda: not any(self.deliveries.waiting(name)[0] for name in self.endpoints))


@asynccontextmanager
async def world(store: MemoryStore | None = None, backoff: Backoff = SOON) -> AsyncIterator[World]:
    store = store or MemoryStore()
    await store.open()
    world = World(store, backoff)
    yield world
    await world.deliveries.stop(0)
    await world.poster.close()


async def test_a_message_is_delivered_and_owed_no_more(receiver: Receiver) -> None:
    async with world() as w:
        endpoint = w.add("a", receiver)
        await w.owe("a", "msg_1")
        await w.settled()
        (got,) = receiver.got
        assert (got.path, got.id, got.body) == ("/a", "msg_1", b'{"n":"msg_1"}')
        assert got.signed_with(endpoint.secret)
        assert await w.store.documents(DELIVERY) == ()
        (attempt,) = await w.attempts("a")
        assert (attempt.state, attempt.status, attempt.number, attempt.next_at) == ("delivered", 204, 1, None)


async def test_a_failure_is_tried_again_under_the_same_id(receiver: Receiver) -> None:
    receiver.answers = [(500, {}), (302, {"Location": "/elsewhere"}), (200, {})]
    async with world() as w:
        w.add("a", receiver)
        await w.owe("a", "msg_1")
        await w.settled()
        assert [got.id for got in receiver.got] == ["msg_1"] * 3
        assert {got.body for got in receiver.got} == {b'{"n":"msg_1"}'}
        log = await w.attempts("a")
        assert [(line.state, line.status, line.number) for line in log] == [
            ("retrying", 500, 1), ("retrying", 302, 2), ("delivered", 200, 3),
        ]  # fmt: skip
        assert all(line.next_at and line.next_at > line.at for line in log[:2])


async def test_it_is_given_up_readably(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.answers = [(500, {})] * 100
    async with world(backoff=Backoff(first=0.02, factor=2, longest=1, span=0.2)) as w:
        w.add("a", receiver)
        await w.owe("a", "msg_1")
        await w.settled()
        log = await w.attempts("a")
        assert [line.state for line in log] == ["retrying"] * (len(log) - 1) + ["given_up"]
        assert len(log) == len(receiver.got) > 1
        assert "gave up on a webhook's message: answered 500" in caplog.text
        assert await w.store.documents(DELIVERY) == ()


async def test_one_that_is_gone_for_good_or_switched_off_is_not_asked_again(receiver: Receiver) -> None:
    receiver.answers = [(410, {})]
    async with world() as w:
        w.add("gone", receiver)
        w.add("off", receiver, active=False)
        await w.owe("gone", "msg_1")
        await w.owe("off", "msg_2")
        await w.settled()
        assert [got.path for got in receiver.got] == ["/gone"]
        assert [(line.state, line.status) for line in await w.attempts("gone")] == [("given_up", 410)]
        (off,) = await w.attempts("off")
        assert (off.state, off.error) == ("given_up", "the endpoint is switched off")


async def test_what_is_owed_to_nobody_is_let_go(receiver: Receiver) -> None:
    async with world() as w:
        await w.owe("deleted", "msg_1")
        await w.until(lambda: w.deliveries.waiting("deleted")[0] == 0)
        assert await w.store.documents(DELIVERY) == ()


async def test_a_restart_goes_on_with_what_was_owed(receiver: Receiver) -> None:
    store = MemoryStore()
    with receiving() as down:
        pass
    async with world(store, Backoff(first=0.01, factor=1, longest=0.01)) as w:
        w.add("a", down)
        await w.owe("a", *(f"msg_{number}" for number in range(30)))
        await w.until(lambda: w.attempts("a"))
    async with world(store) as w:
        w.add("a", receiver)
        await w.deliveries.start()
        await w.settled()
        assert {got.id for got in receiver.got} == {f"msg_{number}" for number in range(30)}


async def test_what_was_on_its_way_at_the_end_is_sent_again(receiver: Receiver) -> None:
    store = MemoryStore()
    receiver.gate.clear()
    async with world(store) as w:
        w.add("a", receiver)
        await w.owe("a", "msg_1")
        await w.until(lambda: receiver.got)
    receiver.gate.set()
    async with world(store) as w:
        w.add("a", receiver)
        await w.deliveries.start()
        await w.settled()
    assert [got.id for got in receiver.got] == ["msg_1", "msg_1"]


async def test_only_so_many_are_on_their_way_at_once_and_one_to_who_fails(receiver: Receiver) -> None:
    receiver.gate.clear()
    async with world() as w:
        for name in "abcdef":
            w.add(name, receiver)
            await w.owe(name, *(f"msg_{name}{number}" for number in range(10)))
        await w.until(lambda: len(receiver.got) == module._AT_ONCE)
        assert {
            name: sum(got.path == f"/{name}" for got in receiver.got) for name in "abcd"
        } == dict.fromkeys("abcd", module._AT_ONCE_EACH)
        receiver.gate.set()
        await w.settled()
        assert receiver.busiest <= module._AT_ONCE
        assert len(receiver.got) == 60

    with receiving() as failing:
        failing.answers = [(500, {})] * 21
        async with world() as w:
            w.add("a", failing)
            await w.owe("a", "first")
            await w.until(lambda: w.deliveries.waiting("a")[1])
            failing.busiest = 0
            await w.owe("a", *(f"msg_{number}" for number in range(5)))
            await w.until(lambda: len(failing.got) >= 20)
            assert failing.busiest == 1
            await w.settled()


async def test_one_that_never_answers_does_not_keep_the_others_waiting(receiver: Receiver) -> None:
    with receiving() as stuck:
        stuck.gate.clear()
        async with world() as w:
            w.add("stuck", stuck)
            w.add("fine", receiver)
            await w.owe("stuck", *(f"msg_s{number}" for number in range(50)))
            await w.owe("fine", *(f"msg_f{number}" for number in range(50)))
            await w.until(lambda: w.deliveries.waiting("fine")[0] == 0)
            assert len(receiver.got) == 50
            assert len(stuck.got) <= module._AT_ONCE_EACH


async def test_a_store_that_does_not_write_costs_a_repetition(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STORE_RETRY", 20)
    store = SlowStore()
    async with world(store) as w:
        w.add("a", receiver)
        receiver.gate.clear()
        await w.owe("a", "msg_1")
        await w.until(lambda: receiver.got)
        store.failing = 1
        receiver.gate.set()
        await w.settled()
        assert [got.id for got in receiver.got] == ["msg_1", "msg_1"]
        assert [line.state for line in await w.attempts("a")] == ["delivered"]


async def test_who_has_changed_is_tried_at_once(receiver: Receiver) -> None:
    with receiving() as down:
        pass
    async with world(backoff=Backoff(first=3600)) as w:
        endpoint = w.add("a", down)
        await w.owe("a", "msg_1")
        await w.until(lambda: w.deliveries.waiting("a")[1])
        w.endpoints["a"] = replace(endpoint, url=f"{receiver.url}/new")
        w.deliveries.hurry("a")
        await w.settled()
        assert [got.path for got in receiver.got] == ["/new"]
        assert w.deliveries.waiting("a") == (0, None)


async def test_a_test_is_sent_once_whatever_comes_of_it(receiver: Receiver) -> None:
    receiver.answers = [(500, {})]
    async with world() as w:
        endpoint = w.add("a", receiver, active=False)
        attempt = await w.deliveries.ping(endpoint, "msg_1")
        assert (attempt.state, attempt.status, attempt.event) == ("given_up", 500, "ping")
        assert (await w.deliveries.ping(endpoint, "msg_2")).state == "delivered"
        assert [got.json["type"] for got in receiver.got] == ["ping", "ping"]
        assert [line.message for line in await w.attempts("a")] == ["msg_1", "msg_2"]


async def test_there_is_room_for_so_many(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_EACH", 3)
    monkeypatch.setattr(module, "_MOST", 5)
    receiver.gate.clear()
    async with world() as w:
        for name in "ab":
            w.add(name, receiver)
        await w.owe("a", "msg_1", "msg_2")
        assert w.deliveries.room("a")
        await w.owe("a", "msg_3")
        assert not w.deliveries.room("a")
        assert w.deliveries.room("b")
        await w.owe("b", "msg_4", "msg_5")
        assert not w.deliveries.room("b")
        receiver.gate.set()
        await w.settled()
        assert w.deliveries.room("a")
