"""Every adapter of a port, and every form of the native door."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from headway.ports.store import Store
from headway.stores.memory import MemoryStore
from headway.stores.sqlite import SqliteStore
from tests.hosts import MOUNTED
from tests.servers import FORMS, Server, serving

_names = itertools.count()


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    adapter: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "headway.db")
    await adapter.open()
    yield adapter
    await adapter.close()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "everywhere: runs inside every framework and server of tests/hosts.py too"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test runs at each form of the door; a module can ask for more (`DOORS`), a test for all of them."""
    if "door" in metafunc.fixturenames:
        everywhere = any(metafunc.definition.iter_markers("everywhere"))
        forms = (*FORMS, *MOUNTED) if everywhere else getattr(metafunc.module, "DOORS", FORMS)
        metafunc.parametrize("door", forms, indirect=True, scope="session")


@pytest.fixture(scope="session")
def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with its own settings, one for all tests: each of them is a user of its own."""
    with serving(tmp_path_factory.mktemp("door"), request.param) as server:
        yield server


@pytest.fixture(params=FORMS, scope="session")
def impatient(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As `door`, with limits that are soon reached."""
    with serving(
        tmp_path_factory.mktemp("impatient"),
        request.param,
        auth_timeout=0.5,
        heartbeat=1,
        write_deadline=1,
        max_subscriptions=3,
        max_message_bytes=2048,
        message_rate=10,
        message_burst=10,
    ) as server:
        yield server


@pytest.fixture
def user() -> str:
    """Somebody who did nothing yet."""
    return f"user-{next(_names)}"
