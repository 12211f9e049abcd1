"""One server for all tests of REST, each of which is a user of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.servers import Server, serving

_names = itertools.count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), lost_after=2, max_body_bytes=1_000_000) as server:
        yield server


@pytest.fixture
def user() -> str:
    """Somebody who did nothing yet."""
    return f"rest-{next(_names)}"


@pytest.fixture
def token(server: Server, user: str) -> str:
    return server.token(user)
