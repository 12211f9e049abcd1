"""The stock client at a server where somebody else's application has us inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conformance.stock import stock_client
from tests.hosts import MOUNTED, Mounted
from tests.servers import running_server

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("form", MOUNTED)
async def test_a_client_polls_upgrades_and_follows(tmp_path: Path, form: Mounted) -> None:
    async with running_server(tmp_path, form) as server:
        token = server.token("ada")
        task = server.ask("POST", "/api/tasks", token, {"title": "A job", "total": 10, "start": True})["id"]
        path = server.url.removeprefix(server.origin) + "/socket.io/"
        options: dict[str, Any] = {"auth": {"token": token}, "path": path}
        async with (
            stock_client(server.origin, **options) as client,
            stock_client(server.origin, transports=["polling"], **options) as polling,
        ):
            # Who begins by polling may have changed before it was let in.
            if (await client.hear("connect"))["transport"] == "polling":
                await client.hear("upgrade")
            assert (await polling.hear("connect"))["transport"] == "polling"
            for one in (client, polling):
                await one.emit("subscribe", {"id": 1, "channel": "user:ada"})
                snapshot = (await one.event("snapshot"))[0]
                assert [known["id"] for known in snapshot["tasks"]] == [task]
            server.report(token, {"type": "progress", "task": task, "done": 4})
            for one in (client, polling):
                change = (await one.event("change"))[0]
                assert change["task"]["progress"]["done"] == 4
