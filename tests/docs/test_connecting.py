"""The clients of the how-to guides, as they stand there, against a real server: the whole life of a task, and a cut line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.docs.guides import FLAVOURS, Guides, View
from tests.e2e.conftest import browser
from tests.network import Network
from tests.servers import PATIENCE, Server, serving

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
def flavour(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def opens(flavour: str, guides: Guides, pages: str, browser: Browser) -> Iterator[Opens]:
    """Runs a client of a guide: `opens(contract, **options)`."""
    views: list[View] = []

    def make(contract: str, **options: Any) -> View:
        views.append(guides.open(pages, browser, contract, flavour, options))
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


def until(look: Callable[[], Any]) -> Any:
    """What is there as soon as something is."""
    ends = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.02)
    return found


def speaking(dialect: str) -> Any:
    """A fixture that is a server of this dialect."""

    @pytest.fixture(scope="module")
    def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
        with serving(tmp_path_factory.mktemp(dialect), dialect=dialect) as server:
            yield server

    return server


dedup_server = speaking("dedup")
studio_server = speaking("studio")
voice_server = speaking("voice")
user_tasks_server = speaking("user-tasks")
notifications_server = speaking("notifications")


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


def test_studio(opens: Opens, way: Network, studio_server: Server) -> None:
    server = studio_server
    way.to = server.address
    token = server.token(f"painter-{way.port}")

    def submitted() -> str:
        return str(until(lambda: server.ask("GET", "/api/tasks?state=queued", token)["tasks"])[0]["id"])

    # Given two devices of the same person
    first, second = opens("studio", url=way.url, token=token), opens("studio", url=way.url, token=token)

    # When one of them submits
    first.press("Draw")
    task = submitted()

    # Then both see the card, and what becomes of it, whatever the line does
    for view in (first, second):
        view.shows("a red fox: 0 %")
    server.report(
        token, {"type": "start", "task": task}, {"type": "progress", "task": task, "done": 2, "total": 5}
    )
    for view in (first, second):
        view.shows("a red fox: 40 %")
    way.cut()
    server.report(token, {"type": "succeed", "task": task, "result": {"images": []}})
    way.restore()
    for view in (first, second):
        view.shows("a red fox: completed")

    # And the end of one that is cancelled
    second.press("Draw")
    server.ask("POST", f"/api/tasks/{submitted()}/cancel", token)
    for view in (first, second):
        view.shows("a red fox: The task was cancelled")

    opens("studio", url=way.url, token="no token at all").shows("The token is not valid here")


def test_voice(opens: Opens, way: Network, voice_server: Server) -> None:
    server = voice_server
    way.to = server.address
    user, project = f"ada-{way.port}", f"book-{way.port}"
    token = server.token(user, channels=[f"project:{project}"])

    def job(chapter: str, **fields: Any) -> str:
        meta = {"chapterId": chapter}
        body = {"title": chapter, "kind": "audio", "start": True, "total": 100, "meta": meta, **fields}
        return str(server.ask("POST", "/api/tasks", token, body)["id"])

    def report(kind: str, task: str, **fields: Any) -> None:
        server.report(token, {"type": kind, "task": task, **fields})

    # Given somebody with a job of her own, and somebody else's job in a project
    view = opens("voice", url=way.url, token=token, projects=[project])
    mine = job("c1")
    report("progress", mine, done=30)
    view.shows("c1: 30 %")
    other = job("c2", channel=f"project:{project}")
    report("progress", other, done=90)
    view.shows("c2: 90 %")

    # When one of them ends while the line is cut, and the other one after it
    way.cut()
    report("succeed", mine, result={"audioUrl": "data:audio/wav,", "duration": 2.5, "fileSize": 100})
    way.restore()
    view.shows("c1: complete")
    report("fail", other, error="no voice")
    view.shows("c2: no voice")

    # And who has no business here
    stranger = opens("voice", url=way.url, token=server.token("bob"), projects=[project])
    stranger.shows(f"This token does not open the channel project:{project}")


def test_user_tasks(opens: Opens, way: Network, user_tasks_server: Server) -> None:
    server = user_tasks_server
    way.to = server.address
    user = way.port
    token = server.token(str(user))

    def report(kind: str, **fields: Any) -> None:
        server.report(token, {"type": kind, "task": f"plan-{user}", **fields})

    view = opens("user-tasks", url=way.url, token=token, userId=user)
    report("create", title="Plan", start=True)
    view.shows("Plan: started 0 %")
    report("progress", done=4, total=10, message="pages")
    view.shows("Plan: processing 40 %")
    way.cut()
    report("progress", done=7)
    way.restore()
    view.shows("Plan: processing 70 %")
    report("succeed")
    view.shows("Plan: success 100 %")
    view.press("Clear")
    view.gone("Plan: success 100 %")
    view.press("History")
    view.shows("Plan: success 100 %")

    stranger = opens("user-tasks", url=way.url, token=server.token("1"), userId=user)
    stranger.shows("This token belongs to another user")


def test_the_inbox_of_notifications(opens: Opens, way: Network, notifications_server: Server) -> None:
    server = notifications_server
    way.to = server.address
    user = f"reader-{way.port}"
    token = server.token(user)

    def notify(title: str) -> None:
        server.ask("POST", "/api/notifications", token, {"title": title, "user": user})

    notify("Earlier")
    view = opens("notifications", url=way.url, token=token)
    view.shows("1 unread")
    notify("Live")
    view.shows("2 unread")
    view.shows("Live (unread)")
    view.press("Read")
    view.shows("Live (read)")
    way.cut()
    notify("While away")
    way.restore()
    view.shows("While away (unread)")
    view.shows("2 unread")
    view.press("Read all")
    view.shows("0 unread")

    opens("notifications", url=way.url, token="no token at all").shows("The token is not valid here")


# The guide has it in plain JavaScript and in TypeScript, and streams for browsers.
@pytest.mark.parametrize(
    ("flavour", "stream"),
    [("node", False), ("plain", False), ("plain", True), ("typescript", False), ("typescript", True)],
    indirect=["flavour"],
)
def test_a_task_of_notifications(
    opens: Opens, way: Network, notifications_server: Server, stream: bool
) -> None:
    server = notifications_server
    way.to = server.address
    token = server.token("ada")

    def begin() -> tuple[str, View]:
        task = server.ask("POST", "/api/tasks", token, {"title": "T", "total": 4, "start": True})["id"]
        return task, opens("notifications", url=way.url, token=token, task=task, stream=stream)

    task, view = begin()
    view.shows("progress 0 %")
    server.report(token, {"type": "progress", "task": task, "done": 1})
    view.shows("progress 25 %")
    way.cut()
    server.report(token, {"type": "progress", "task": task, "done": 3})
    way.restore()
    view.shows("progress 75 %")
    server.report(token, {"type": "succeed", "task": task})
    view.shows("completed 100 %")

    task, view = begin()
    view.shows("progress 0 %")
    server.report(token, {"type": "fail", "task": task, "error": "no prices"})
    view.shows("error no prices")
