"""From a reporter's call in a worker process to the message in a client, while the server is half busy.

A lone change leaves the reporter at once and changes that follow it within its flush interval (50 ms) together; the
calls here are further apart than that, so that what is measured is the way and not the waiting.
"""

from __future__ import annotations

import tempfile

from benchmarks.processes import Child, following, pause

CROWD = 4500
WATCHERS = 50
HZ = 20
SECONDS = 10

AIMS = {"median, ms": "at most 5", "99th percentile, ms": "at most 50, the flush interval"}


def measure() -> dict[str, object]:
    """Milliseconds; and how busy the server was with the crowd's deliveries meanwhile."""
    with tempfile.TemporaryDirectory() as data, Child("benchmarks.servers", ["headway", data]) as server:
        port, token = server.line().split()
        crowd = Child("benchmarks.clients", ["127.0.0.1", port, CROWD, *following(token)])
        watchers = Child(
            "benchmarks.clients",
            ["127.0.0.1", port, WATCHERS, "--stamp", *following(token, "project:latency")],
        )
        with crowd, watchers:
            crowd.line()
            watchers.line()
            with Child("benchmarks.reporter", [port, token, SECONDS]) as reporter:
                before = server.ask("usage")
                after = server.ask("send", int(SECONDS * HZ), HZ, 220)
                reporter.line()
            pause()
            seen = watchers.ask("so far")["delays_ms"]
    return {
        "server busy, %": round((after["cpu"] - before["cpu"]) / (after["at"] - before["at"]) * 100),
        "median, ms": round(seen["median"], 2),
        "99th percentile, ms": round(seen["p99"], 2),
        "messages": seen["count"],
    }
