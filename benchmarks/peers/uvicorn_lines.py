"""Runs an ASGI application on uvicorn and answers the harness: `usage`, `collect` and `send COUNT HZ BYTES`."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from benchmarks.servers import paced, usage
from headway.server.run import raise_descriptor_limit


def serve(application: Any, send: Callable[[str], Awaitable[None]], connections: Callable[[], int]) -> None:
    """Serve until standard input ends."""
    raise_descriptor_limit()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    config = uvicorn.Config(
        application, lifespan="off", access_log=False, log_level="error", ws="websockets-sansio", ws_ping_interval=None,
        ws_per_message_deflate=False, loop="uvloop",
    )  # fmt: skip
    server = uvicorn.Server(config)

    async def answer(words: list[str]) -> None:
        if words[0] == "send":
            text = "x" * int(words[3])

            async def step(_index: int) -> None:
                await send(text)

            await paced(int(words[1]), float(words[2]), step)
        print(json.dumps(usage(connections(), words[0])), flush=True)

    async def run() -> None:
        loop = asyncio.get_running_loop()

        def read() -> None:
            for line in sys.stdin:
                asyncio.run_coroutine_threadsafe(answer(line.split()), loop).result()

        threading.Thread(target=read, daemon=True).start()
        print(listener.getsockname()[1], "-", flush=True)
        await server.serve(sockets=[listener])

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(run())
