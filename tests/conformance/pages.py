"""What a page keeps of what it follows with the stock client: no revision comes twice, and its views are the server's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.conformance.stock import StockClient, stock_client
from tests.network import Network
from tests.servers import Server

__all__ = ["TRANSPORTS", "Page", "View", "page"]

TRANSPORTS = (["polling", "websocket"], ["websocket"], ["polling"])


class View:
    """What a page keeps of one subscription, from the events alone."""

    def __init__(self, name: int) -> None:
        self.name = name
        self.tasks: dict[str, dict[str, Any]] = {}
        self.resets = 0
        self.seen: set[tuple[str, int]] = set()

    def take(self, event: str, message: dict[str, Any]) -> None:
        if message["id"] != self.name:
            return
        if event == "snapshot":
            if message["reset"]:
                self.resets += 1
                self.tasks.clear()
                self.seen.clear()
            arrived = message["tasks"]
            for gone in message["removed"]:
                self.tasks.pop(gone, None)
        else:
            arrived = [message["task"]] if "task" in message else []
        for task in arrived:
            assert (task["id"], task["rev"]) not in self.seen, "a revision came twice"
            self.seen.add((task["id"], task["rev"]))
            self.tasks[task["id"]] = task


class Page:
    """A client and its views; all that befalls it goes through here."""

    def __init__(self, client: StockClient, *, upgrades: bool) -> None:
        self.client = client
        self.upgrades = upgrades
        self.views: dict[int, View] = {}
        self.logs: list[dict[str, Any]] = []

    async def hear(self, *whats: str) -> dict[str, Any]:
        """The next thing that befalls it, or the next of these."""
        while True:
            said = await self.client.hear()
            if said["what"] == "event" and said["event"] in ("snapshot", "change"):
                for view in self.views.values():
                    view.take(said["event"], said["args"][0])
            if said["what"] == "event" and said["event"] == "log":
                self.logs.append(said["args"][0])
            if not whats or said["what"] in whats or (said["what"] == "event" and said["event"] in whats):
                return said

    async def arrive(self) -> dict[str, Any]:
        """Wait until it is connected by the transport that it stays with.

        One whose network goes while it changes to a WebSocket may not notice before its pings fail to come.
        """
        said = await self.hear("connect")
        if self.upgrades and said["transport"] == "polling":
            await self.hear("upgrade")
        return said

    async def follow(self, name: int, **fields: Any) -> None:
        """Subscribe; returns when that is durable and the answer is here."""
        self.views[name] = View(name)
        await self.client.do("emit", event="subscribe", args=[{"id": name, **fields}], ack=True)
        heard = {(await self.hear("ack", "snapshot"))["what"] for _ in range(2)}
        assert heard == {"ack", "event"}

    async def until(self, name: int, wanted: dict[str, str]) -> None:
        """Wait until a view shows these states, by title."""
        while {task["title"]: task["state"] for task in self.views[name].tasks.values()} != wanted:
            await self.hear("snapshot", "change")


@asynccontextmanager
async def page(server: Server, way: Network, user: str = "ada", **options: Any) -> AsyncIterator[Page]:
    options.setdefault("transports", TRANSPORTS[0])
    options.setdefault("extraHeaders", {"connection": "close"})
    options.setdefault("path", server.url.removeprefix(server.origin) + "/socket.io/")
    async with stock_client(way.url, auth={"token": server.token(user)}, **options) as client:
        yield Page(client, upgrades=len(options["transports"]) > 1)
