"""Server CPU for one delivery: each of Headway's doors beside the bare write of as many bytes on the same loop."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from benchmarks.contenders import OURS, Server
from benchmarks.processes import Child

CLIENTS = 1000
BYTES = 220
HZ = 15
"""Below the pace of a feed, which else would send two changes as one."""
CHANGES = 20
WARM = 10
ROUNDS = 6

COLUMNS = ("door", "µs of CPU a delivery", "times the bare write")
AIMS = {
    "headway": "at most 1.3 times",
    "headway socket.io": "at most 1.4 times",
    "headway sse": "at most 1.4 times",
}


def measure() -> dict[str, object]:
    """Microseconds for each, and how many times the bare write that is."""
    costs = deliveries(OURS)
    return {name: (f"{cost:.2f}", f"{cost / costs['bare write']:.2f}") for name, cost in costs.items()}


def deliveries(servers: Mapping[str, Server]) -> dict[str, float]:
    """Microseconds of server CPU for a delivery: the least of several rounds, since other work on the machine only ever adds.

    All of them run at once and are idle but for the one that has its turn, so that a minute that is bad is bad for all.
    """
    least: dict[str, float] = {}
    with ExitStack() as stack:
        running = {name: _Running(server, stack) for name, server in servers.items()}
        for _ in range(ROUNDS):
            for name, one in running.items():
                cost = one.round(CHANGES)
                least[name] = min(cost, least.get(name, cost))
    return least


class _Running:
    def __init__(self, server: Server, stack: ExitStack) -> None:
        """Start it, let its clients come, and send them enough that the first round finds what the others find."""
        data = stack.enter_context(tempfile.TemporaryDirectory())
        self._server = stack.enter_context(Child.of(server.command(data)))
        port, token = self._server.line().split()
        self._clients = stack.enter_context(server.start_clients(port, CLIENTS, server.follow(token)))
        self._clients.line()
        self._server.ask("send", WARM, HZ, BYTES)

    def round(self, changes: int) -> float:
        """Microseconds a delivery."""
        self._clients.ask("so far")
        before: dict[str, Any] = self._server.ask("usage")
        after = self._server.ask("send", changes, HZ, BYTES)
        self._clients.wait_for(changes * CLIENTS)
        return float((after["cpu"] - before["cpu"]) / (changes * CLIENTS) * 1e6)
