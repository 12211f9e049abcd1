"""Polls that wait: what ends them, and that nothing is left of them."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from headway.buses.memory import MemoryBus
from headway.hub.hub import Hub
from headway.model.grant import Ability
from headway.stores.memory import MemoryStore
from headway.transports.deadlines import Deadlines
from tests.hub.world import instant
from tests.servers import FORMS, PATIENCE, Form, Server

DOORS: tuple[Form, ...] = (*FORMS, "mounted")


class Waiting:
    """Somebody who waits."""

    def __init__(self) -> None:
        self.over: list[float] = []

    def time_over(self) -> None:
        self.over.append(asyncio.get_running_loop().time())


@instant
async def test_deadlines_are_never_early_and_little_late() -> None:
    hub = Hub(MemoryStore(), MemoryBus())
    await hub.start()
    deadlines = Deadlines(hub)
    began = asyncio.get_running_loop().time()
    waiting = {seconds: Waiting() for seconds in (0.0, 0.01, 0.25, 25.0, 25.04)}
    for seconds, one in waiting.items():
        deadlines.add(one, seconds)
    gone = Waiting()
    deadlines.discard(gone, deadlines.add(gone, 3.0))
    assert len(deadlines) == len(waiting)
    await asyncio.sleep(30)
    for seconds, one in waiting.items():
        (over,) = one.over
        assert seconds <= over - began <= seconds + 0.15
    assert gone.over == []
    assert len(deadlines) == 0
    await hub.stop()


@instant
async def test_deadlines_go_on_with_a_hub_that_is_started_again() -> None:
    hub = Hub(MemoryStore(), MemoryBus())
    await hub.start()
    deadlines = Deadlines(hub)
    before = Waiting()
    deadlines.add(before, 5)
    await hub.stop()
    await hub.start()
    after = Waiting()
    deadlines.add(after, 5)
    await asyncio.sleep(6)
    assert len(after.over) == 1
    assert before.over == []
    await hub.stop()


def begin(door: Server, user: str, path: str) -> socket.socket:
    """Ask, and read no answer."""
    waiting = socket.create_connection(door.address, timeout=PATIENCE)
    head = f"GET {urlsplit(door.url).path}{path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {door.token(user)}\r\n\r\n"
    waiting.sendall(head.encode())
    return waiting


def until_connections(door: Server, admin: str, wanted: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while door.ask("GET", "/api/stats", admin)["connections"] != wanted:
        assert time.monotonic() < deadline


@pytest.mark.slow
@pytest.mark.everywhere
@pytest.mark.parametrize("end", ["close", "half"])
def test_a_poll_whose_client_has_gone_is_given_up(door: Server, user: str, end: str) -> None:
    admin = door.token(user, Ability.ADMIN)
    (message,) = door.ask("GET", f"/poll?channel=user:{user}", door.token(user))["messages"]
    before = door.ask("GET", "/api/stats", admin)["connections"]
    waiting = begin(door, user, f"/poll?channel=user:{user}&cursor={message['cursor']}&wait=60")
    until_connections(door, admin, before + 1)
    if end == "close":
        waiting.close()
    else:
        waiting.shutdown(socket.SHUT_WR)
    until_connections(door, admin, before)
    waiting.close()


@pytest.mark.slow
def test_a_poll_is_answered_on_a_connection_that_is_kept(door: Server, user: str) -> None:
    token = door.token(user)
    task = door.ask("POST", "/api/tasks", token, {"title": "A job", "total": 10, "start": True})["id"]
    (message,) = door.ask("GET", f"/poll?channel=user:{user}", token)["messages"]
    path = f"{urlsplit(door.url).path}/poll?channel=user:{user}"
    headers = {"Authorization": f"Bearer {token}"}
    with closing(HTTPConnection(*door.address, timeout=PATIENCE)) as connection:
        connection.request("GET", f"{path}&cursor={message['cursor']}", headers=headers)
        door.ask("PATCH", f"/api/tasks/{task}", token, {"done": 4})
        (message,) = json.load(connection.getresponse())["messages"]
        # The next one runs out of time.
        connection.request("GET", f"{path}&cursor={message['cursor']}&wait=0.1", headers=headers)
        assert json.load(connection.getresponse()) == {"messages": []}
