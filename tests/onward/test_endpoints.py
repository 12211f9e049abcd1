"""Which endpoints there are: those of the settings as they are, the others as administrators keep them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from headway.errors import Forbidden, NotFound, RateLimited
from headway.onward.endpoint import Endpoint
from headway.onward.endpoints import MOST, Endpoints
from headway.stores.memory import MemoryStore

FIXED = Endpoint("fixed", "https://a.example", "s")
KEPT = Endpoint("KEPT", "https://b.example", "s")


async def test_what_is_kept_is_there_after_a_restart() -> None:
    store = MemoryStore()
    await store.open()
    endpoints = Endpoints(store, [FIXED])
    await endpoints.start()
    await endpoints.keep(KEPT)
    await endpoints.keep(replace(KEPT, title="New"))
    again = Endpoints(store, [FIXED])
    await again.start()
    assert again.all() == [FIXED, replace(KEPT, title="New")]
    await again.drop("KEPT")
    last = Endpoints(store, [])
    await last.start()
    assert last.all() == []


async def test_those_of_the_settings_stay_as_they_are() -> None:
    store = MemoryStore()
    await store.open()
    endpoints = Endpoints(store, [FIXED])
    assert endpoints.is_fixed("fixed")
    with pytest.raises(Forbidden, match="settings"):
        await endpoints.keep(replace(FIXED, title="New"))
    with pytest.raises(Forbidden, match="settings"):
        await endpoints.drop("fixed")
    with pytest.raises(NotFound):
        await endpoints.drop("other")
    with pytest.raises(NotFound):
        endpoints.find("other")
    assert endpoints.find("fixed") is FIXED


async def test_there_is_a_limit_to_them() -> None:
    store = MemoryStore()
    await store.open()
    endpoints = Endpoints(store, [FIXED])
    for number in range(MOST):
        await endpoints.keep(replace(KEPT, id=f"E{number}"))
    with pytest.raises(RateLimited, match="delete one first"):
        await endpoints.keep(KEPT)
    await endpoints.keep(replace(KEPT, id="E7", title="changed"))
