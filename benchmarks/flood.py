"""A thousand tasks tick fifty times a second each, and two hundred clients watch all of them."""

from __future__ import annotations

import tempfile

from benchmarks.processes import Child, following

TASKS = 1000
HZ = 50
WORKERS = 10
WATCHERS = 200
WARM = 5
SECONDS = 20

AIMS = {
    "server's share of one core": "below 100 %",
    "staleness at the 99th percentile, ms": "at most 250",
    "memory grew by, MiB": "flat",
}


def measure() -> dict[str, object]:
    """The server's share of one core, what it sends, how old a change is when a client reads it, and what memory does.

    The workers report over HTTP, from a process of their own; staleness counts from the moment before they do.
    """
    with tempfile.TemporaryDirectory() as data, Child("benchmarks.servers", ["headway", data]) as server:
        port, token = server.line().split()
        here = ["127.0.0.1", port]
        with (
            Child("benchmarks.flood_clients", [*here, WATCHERS, TASKS, HZ, *following(token)]) as clients,
            Child("benchmarks.producers", [*here, token, WORKERS, TASKS, HZ]) as producers,
        ):
            clients.line()
            producers.line()
            producers.ask("flood", WARM)
            # The pause between two floods is no staleness.
            clients.ask("so far")
            before = server.ask("collect")
            accepted = producers.ask("flood", SECONDS)["updates"]
            after = server.ask("usage")
            rss = server.ask("collect")["rss_kib"]
            seen = clients.ask("so far")
    seconds = after["at"] - before["at"]
    return {
        "updates accepted a second": f"{accepted / SECONDS:,.0f} of {TASKS * HZ:,}",
        "server's share of one core": f"{(after['cpu'] - before['cpu']) / seconds:.0%}",
        "megabytes a second, to all": round(seen["bytes"] / seconds / 1e6),
        "staleness, median, ms": round(seen["delays_ms"]["median"]),
        "staleness at the 99th percentile, ms": round(seen["delays_ms"]["p99"]),
        "memory grew by, MiB": round((rss - before["rss_kib"]) / 1024, 1),
        "clients lost": seen["lost"],
    }
