"""A bare ASGI application on uvicorn: one `send` for each recipient. python -m benchmarks.peers.bare_asgi"""

from __future__ import annotations

import asyncio
from typing import Any

from benchmarks.peers.uvicorn_lines import serve

connected: set[Any] = set()


async def application(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    connected.add(send)
    try:
        while (await receive())["type"] != "websocket.disconnect":
            pass
    finally:
        connected.discard(send)


async def send(text: str) -> None:
    message = {"type": "websocket.send", "text": text}
    await asyncio.gather(*(one(message) for one in tuple(connected)))


if __name__ == "__main__":
    serve(application, send, lambda: len(connected))
