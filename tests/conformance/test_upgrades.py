"""The stock client changes to a WebSocket while the network fails: it stays, or comes back, and misses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

import pytest

from tests.conformance.pages import View, page
from tests.network import Fault, Network
from tests.servers import FORMS, Form, Server, serving

pytestmark = pytest.mark.slow

ASKED = b"transport=websocket"
"""What only the request says that begins a WebSocket."""
PROBED = 12
"""Bytes of the frame that asks whether the WebSocket works; the next one ends the change."""

STAYS = {
    "it is not let in": Fault("reset", 0, "client", since=ASKED),
    "half of the answer": Fault("cut", 60, "client", since=ASKED),
    "before it is tried": Fault("reset", 0, "server", since=ASKED),
    "while it is tried": Fault("cut", 5, "server", since=ASKED),
    "it is never let in": Fault("stall", 0, "client", since=ASKED),
    "it is tried in vain": Fault("stall", 0, "server", since=ASKED),
}
COMES_BACK = {
    "before the end": Fault("reset", PROBED, "server", since=ASKED),
    "half of the end": Fault("cut", PROBED + 3, "server", since=ASKED),
}
CHANGES = {
    "it is let in late": Fault("stall", 0, "client", 0.5, since=ASKED),
    "it is tried late": Fault("stall", 0, "server", 0.5, since=ASKED),
    "it ends late": Fault("stall", PROBED, "server", 0.5, since=ASKED),
}

users = map("upgrading-{}".format, count())


@pytest.fixture(params=FORMS, scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    form: Form = request.param
    with serving(tmp_path_factory.mktemp("upgrades"), form) as server:
        yield server


@pytest.mark.parametrize("which", [*STAYS, *COMES_BACK, *CHANGES])
async def test_nothing_is_lost_and_nothing_comes_twice(server: Server, which: str) -> None:
    user = next(users)
    token = server.token(user)
    fault = {**STAYS, **COMES_BACK, **CHANGES}[which]
    tasks = [
        server.ask("POST", "/api/tasks", token, {"title": str(n), "total": 50, "start": True})["id"]
        for n in range(5)
    ]

    def work() -> None:
        """All the while that the client changes."""
        for done in range(1, 51):
            server.report(token, *({"type": "progress", "task": task, "done": done} for task in tasks))
        server.report(token, *({"type": "succeed", "task": task} for task in tasks))

    def fate() -> list[Fault]:
        return [] if way.struck else [fault]

    awaited = (
        {"ack", "upgrade"} if which in CHANGES else {"ack", "disconnect"} if which in COMES_BACK else {"ack"}
    )
    wanted = {str(n): "succeeded" for n in range(5)}
    with Network(server.address[1], fate) as way:
        async with page(server, way, user) as ours:
            working = asyncio.create_task(asyncio.to_thread(work))
            view = ours.views[1] = View(1)
            heard: set[str] = set()
            while not heard >= awaited or states(view) != wanted:
                said = await ours.hear()
                heard.add(said["what"])
                if said.get("transport") == "websocket":
                    # It had changed before it was let in.
                    heard.add("upgrade")
                # What was asked for and not answered is lost with the connection.
                if said["what"] == "connect" and not ("ack" in heard and said["recovered"]):
                    assert "ack" not in heard
                    await ours.client.do(
                        "emit", event="subscribe", args=[{"id": 1, "channel": f"user:{user}"}], ack=True
                    )
            await working
            assert all(task["progress"]["done"] == 50 for task in view.tasks.values())
            # However it stands now, it asks and is answered.
            assert (await ours.client.ask("ping"))[0]["ok"]
            if which in STAYS:
                assert heard.isdisjoint({"disconnect", "upgrade"})
    assert way.struck == {fault.kind: 1}


def states(view: View) -> dict[str, str]:
    return {task["title"]: task["state"] for task in view.tasks.values()}
