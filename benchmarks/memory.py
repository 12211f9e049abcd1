"""Resident memory of one idle, authenticated connection: native, and Socket.IO over WebSocket."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence

from benchmarks.processes import SOCKET_IO, Child, authenticating, joining, joining_to_follow

CLIENTS = 10_000
WARM = 200


def measure() -> dict[str, object]:
    """KiB for each, and how many connections with a verified token a second of CPU is enough for."""
    return {
        "native": _measured((), authenticating),
        "socket.io": _measured(SOCKET_IO, joining),
        "socket.io, with a subscription that can be recovered": _measured(SOCKET_IO, joining_to_follow),
    }


def _measured(options: Sequence[str], who: Callable[[str], list[str]]) -> str:
    with tempfile.TemporaryDirectory() as data, Child("benchmarks.servers", ["headway", data]) as server:
        port, token = server.line().split()
        words = [*options, *who(token)]
        # What the first connections make the process load belongs to none of them.
        with Child("benchmarks.clients", ["127.0.0.1", port, WARM, *words]) as first:
            first.line()
            before = server.ask("usage")
            with Child("benchmarks.clients", ["127.0.0.1", port, CLIENTS, *words]) as clients:
                clients.line()
                after = server.ask("usage")
    kib = (after["rss_kib"] - before["rss_kib"]) / CLIENTS
    connects = CLIENTS / (after["cpu"] - before["cpu"])
    return f"{kib:.2f} KiB each ({after['connections'] - before['connections']}), {connects:.0f} connects a second of CPU"
