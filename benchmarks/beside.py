"""Headway beside its peers: the same clients, the same message, the same run, one after the other.

A peer that cannot be started here is named as missing, never guessed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers import nchan
from benchmarks.processes import SOCKET_IO, Child, authenticating, following, joining, joining_to_follow

CLIENTS = 1000
IDLE = 10_000
WARM = 200
BYTES = 220
HZ = 15
CHANGES = 100

PEERS = Path(__file__).parent / "peers"


class Server(NamedTuple):
    """How a server is started, and what clients say to it.

    Attributes:
        command: of the process.
        options: of `benchmarks.clients`.
        follow, idle: what a client says that wants messages, and one that only wants to be there.
    """

    command: Callable[[str], list[str]]
    options: tuple[str, ...] = ()
    follow: Callable[[str], list[str]] = lambda _token: []
    idle: Callable[[str], list[str]] = lambda _token: []


_PEERS_SOCKET_IO = (*SOCKET_IO, "--expect", "2")


def _join(_token: str) -> list[str]:
    return ["40"]


SERVERS: dict[str, Server] = {
    "bare write": Server(lambda data: ["-m", "benchmarks.servers", "bare", data], ("--bare",)),
    "headway": Server(
        lambda data: ["-m", "benchmarks.servers", "headway", data], follow=following, idle=authenticating
    ),
    "headway socket.io": Server(
        lambda data: ["-m", "benchmarks.servers", "headway", data], SOCKET_IO, joining_to_follow, joining
    ),
    "nchan": Server(lambda _: ["-m", "benchmarks.peers.nchan"]),
    "node ws": Server(lambda _: ["node", "--expose-gc", str(PEERS / "ws.mjs")]),
    "node socket.io": Server(
        lambda _: ["node", "--expose-gc", str(PEERS / "socketio.mjs")], _PEERS_SOCKET_IO, _join, _join
    ),
    "uvicorn asgi": Server(lambda _: ["-m", "benchmarks.peers.bare_asgi"]),
    "python-socketio": Server(
        lambda _: ["-m", "benchmarks.peers.python_socketio"], _PEERS_SOCKET_IO, _join, _join
    ),
}


def measure() -> dict[str, object]:
    """Microseconds of server CPU for each delivery (and its ratio to the bare write), and KiB for an idle connection."""
    results: dict[str, object] = {}
    bare = 0.0
    for name, server in SERVERS.items():
        reason = missing(name)
        if reason:
            results[name] = f"missing: {reason}"
            continue
        cost = _delivery(server)
        bare = bare or cost
        kib = _memory(server)
        results[name] = (
            f"{cost:6.2f} µs a delivery, {cost / bare:5.2f} of the bare write; {kib:6.2f} KiB a connection"
        )
    binary = os.environ.get("CENTRIFUGO_BIN")
    results["centrifugo"] = (
        "missing: not measured yet" if binary else "missing: CENTRIFUGO_BIN names no binary"
    )
    return results


def _delivery(server: Server) -> float:
    with tempfile.TemporaryDirectory() as data, Child.of(server.command(data)) as child:
        port, token = child.line().split()
        arguments = ["127.0.0.1", port, CLIENTS, *server.options, *server.follow(token)]
        with Child("benchmarks.clients", arguments) as clients:
            clients.line()
            child.ask("send", 15, HZ, BYTES)
            clients.ask("so far")
            before = child.ask("usage")
            after = child.ask("send", CHANGES, HZ, BYTES)
            clients.wait_for(CHANGES * CLIENTS)
    return float((after["cpu"] - before["cpu"]) / (CHANGES * CLIENTS) * 1e6)


def _memory(server: Server) -> float:
    with tempfile.TemporaryDirectory() as data, Child.of(server.command(data)) as child:
        port, token = child.line().split()
        who = [*server.options, *server.idle(token)]
        with Child("benchmarks.clients", ["127.0.0.1", port, WARM, *who]) as first:
            first.line()
            before = child.ask("usage")
            with Child("benchmarks.clients", ["127.0.0.1", port, IDLE, *who]) as clients:
                clients.line()
                after = child.ask("usage")
    return float((after["rss_kib"] - before["rss_kib"]) / IDLE)


def missing(name: str) -> str:
    """Why a peer cannot be started here; empty when it can."""
    if name == "nchan":
        if not Path(nchan.NGINX).exists() or not Path(nchan.MODULE).exists():
            return "Debian's nginx-light and libnginx-mod-nchan (or NGINX and NCHAN_MODULE)"
    elif name.startswith("node"):
        if shutil.which("node") is None or shutil.which("npm") is None:
            return "Node and npm"
        if not (PEERS / "node_modules").is_dir():
            subprocess.run(["npm", "ci", "--silent"], cwd=PEERS, check=True)
    return ""
