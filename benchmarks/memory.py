"""Resident memory of one idle, authenticated connection."""

from __future__ import annotations

import tempfile

from benchmarks.processes import Child, authenticating

CLIENTS = 10_000
WARM = 200


def measure() -> dict[str, object]:
    """KiB for each, and the CPU that a connection with a verified token costs until it is welcome."""
    with tempfile.TemporaryDirectory() as data, Child("benchmarks.servers", ["headway", data]) as server:
        port, token = server.line().split()
        who = authenticating(token)
        # What the first connections make the process load belongs to none of them.
        with Child("benchmarks.clients", ["127.0.0.1", port, WARM, *who]) as first:
            first.line()
            before = server.ask("usage")
            with Child("benchmarks.clients", ["127.0.0.1", port, CLIENTS, *who]) as clients:
                clients.line()
                after = server.ask("usage")
    return {
        "connections": after["connections"] - before["connections"],
        "KiB each": round((after["rss_kib"] - before["rss_kib"]) / CLIENTS, 2),
        "connects a second of CPU": round(CLIENTS / (after["cpu"] - before["cpu"])),
    }
