"""Server CPU for one delivery: Headway's native WebSocket beside the bare write of the same bytes on the same loop."""

from __future__ import annotations

import statistics
import tempfile

from benchmarks.processes import Child, following

CLIENTS = 1000
BYTES = 220
HZ = 15
CHANGES = 150
ROUNDS = 3


def measure() -> dict[str, object]:
    """Microseconds of server CPU for each delivery; the rounds of both alternate, since the machine is noisy."""
    costs: dict[str, list[float]] = {"bare": [], "headway": []}
    for _ in range(ROUNDS):
        for kind, found in costs.items():
            found.append(_round(kind))
    bare, ours = statistics.median(costs["bare"]), statistics.median(costs["headway"])
    return {
        "bare write, µs": round(bare, 2),
        "headway, µs": round(ours, 2),
        "ratio": round(ours / bare, 2),
        "rounds": {kind: [round(cost, 2) for cost in found] for kind, found in costs.items()},
    }


def _round(kind: str) -> float:
    with tempfile.TemporaryDirectory() as data, Child("benchmarks.servers", [kind, data]) as server:
        port, token = server.line().split()
        messages = ["--bare"] if kind == "bare" else following(token)
        with Child("benchmarks.clients", ["127.0.0.1", port, CLIENTS, *messages]) as clients:
            clients.line()
            server.ask("send", 20, HZ, BYTES)
            clients.ask("so far")
            before = server.ask("usage")
            after = server.ask("send", CHANGES, HZ, BYTES)
            clients.wait_for(CHANGES * CLIENTS)
    return float((after["cpu"] - before["cpu"]) / (CHANGES * CLIENTS) * 1e6)
