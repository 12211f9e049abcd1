"""A thousand tasks tick fifty times a second each, and two hundred clients watch all of them."""

from __future__ import annotations

import tempfile

from benchmarks.processes import Child, following

TASKS = 1000
HZ = 50
WATCHERS = 200
WARM = 5
SECONDS = 20


def measure() -> dict[str, object]:
    """The server's share of one core, what it sends, how old a change is when a client reads it, and what memory does."""
    with tempfile.TemporaryDirectory() as data, Child("benchmarks.servers", ["headway", data]) as server:
        port, token = server.line().split()
        who = ["127.0.0.1", port, WATCHERS, TASKS, HZ, *following(token)]
        with Child("benchmarks.flood_clients", who) as clients:
            clients.line()
            server.ask("flood", TASKS, HZ, WARM)
            # The pause between two floods is no staleness.
            clients.ask("so far")
            before = server.ask("usage")
            after = server.ask("flood", TASKS, HZ, SECONDS)
            seen = clients.ask("so far")
    seconds = after["at"] - before["at"]
    return {
        "updates a second": f"{after['updates'] / seconds:,.0f} of {TASKS * HZ:,}",
        "share of one core": f"{(after['cpu'] - before['cpu']) / seconds:.0%}",
        "megabytes a second, to all": round(seen["bytes"] / seconds / 1e6),
        "staleness, median/p99 ms": "{median:.0f} / {p99:.0f}".format(**seen["delays_ms"]),
        "memory grew by, MiB": round((after["rss_kib"] - before["rss_kib"]) / 1024, 1),
        "most that waited for one client, KiB": round(after["waiting"] / 1024),
    }
