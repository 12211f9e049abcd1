"""The clients of the how-to guides, as they stand there, against a real server: the whole life of a task, and a cut line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.docs.guides import FLAVOURS, Guides, View
from tests.e2e.conftest import browser
from tests.network import Network
from tests.servers import Server, serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Opens = Callable[..., View]


@pytest.fixture(scope="module")
def guides(tmp_path_factory: pytest.TempPathFactory) -> Guides:
    guides = Guides(tmp_path_factory.mktemp("guides"))
    guides.build()
    return guides


@pytest.fixture(scope="module")
def pages(guides: Guides) -> Iterator[str]:
    with guides.served() as url:
        yield url


@pytest.fixture(params=FLAVOURS)
def opens(request: pytest.FixtureRequest, guides: Guides, pages: str, browser: Browser) -> Iterator[Opens]:
    """Runs a client of a guide: `opens(contract, **options)`."""
    views: list[View] = []

    def make(contract: str, **options: Any) -> View:
        views.append(guides.open(pages, browser, contract, request.param, options))
        return views[-1]

    yield make
    for view in views:
        view.close()


@pytest.fixture
def way() -> Iterator[Network]:
    with Network(0) as network:
        yield network


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def speaking(dialect: str) -> Any:
    """A fixture that is a server of this dialect."""

    @pytest.fixture(scope="module")
    def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
        with serving(tmp_path_factory.mktemp(dialect), dialect=dialect) as server:
            yield server

    return server


dedup_server = speaking("dedup")


def test_types_are_right(guides: Guides) -> None:
    assert guides.check() == ""


def test_dedup(opens: Opens, way: Network, dedup_server: Server) -> None:
    server = dedup_server
    way.to = server.address
    token = server.token("ada")
    task = server.ask("POST", "/api/tasks", token, {"title": "Compare", "total": 4, "start": True})
    view = opens("dedup", url=way.url, token=token, id=task["number"])

    view.shows("running 0 %")
    server.report(token, {"type": "progress", "task": task["id"], "done": 1})
    view.shows("running 25 %")
    server.report(token, {"type": "pause", "task": task["id"]})
    view.shows("paused 25 %")
    way.cut()
    server.report(
        token,
        {"type": "resume", "task": task["id"]},
        {"type": "progress", "task": task["id"], "done": 3},
    )
    way.restore()
    view.shows("running 75 %")
    server.report(token, {"type": "succeed", "task": task["id"]})
    view.shows("completed 100 %")

    # Who comes late, and who has no business here
    opens("dedup", url=way.url, token=token, id=task["number"]).shows("completed 100 %")
    stranger = opens("dedup", url=way.url, token=server.token("bob"), id=task["number"])
    stranger.shows(f"There is no task {task['number']}")
    opens("dedup", url=way.url, token="no token at all", id=task["number"]).shows("token")
