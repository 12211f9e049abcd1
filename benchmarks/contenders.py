"""The servers that are held against each other, how each is started, and what clients say to it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers import centrifugo, nchan
from benchmarks.processes import SOCKET_IO, Child, authenticating, following, joining, joining_to_follow

__all__ = ["FOLDER", "OURS", "PEERS", "SERVERS", "Server", "missing"]

FOLDER = Path(__file__).parent / "peers"
_PEERS_SOCKET_IO = (*SOCKET_IO, "--expect", "2")


def _nothing(_token: str) -> list[str]:
    return []


def _join(_token: str) -> list[str]:
    return ["40"]


class Server(NamedTuple):
    """One of them.

    Attributes:
        command: of the process; it gets a folder of its own.
        options: of the module that has the clients.
        follow, idle: what a client says that wants messages, and one that only wants to be there.
        clients: the module.
    """

    command: Callable[[str], list[str]]
    options: tuple[str, ...] = ()
    follow: Callable[[str], list[str]] = _nothing
    idle: Callable[[str], list[str]] = _nothing
    clients: str = "benchmarks.clients"

    def start_clients(self, port: str, count: int, said: list[str]) -> Child:
        """So many of them, that are on their way."""
        return Child(self.clients, ["127.0.0.1", port, count, *self.options, *said])


def _headway(data: str) -> list[str]:
    return ["-m", "benchmarks.servers", "headway", data]


def _stream(token: str) -> list[str]:
    return [f"/events?channel=user:bench&token={token}"]


def _node(script: str) -> Callable[[str], list[str]]:
    return lambda _data: ["node", "--expose-gc", str(FOLDER / script)]


OURS: dict[str, Server] = {
    "bare write": Server(lambda data: ["-m", "benchmarks.servers", "bare", data], ("--bare",)),
    "headway": Server(_headway, follow=following, idle=authenticating),
    "headway socket.io": Server(_headway, SOCKET_IO, joining_to_follow, joining),
    "headway sse": Server(_headway, (), _stream, _stream, "benchmarks.event_clients"),
}
"""What all are held against, and ours."""

PEERS: dict[str, Server] = {
    "nchan": Server(lambda _: ["-m", "benchmarks.peers.nchan"]),
    "centrifugo": Server(
        lambda _: ["-m", "benchmarks.peers.centrifugo"],
        ("--path", centrifugo.PATH, "--expect", "1"),
        lambda _: [centrifugo.SUBSCRIBE],
        lambda _: [centrifugo.CONNECT],
    ),
    "node ws": Server(_node("ws.mjs")),
    "node socket.io": Server(_node("socketio.mjs"), _PEERS_SOCKET_IO, _join, _join),
    "uvicorn asgi": Server(lambda _: ["-m", "benchmarks.peers.bare_asgi"]),
    "python-socketio": Server(
        lambda _: ["-m", "benchmarks.peers.python_socketio"], _PEERS_SOCKET_IO, _join, _join
    ),
}

SERVERS = OURS | PEERS


def missing(name: str) -> str:
    """Why one cannot be started here; empty when it can."""
    if name == "nchan":
        if not Path(nchan.NGINX).exists() or not Path(nchan.MODULE).exists():
            return "Debian's nginx-light and libnginx-mod-nchan (or NGINX and NCHAN_MODULE)"
    elif name == "centrifugo":
        if not os.access(centrifugo.BINARY, os.X_OK):
            return "CENTRIFUGO_BIN names no binary"
    elif name.startswith("node"):
        if shutil.which("node") is None or shutil.which("npm") is None:
            return "Node and npm"
        if not (FOLDER / "node_modules").is_dir():
            subprocess.run(["npm", "ci", "--silent"], cwd=FOLDER, check=True)
    return ""
