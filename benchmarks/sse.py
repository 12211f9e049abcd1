"""Server-Sent Events: CPU for one delivery beside the bare write of as many bytes, and memory of one idle stream."""

from __future__ import annotations

import statistics
import tempfile

from benchmarks.processes import Child

CLIENTS = 1000
BYTES = 220
AROUND = 40
"""What the id, the field's name and the chunk's head add to a message, about."""
HZ = 15
CHANGES = 150
ROUNDS = 3
IDLE = 5000


def measure() -> dict[str, object]:
    """Microseconds of server CPU for each delivery, in alternating rounds; KiB of resident memory for each stream."""
    costs: dict[str, list[float]] = {"bare": [], "headway": []}
    for _ in range(ROUNDS):
        for kind, found in costs.items():
            found.append(_round(kind))
    bare, ours = statistics.median(costs["bare"]), statistics.median(costs["headway"])
    return {
        "bare write, µs": round(bare, 2),
        "headway, µs": round(ours, 2),
        "ratio": round(ours / bare, 2),
        "KiB for each idle stream": _memory(),
        "rounds": {kind: [round(cost, 2) for cost in found] for kind, found in costs.items()},
    }


def _clients(port: str, token: str, count: int) -> Child:
    return Child(
        "benchmarks.event_clients", ["127.0.0.1", port, count, f"/events?channel=user:bench&token={token}"]
    )


def _round(kind: str) -> float:
    with tempfile.TemporaryDirectory() as data, Child("benchmarks.servers", [kind, data]) as server:
        port, token = server.line().split()
        bare = kind == "bare"
        size = BYTES + AROUND if bare else BYTES
        with (
            Child("benchmarks.clients", ["127.0.0.1", port, CLIENTS, "--bare"])
            if bare
            else _clients(port, token, CLIENTS)
        ) as clients:
            clients.line()
            server.ask("send", 20, HZ, size)
            clients.ask("so far")
            before = server.ask("usage")
            after = server.ask("send", CHANGES, HZ, size)
            clients.wait_for(CHANGES * CLIENTS)
    return float((after["cpu"] - before["cpu"]) / (CHANGES * CLIENTS) * 1e6)


def _memory() -> float:
    with tempfile.TemporaryDirectory() as data, Child("benchmarks.servers", ["headway", data]) as server:
        port, token = server.line().split()
        # What the first streams make the process load belongs to none of them.
        with _clients(port, token, 200) as first:
            first.line()
            before = server.ask("usage")
            with _clients(port, token, IDLE) as clients:
                clients.line()
                after = server.ask("usage")
    return round(float(after["rss_kib"] - before["rss_kib"]) / IDLE, 2)
