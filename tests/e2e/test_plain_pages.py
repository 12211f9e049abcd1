"""Pages without our client: what the browser's own EventSource and WebSocket make of the doors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3

from headway.model.grant import Ability
from tests.clients import View
from tests.e2e.visitors import AWAY, Site, Visitor
from tests.network import Network

Visit = Callable[..., Visitor]

_EVENTS = """(query) => {
  window.heard = [];
  const source = new EventSource('/events?' + query);
  source.onopen = () => heard.push({ open: true });
  source.onmessage = ({ lastEventId, data }) => heard.push({ id: lastEventId, message: JSON.parse(data) });
  source.onerror = () => heard.push({ closed: source.readyState === EventSource.CLOSED });
}"""
_SOCKET = """([protocol, subscribe]) => {
  window.heard = [];
  window.socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws', [protocol]);
  socket.onopen = () => socket.send(JSON.stringify(subscribe));
  socket.onmessage = ({ data }) => heard.push({ message: JSON.parse(data) });
  socket.onclose = ({ code, wasClean }) => heard.push({ code, wasClean, protocol: socket.protocol });
}"""


class Listening:
    """What a page heard, in order."""

    def __init__(self, visitor: Visitor) -> None:
        self._page = visitor.page
        self._next = 0

    def hear(self, *kinds: str) -> dict[str, Any]:
        """The next thing with one of these fields."""
        while True:
            self._page.wait_for_function("(next) => heard.length > next", arg=self._next)
            said: dict[str, Any] = self._page.evaluate("(next) => heard[next]", self._next)
            self._next += 1
            if any(kind in said for kind in kinds):
                return said

    def message(self, kind: str) -> dict[str, Any]:
        while (said := self.hear("message"))["message"]["type"] != kind:
            pass
        return said


@pytest.fixture
def network(site: Site) -> Iterator[Network]:
    """A way to the site, which can be cut."""
    network = Network(int(site.port))
    yield network
    network.close()


@pytest.fixture
def person(site: Site, visit: Visit, network: Network) -> Visitor:
    """Somebody with a login, on a page of the site that runs nothing."""
    visitor = visit()
    visitor.allow(AWAY)
    visitor.keep(site.token(), network.url)
    visitor.page.goto(f"{network.url}/healthz")
    return visitor


@pytest.fixture
def ask(site: Site) -> Callable[..., Any]:
    """REST, as the worker of a task."""
    headers = {"Authorization": f"Bearer {site.token('local', None, *Ability)}"}

    def ask(method: str, path: str, body: dict[str, Any]) -> Any:
        answer = urllib3.request(method, f"{site.url}/api/tasks{path}", json=body, headers=headers)
        assert answer.status < 300, answer.data
        return answer.json()

    return ask


def test_an_event_source_resumes_where_it_was_cut_and_ends(
    person: Visitor, network: Network, ask: Callable[..., Any]
) -> None:
    ask("POST", "", {"id": "job", "title": "A job", "total": 10, "start": True})
    person.page.evaluate(_EVENTS, "task=job&until=done")
    listening = Listening(person)
    first = listening.message("snapshot")
    view = View(first["message"]["id"])
    view.take(first["message"])
    ask("PATCH", "/job", {"done": 1})
    said = listening.message("change")
    view.take(said["message"])
    assert (first["id"] != said["id"], said["id"]) == (True, view.cursor)
    network.cut()
    assert listening.hear("closed") == {"closed": False}
    ask("PATCH", "/job", {"done": 2})
    network.restore()
    view.take(listening.message("snapshot")["message"])
    # What changed since, by the browser's own Last-Event-ID.
    assert view.resets == 1
    assert view.records["job"]["progress"]["done"] == 2
    ask("POST", "/job/succeed", {})
    while view.records["job"]["state"] != "succeeded":
        view.take(listening.hear("message")["message"])
    # It comes again, as it always does, and is told that there is no more.
    while not listening.hear("closed")["closed"]:
        pass


@pytest.mark.parametrize("end", ["cut", "closed"])
def test_a_plain_websocket_follows_with_the_cookie_and_goes_on_by_its_cursor(
    person: Visitor, network: Network, ask: Callable[..., Any], end: str
) -> None:
    ask("POST", "", {"id": "job", "title": "A job", "total": 10, "start": True})
    subscribe: dict[str, Any] = {"type": "subscribe", "id": 1, "task": "job"}
    person.page.evaluate(_SOCKET, ["headway.v1", subscribe])
    listening, view = Listening(person), View(1)
    view.take(listening.message("snapshot")["message"])
    ask("PATCH", "/job", {"done": 4})
    view.take(listening.message("change")["message"])
    if end == "cut":
        network.cut()
    else:
        person.page.evaluate("socket.close(1000)")
    closed = listening.hear("code")
    assert closed["protocol"] == "headway.v1"
    assert (closed["code"], closed["wasClean"]) == ((1006, False) if end == "cut" else (1000, True))
    ask("PATCH", "/job", {"done": 7})
    if end == "cut":
        network.restore()
    person.page.evaluate(_SOCKET, ["headway.v1", {**subscribe, "cursor": view.cursor}])
    view.take(Listening(person).message("snapshot")["message"])
    assert view.resets == 1
    assert view.records["job"]["progress"]["done"] == 7


def test_a_plain_websocket_is_told_by_a_code_why_it_was_closed(person: Visitor) -> None:
    person.page.evaluate(_SOCKET, ["headway.v1", {"type": "auth", "token": "no token of ours"}])
    assert Listening(person).hear("code")["code"] in range(4400, 4500), json.dumps(
        person.page.evaluate("heard")
    )
