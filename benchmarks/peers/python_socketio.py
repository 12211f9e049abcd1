"""python-socketio on uvicorn: one event to everybody. python -m benchmarks.peers.python_socketio"""

from __future__ import annotations

from typing import Any

import socketio

from benchmarks.peers.uvicorn_lines import serve

io = socketio.AsyncServer(async_mode="asgi", ping_interval=300, ping_timeout=300)
connected: set[str] = set()


@io.event
async def connect(sid: str, environ: dict[str, Any]) -> None:  # noqa: ARG001
    connected.add(sid)


@io.event
async def disconnect(sid: str) -> None:
    connected.discard(sid)


async def send(text: str) -> None:
    await io.emit("change", text)


if __name__ == "__main__":
    serve(socketio.ASGIApp(io), send, lambda: len(connected))
