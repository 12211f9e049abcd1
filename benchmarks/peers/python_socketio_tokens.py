"""python-socketio on uvicorn: who connects with a good token is welcome. python -m benchmarks.peers.python_socketio_tokens"""

from __future__ import annotations

import os
from typing import Any

import socketio
from joserfc import jwt
from joserfc.jwk import OctKey

from benchmarks.peers.uvicorn_lines import serve

io = socketio.AsyncServer(async_mode="asgi", ping_interval=300, ping_timeout=300)
connected: set[str] = set()
key = OctKey.import_key(os.environ.get("HEADWAY_SECRET", ""))
rules = jwt.JWTClaimsRegistry()


@io.event
async def connect(sid: str, environ: dict[str, Any], auth: dict[str, str]) -> None:  # noqa: ARG001
    rules.validate(jwt.decode(auth["token"], key, algorithms=["HS256"]).claims)
    connected.add(sid)


@io.event
async def disconnect(sid: str) -> None:
    connected.discard(sid)


async def send(_text: str) -> None:
    """Nobody is sent anything."""


if __name__ == "__main__":
    serve(socketio.ASGIApp(io), send, lambda: len(connected))
