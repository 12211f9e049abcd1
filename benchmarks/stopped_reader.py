"""A client that stops reading while a thousand tasks tick: what it costs, and whether anybody else is late."""

from __future__ import annotations

import socket
import tempfile

from benchmarks.clients import masked
from benchmarks.processes import Child, following

TASKS = 1000
HZ = 50
SECONDS = 8
WATCHERS = 20

AIMS = {
    "waiting for the stopped client, KiB": "below 512",
    "others late, median/p99 ms, beside it": "as without it",
}


def measure() -> dict[str, object]:
    """KiB of resident memory that the stopped client adds at most, and how late the others are with and without it."""
    without = _run(stopped=False)
    beside = _run(stopped=True)
    return {
        "waiting for the stopped client, KiB": beside["waiting_kib"],
        "others late, median/p99 ms, without it": f"{without['median']:.0f} / {without['p99']:.0f}",
        "others late, median/p99 ms, beside it": f"{beside['median']:.0f} / {beside['p99']:.0f}",
        "resident growth while it stood, KiB": round(beside["growth_kib"] - without["growth_kib"]),
    }


def _run(*, stopped: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as data, Child("benchmarks.servers", ["headway", data]) as server:
        port, token = server.line().split()
        with Child(
            "benchmarks.clients", ["127.0.0.1", port, WATCHERS, "--stamp", *following(token)]
        ) as clients:
            clients.line()
            silent = socket.socket()
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            if stopped:
                silent.connect(("127.0.0.1", int(port)))
                silent.sendall(
                    f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
                )
                silent.recv(1024)
                for message in following(token):
                    silent.sendall(masked(message.encode()))
            server.ask("flood", TASKS, HZ, 2)
            clients.ask("so far")
            before = server.ask("collect")
            after = server.ask("flood", TASKS, HZ, SECONDS)
            rss = server.ask("collect")["rss_kib"]
            seen = clients.ask("so far")["delays_ms"]
            silent.close()
    return {
        "waiting_kib": round(after["waiting"] / 1024),
        "growth_kib": rss - before["rss_kib"],
        "median": seen["median"],
        "p99": seen["p99"],
    }
