"""A server on this machine that gives key sets, well or badly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

__all__ = ["FarKeys", "far_keys"]


class FarKeys:
    """What it answers, and how often it was asked.

    Attributes:
        answering: clear to keep whoever asks waiting.
    """

    def __init__(self) -> None:
        self.url = ""
        self.body = b""
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked = 0
        self.answering = asyncio.Event()
        self.answering.set()

    async def answer(self, _request: web.Request) -> web.Response:
        self.asked += 1
        await self.answering.wait()
        return web.Response(body=self.body, status=self.status, headers=self.headers)


@asynccontextmanager
async def far_keys() -> AsyncIterator[FarKeys]:
    far = FarKeys()
    application = web.Application()
    application.router.add_get("/{tail:.*}", far.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    far.url = f"http://{host}:{port}/keys.json"
    try:
        yield far
    finally:
        far.answering.set()
        await runner.cleanup()
