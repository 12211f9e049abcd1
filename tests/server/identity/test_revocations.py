"""What was taken back stays so, over restarts, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headway.buses.memory import MemoryBus
from headway.errors import StoreUnavailable, TokenRevoked
from headway.model.grant import Grant
from headway.server.identity import revocations as module
from headway.server.identity.revocations import Revocations
from headway.stores.memory import MemoryStore
from headway.stores.sqlite import SqliteStore

NOW = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore()
    await store.open()
    return store


async def test_one_token_is_taken_back_and_no_other(store: MemoryStore) -> None:
    revocations = Revocations(store, MemoryBus(), Clock())
    mine, other = Grant("ada", id="t-1"), Grant("ada", id="t-2")
    revocations.check(mine)
    await revocations.revoke_token("t-1", by="root")
    with pytest.raises(TokenRevoked):
        revocations.check(mine)
    revocations.check(other)
    # One without an id is not meant by anybody.
    await revocations.revoke_token("")
    revocations.check(other)


async def test_all_tokens_of_a_user_until_now_are_taken_back(store: MemoryStore) -> None:
    clock = Clock()
    revocations = Revocations(store, MemoryBus(), clock)
    await revocations.revoke_user("ada")
    assert revocations.covers(Grant("ada", issued_at=NOW))
    assert revocations.covers(Grant("ada", issued_at=NOW - 1))
    # Who does not say when may be older than anything.
    assert revocations.covers(Grant("ada"))
    assert not revocations.covers(Grant("ada", issued_at=NOW + 0.001))
    assert not revocations.covers(Grant("Ada", issued_at=NOW - 1))
    assert [revocations.covers_user("ada", at) for at in (0.0, NOW, NOW + 1)] == [True, True, False]
    clock.now += 100
    await revocations.revoke_user("ada")
    assert revocations.covers(Grant("ada", issued_at=NOW + 50))


async def test_it_survives_a_restart(tmp_path: Path) -> None:
    for life in range(2):
        store = SqliteStore(tmp_path / "headway.db")
        await store.open()
        revocations = Revocations(store, MemoryBus(), Clock())
        await revocations.open()
        if life == 0:
            await revocations.revoke_token("t-1")
            await revocations.revoke_user("bob")
        assert revocations.covers(Grant("ada", id="t-1"))
        assert revocations.covers(Grant("bob", issued_at=NOW))
        assert not revocations.covers(Grant("ada", id="t-2", issued_at=NOW))
        await store.close()


async def test_more_than_one_page_is_read_at_the_start(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", 7)
    revocations = Revocations(store, MemoryBus(), Clock())
    for number in range(30):
        await revocations.revoke_token(f"t-{number}")
    again = Revocations(store, MemoryBus(), Clock())
    await again.open()
    assert all(again.covers(Grant("ada", id=f"t-{number}")) for number in range(30))


async def test_every_process_hears_of_it(store: MemoryStore) -> None:
    bus = MemoryBus()
    here, there = Revocations(store, bus, Clock()), Revocations(store, bus, Clock())
    told: list[dict[str, Any]] = []
    there.told = lambda **what: told.append(what)
    await here.revoke_token("t-1")
    await here.revoke_user("ada")
    assert told == [
        {"token": "t-1", "user": None, "until": NOW},
        {"token": None, "user": "ada", "until": NOW},
    ]
    assert there.covers(Grant("bob", id="t-1"))


async def test_what_could_not_be_kept_is_not_taken_back(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: object) -> None:
        raise StoreUnavailable

    revocations = Revocations(store, MemoryBus(), Clock())
    monkeypatch.setattr(store, "write", fail)
    with pytest.raises(StoreUnavailable):
        await revocations.revoke_token("t-1")
    assert not revocations.covers(Grant("ada", id="t-1"))


async def test_tokens_that_have_expired_are_forgotten(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TIDY", 10)
    clock = Clock()
    revocations = Revocations(store, MemoryBus(), clock)
    revocations._tidy_at = 10
    for number in range(200):
        clock.now += 1
        await revocations.revoke_token(f"t-{number}", expires_at=clock.now + 3)
    assert len(revocations._tokens) < 12
    assert revocations.covers(Grant("ada", id="t-199"))
    # The store drops them by itself.
    assert await store.purge(int((clock.now + 10) * 1000)) == 200
