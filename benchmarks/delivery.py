"""Server CPU for one delivery: Headway's native WebSocket and its Socket.IO beside the bare write of the same bytes on the
same loop."""

from __future__ import annotations

import statistics
import tempfile

from benchmarks.processes import SOCKET_IO, Child, following, joining_to_follow

CLIENTS = 1000
BYTES = 220
HZ = 15
CHANGES = 150
ROUNDS = 3


def measure() -> dict[str, object]:
    """Microseconds of server CPU for each delivery; the rounds of all alternate, since the machine is noisy."""
    costs: dict[str, list[float]] = {"bare": [], "headway": [], "socket.io": []}
    for _ in range(ROUNDS):
        for kind, found in costs.items():
            found.append(_round(kind))
    bare, ours, socketio = (statistics.median(found) for found in costs.values())
    return {
        "bare write, µs": round(bare, 2),
        "headway, µs": round(ours, 2),
        "ratio": round(ours / bare, 2),
        "socket.io, µs": round(socketio, 2),
        "its ratio": round(socketio / bare, 2),
        "rounds": {kind: [round(cost, 2) for cost in found] for kind, found in costs.items()},
    }


def _round(kind: str) -> float:
    program = "bare" if kind == "bare" else "headway"
    with tempfile.TemporaryDirectory() as data, Child("benchmarks.servers", [program, data]) as server:
        port, token = server.line().split()
        messages = {
            "bare": ["--bare"],
            "headway": following(token),
            "socket.io": [*SOCKET_IO, *joining_to_follow(token)],
        }[kind]
        with Child("benchmarks.clients", ["127.0.0.1", port, CLIENTS, *messages]) as clients:
            clients.line()
            server.ask("send", 20, HZ, BYTES)
            clients.ask("so far")
            before = server.ask("usage")
            after = server.ask("send", CHANGES, HZ, BYTES)
            clients.wait_for(CHANGES * CLIENTS)
    return float((after["cpu"] - before["cpu"]) / (CHANGES * CLIENTS) * 1e6)
