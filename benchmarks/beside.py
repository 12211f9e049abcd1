"""Headway beside its peers: the same clients, the same message, the same run.

A peer that cannot be started here is named as missing, never guessed.
"""

from __future__ import annotations

from benchmarks.contenders import SERVERS, missing
from benchmarks.delivery import deliveries
from benchmarks.memory import idle

COLUMNS = ("server", "µs of CPU a delivery", "times the bare write", "KiB an idle connection")
AIMS = {
    "headway": "1.3 times, 4 KiB",
    "headway socket.io": "1.4 times, 5 KiB",
    "headway sse": "1.4 times, 10 KiB",
    "headway : nchan": "below 1",
    "headway socket.io : node socket.io": "at most 0.6",
    "headway socket.io : python-socketio": "at most 0.1",
}


def measure() -> dict[str, object]:
    """Microseconds of server CPU for each delivery (and its ratio to the bare write), and KiB for an idle connection."""
    reasons = {name: missing(name) for name in SERVERS}
    present = {name: server for name, server in SERVERS.items() if not reasons[name]}
    costs = deliveries(present)
    results: dict[str, object] = {}
    for name, reason in reasons.items():
        if reason:
            results[name] = f"missing: {reason}"
        else:
            try:
                kib = f"{idle(present[name]).kib:.2f}"
            except RuntimeError:
                kib = "10,000 did not connect in two minutes"
            results[name] = (f"{costs[name]:.2f}", f"{costs[name] / costs['bare write']:.2f}", kib)
    for ratio in AIMS:
        ours, between, theirs = ratio.partition(" : ")
        if between and theirs in costs:
            results[ratio] = f"{costs[ours] / costs[theirs]:.2f} times"
    return results
