"""Resident memory of one idle, authenticated connection on each of Headway's doors."""

from __future__ import annotations

import tempfile
from typing import NamedTuple

from benchmarks.contenders import OURS, Server
from benchmarks.processes import Child, joining_to_follow

CLIENTS = 10_000
WARM = 200

COLUMNS = ("door", "KiB a connection", "connects a second of CPU")
AIMS = {"headway": "at most 4 KB", "headway socket.io": "at most 5 KB", "headway sse": "at most 10 KB"}


class Idle(NamedTuple):
    """What one connection costs: KiB, and how many a second of CPU is enough for."""

    kib: float
    connects: float


def measure() -> dict[str, object]:
    """KiB for each, and how many connections a second of CPU is enough for when all have the same token."""
    recovering = OURS["headway socket.io"]._replace(idle=joining_to_follow)
    doors = {
        "headway": OURS["headway"],
        "headway socket.io": OURS["headway socket.io"],
        "headway socket.io, with a subscription that can be recovered": recovering,
        "headway sse": OURS["headway sse"],
    }
    found = {name: idle(server) for name, server in doors.items()}
    return {name: (f"{one.kib:.2f}", f"{one.connects:.0f}") for name, one in found.items()}


def idle(server: Server) -> Idle:
    """Let many connect that say nothing more."""
    with tempfile.TemporaryDirectory() as data, Child.of(server.command(data)) as child:
        port, token = child.line().split()
        said = server.idle(token)
        # What the first connections make the process load belongs to none of them.
        with server.start_clients(port, WARM, said) as first:
            first.line()
            before = child.ask("collect")
            with server.start_clients(port, CLIENTS, said) as clients:
                clients.line()
                cpu = child.ask("usage")["cpu"] - before["cpu"]
                after = child.ask("collect")
    return Idle((after["rss_kib"] - before["rss_kib"]) / CLIENTS, CLIENTS / cpu)
