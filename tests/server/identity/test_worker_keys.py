"""Worker keys: shown once, kept as a digest, limited to channels, and gone at once when they are revoked."""

from __future__ import annotations

from typing import Any

import pytest

from headway.buses.memory import MemoryBus
from headway.errors import InvalidField, NotFound, Overloaded, TokenExpired, Unauthenticated
from headway.model.grant import Ability
from headway.server.identity.worker_keys import KIND, WorkerKeys
from headway.stores.memory import MemoryStore

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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(store: MemoryStore, clock: Clock) -> WorkerKeys:
    return WorkerKeys(store, MemoryBus(), clock)


async def test_a_key_publishes_where_it_was_made_for(keys: WorkerKeys) -> None:
    about, key = await keys.create("nightly import", ["project:7", "user:*"], by="root")
    grant = keys.verify(key)
    assert key.startswith(f"hwk_{about.id}_")
    assert grant.channels == ("project:7", "user:*")
    assert grant.can == {Ability.PUBLISH}
    assert grant.covers("project:7")
    assert not grant.covers("project:8")
    # It is nobody: no user has its name, and none of theirs is opened by it.
    assert grant.user == f"worker-{about.id}"
    assert (about.by, about.created_at) == ("root", int(NOW * 1000))


async def test_what_is_kept_lets_nobody_in(keys: WorkerKeys, store: MemoryStore) -> None:
    about, key = await keys.create("import", ["*"])
    document = await store.document(KIND, about.id)
    assert document is not None
    secret = key.rpartition("_")[2] if len(key.rpartition("_")[2]) == 43 else key[-43:]
    assert secret not in document.data
    assert key not in document.data
    assert "digest" not in str(keys.all())
    assert key not in str(keys.all())


@pytest.mark.parametrize("change", ["last", "id", "prefix", "longer", "shorter", "case", "break"])
async def test_nearly_the_key_is_not_the_key(keys: WorkerKeys, change: str) -> None:
    _, key = await keys.create("import", ["*"])
    wrong = {
        "last": key[:-1] + ("A" if key[-1] != "A" else "B"),
        "id": key[:4] + ("b" if key[4] != "b" else "c") + key[5:],
        "prefix": "hwt_" + key[4:],
        "longer": key + "A",
        "shorter": key[:-1],
        "case": key[:4] + key[4:20].upper() + key[20:],
        "break": key + "\n",
    }[change]
    with pytest.raises(Unauthenticated, match="worker key") as refused:
        keys.verify(wrong)
    assert wrong not in refused.value.message


async def test_a_revoked_key_is_none_and_the_others_stay(keys: WorkerKeys, store: MemoryStore) -> None:
    about, key = await keys.create("first", ["*"])
    _, other = await keys.create("second", ["*"])
    await keys.remove(about.id)
    with pytest.raises(Unauthenticated):
        keys.verify(key)
    keys.verify(other)
    assert [known.name for known in keys.all()] == ["second"]
    with pytest.raises(NotFound):
        await keys.remove(about.id)
    assert await store.document(KIND, about.id) is None


async def test_a_key_may_expire(keys: WorkerKeys, clock: Clock) -> None:
    _, key = await keys.create("for a day", ["*"], ttl=86_400)
    assert keys.verify(key).expires_at == NOW + 86_400
    clock.now += 86_400
    with pytest.raises(TokenExpired):
        keys.verify(key)


async def test_keys_that_have_expired_do_not_count_against_the_limit(
    keys: WorkerKeys, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.server.identity.worker_keys._MOST", 2)
    lasting, _ = await keys.create("lasting", ["*"])
    await keys.create("import", ["*"], ttl=60)
    with pytest.raises(Overloaded, match="revoke one"):
        await keys.create("another", ["*"])
    clock.now += 60
    another, _ = await keys.create("another", ["*"])
    assert keys.all() == (lasting, another)


async def test_keys_survive_a_restart_and_reach_other_processes(store: MemoryStore) -> None:
    bus = MemoryBus()
    here, there = WorkerKeys(store, bus), WorkerKeys(store, bus)
    about, key = await here.create("import", ["*"])
    again = WorkerKeys(store, MemoryBus())
    await again.open()
    assert again.verify(key) == here.verify(key)
    assert again.all() == (about,)
    await _settled(there)
    assert there.verify(key) == here.verify(key)
    await here.remove(about.id)
    await _settled(there)
    with pytest.raises(Unauthenticated):
        there.verify(key)
    await there.close()


async def _settled(keys: WorkerKeys) -> None:
    for task in tuple(keys._shelf._reloading):
        await task


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 101},
        {"name": "a\nb"},
        {"channels": []},
        {"channels": ["everything"]},
        {"channels": ["user:"]},
        {"channels": [f"project:{n}" for n in range(101)]},
        {"can": []},
        {"can": [Ability.ADMIN]},
        {"can": [Ability.PUBLISH, Ability.ADMIN]},
    ],
)
async def test_a_key_that_cannot_be(keys: WorkerKeys, wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"name": "import", "channels": ["*"], **wrong}
    with pytest.raises(InvalidField):
        await keys.create(given.pop("name"), given.pop("channels"), **given)
    assert keys.all() == ()
