"""Ten thousand clients lose their connections and come back, all at once."""

from __future__ import annotations

import tempfile
import time

from benchmarks.processes import Child

CLIENTS = 10_000
TASKS = 10
WORD = "meanwhile"

AIMS = {
    "seconds until all are caught up": "at most 10",
    "changes that came": "all",
}


def measure() -> dict[str, object]:
    """Seconds until every client has what changed while it was away, the CPU that cost, and whether anything is missing."""
    with tempfile.TemporaryDirectory() as data, Child("benchmarks.servers", ["headway", data]) as server:
        port, token = server.line().split()
        server.ask("mark", TASKS, "before")
        who = ["127.0.0.1", port, CLIENTS, token, "user:bench", TASKS, WORD]
        with Child("benchmarks.resume_clients", who) as clients:
            clients.line()
            clients.ask("drop")
            while server.ask("usage")["connections"]:
                time.sleep(0.05)
            server.ask("mark", TASKS, WORD)
            before = server.ask("usage")
            came = clients.ask("resume")
            after = server.ask("usage")
    return {
        "clients": CLIENTS,
        "seconds until all are caught up": round(came["seconds"], 2),
        "seconds of server CPU": round(after["cpu"] - before["cpu"], 2),
        "changes that came": f"{came['heard']:,.0f} of {CLIENTS * TASKS:,}",
        "connections": after["connections"],
    }
