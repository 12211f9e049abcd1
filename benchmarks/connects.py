"""Connects a second of server CPU, each with a token of its own that is verified."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.contenders import FOLDER, missing
from benchmarks.processes import Child, authenticating
from headway.server.tokens import Tokens

CLIENTS = 5000
WARM = 200
AIMS = {"headway": "at least 4000"}
COLUMNS = ("server", "connects a second of CPU")
SECRET = "a secret of the benchmarks that is long enough"

_SOCKET_IO = ("--path", "/socket.io/?EIO=4&transport=websocket", "--expect", "2", '40{"token":"TOKEN"}')


class Server(NamedTuple):
    """How a server is started, and what clients do until they are welcome."""

    command: list[str]
    clients: tuple[str, ...]


def measure() -> dict[str, object]:
    """For Headway and its peers; of every client there is a token, so that nobody can have remembered it."""
    with tempfile.TemporaryDirectory() as folder:
        native = (*authenticating("TOKEN"),)
        servers = {
            "headway": Server(["-m", "benchmarks.servers", "headway", folder, f"{folder}/log"], native),
            "headway without a log": Server(["-m", "benchmarks.servers", "headway", folder], native),
            "node ws": Server(["node", "--expose-gc", str(FOLDER / "ws_tokens.mjs")], native),
            "node socket.io": Server(
                ["node", "--expose-gc", str(FOLDER / "socketio_tokens.mjs")], _SOCKET_IO
            ),
            "python-socketio": Server(["-m", "benchmarks.peers.python_socketio_tokens"], _SOCKET_IO),
        }
        results: dict[str, object] = {}
        for name, server in servers.items():
            reason = missing(name)
            results[name] = f"missing: {reason}" if reason else round(_connects(server, Path(folder)))
    return results


def _connects(server: Server, folder: Path) -> float:
    tokens = Tokens(SECRET)
    many, few = folder / "many", folder / "few"
    many.write_text("\n".join(tokens.make(f"user-{number}") for number in range(CLIENTS)))
    few.write_text("\n".join(tokens.make(f"early-{number}") for number in range(WARM)))
    with Child.of(server.command, HEADWAY_SECRET=SECRET) as child:
        port = child.line().split()[0]
        # What the first connections make the process load or compile belongs to none of them.
        with Child(
            "benchmarks.clients", ["127.0.0.1", port, WARM, "--tokens", few, *server.clients]
        ) as first:
            first.line()
            before = child.ask("usage")
            with Child(
                "benchmarks.clients", ["127.0.0.1", port, CLIENTS, "--tokens", many, *server.clients]
            ) as all_:
                all_.line()
                after = child.ask("usage")
    assert after["connections"] == CLIENTS + WARM
    return float(CLIENTS / (after["cpu"] - before["cpu"]))
