"""A server with us inside, from what its own application keeps to how it ends while clients are connected."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import urllib3
from websockets.asyncio.client import connect

from tests.clients import View, logged_in
from tests.contract.test_streams import Events
from tests.hosts import MOUNTED, Mounted
from tests.servers import running_server

pytestmark = pytest.mark.slow

CUTS = {
    "granian": "it cuts connections while what was said last is on its way: the close, and the end of a stream",
}


@pytest.mark.parametrize("form", MOUNTED)
async def test_an_open_page_does_not_hold_the_server(tmp_path: Path, form: Mounted) -> None:
    # Given an application with a page and a socket of its own, one client on our socket and one on our stream
    async with running_server(tmp_path, form) as server, logged_in(server) as client:
        own = await asyncio.to_thread(urllib3.request, "GET", f"{server.origin}/own")
        assert own.json() == {"database": "open"}
        async with connect(f"ws{server.origin.removeprefix('http')}/echo", proxy=None) as socket:
            await socket.send("hello")
            assert await socket.recv() == "you said hello"
        token, view = server.token(), View()
        await client.follow(view, channel="user:ada")
        events = await asyncio.to_thread(Events, server, "/events?channel=user:ada", token)
        await asyncio.to_thread(events.next)
        task = await asyncio.to_thread(server.ask, "POST", "/api/tasks", token, {"title": "Kept"})

        # When the server is told to stop, with no deadline of its own
        stopped = await asyncio.to_thread(server.stop)

        # Then it does, and says goodbye where the server lets us finish
        assert stopped in {0, -15}
        if form not in CUTS:
            code, _, said = await client.ended()
            assert "goodbye" in [message["type"] for message in said]
            assert events.rest()[-1]["code"] == code - 4000 == 300
        events.close()
    if form in {"mounted", *CUTS}:
        # And what was written is there when it comes back.
        async with running_server(tmp_path, form) as server, logged_in(server) as client:
            await client.follow(view, channel="user:ada")
            assert list(view.records) == [task["id"]]
