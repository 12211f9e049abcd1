"""Other people's applications and servers with us inside: each form is one framework under one server."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import urllib3

from headway.server.app import Headway
from headway.server.settings import Settings

__all__ = ["MOUNT", "MOUNTED", "Mounted", "granian_application", "make_application", "prepare", "serve"]

Mounted = Literal["mounted", "gate", "starlette", "litestar", "hypercorn", "granian"]
MOUNTED: tuple[Mounted, ...] = ("mounted", "gate", "starlette", "litestar", "hypercorn", "granian")
MOUNT = "/headway"

_FOR_GRANIAN = "TESTS_GRANIAN_SETTINGS"
_SECRET = "TESTS_GRANIAN_SECRET"

Tell = Callable[[object, str], None]

_NEEDED = {
    "starlette": ("starlette.applications", "starlette.responses", "starlette.routing"),
    "litestar": ("litestar",),
    "hypercorn": ("fastapi", "hypercorn.asyncio"),
    "granian": ("granian.server",),
}


def prepare(form: Mounted) -> None:
    """Import what `serve` will."""
    for module in _NEEDED.get(form, ("fastapi",)):
        importlib.import_module(module)


def serve(form: Mounted, settings: Settings, listener: socket.socket, tell: Tell) -> None:
    """Run a server of this form until it is told to stop."""
    if form == "gate":
        # So our door knows its path before a framework has looked at the request.
        settings = settings.model_copy(update={"base_path": MOUNT})
    if form == "granian":
        os.environ[_SECRET] = settings.secret.get_secret_value() if settings.secret else ""
        _granian(settings, listener)
        return
    hw = Headway(settings)
    url = "http://{}:{}".format(*listener.getsockname()[:2]) + MOUNT
    framework = form if form in {"starlette", "litestar"} else "fastapi"
    application = make_application(framework, hw)
    if form == "hypercorn":
        _hypercorn(application, listener, lambda: tell(None, url))
    else:
        gate = "headway.transports.websocket:Gate"
        _uvicorn(
            application, listener, gate if form == "gate" else "websockets-sansio", lambda: tell(None, url)
        )


def make_application(framework: str, hw: Headway) -> Any:
    """Somebody's application with a page and a WebSocket of its own, a lifespan of its own, and us below `/headway`."""

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
        async with hw.lifespan(app) as state:
            yield {**state, "database": "open"}

    if framework == "litestar":
        return _litestar(hw)
    if framework == "starlette":
        return _starlette(hw, lifespan)
    return _fastapi(hw, lifespan)


def _fastapi(hw: Headway, lifespan: Any) -> Any:
    from fastapi import FastAPI

    app = FastAPI(lifespan=lifespan)
    app.router.add_route("/own", _own)
    app.router.add_websocket_route("/echo", _echo)
    app.mount(MOUNT, hw.asgi)
    return app


def _starlette(hw: Headway, lifespan: Any) -> Any:
    from starlette.applications import Starlette
    from starlette.routing import Mount, Route, WebSocketRoute

    routes = [Route("/own", _own), WebSocketRoute("/echo", _echo), Mount(MOUNT, hw.asgi)]
    return Starlette(routes=routes, lifespan=lifespan)


async def _own(request: Any) -> Any:
    from starlette.responses import JSONResponse

    return JSONResponse({"database": request.state.database})


async def _echo(socket: Any) -> None:
    await socket.accept()
    await socket.send_text(f"you said {await socket.receive_text()}")
    await socket.close()


def _litestar(hw: Headway) -> Any:
    from litestar import Litestar, WebSocket, asgi, get, websocket

    @get("/own", sync_to_thread=False)
    def own() -> dict[str, str]:
        return {"database": "open"}

    @websocket("/echo")
    async def echo(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        await socket.send_text(f"you said {await socket.receive_text()}")
        await socket.close()

    ours = asgi(MOUNT, is_mount=True, copy_scope=True)(hw.asgi)
    return Litestar([own, echo, ours], lifespan=[hw.lifespan], logging_config=None)


def _uvicorn(application: Any, listener: socket.socket, ws: str, started: Callable[[], None]) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                started()

    # No deadline for the end: whoever mounts us has not thought of one, and our streams must not hold the server.
    Server(uvicorn.Config(application, ws=ws, lifespan="on", log_config=None)).run(sockets=[listener])


def _hypercorn(application: Any, listener: socket.socket, started: Callable[[], None]) -> None:
    from hypercorn.asyncio import serve as run
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.errorlog = None

    async def live() -> None:
        # The listener listens already: who connects before the server takes it waits.
        started()
        await run(application, config)

    asyncio.run(live())


def _granian(settings: Settings, listener: socket.socket) -> None:
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    host, port = listener.getsockname()[:2]
    # It takes no socket of ours, and starts a process of its own, which makes the application.
    listener.close()
    os.environ[_FOR_GRANIAN] = settings.model_copy(update={"port": port}).model_dump_json()
    Server(
        "tests.hosts:granian_application",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        log_level=LogLevels.warning,
        # It waits for ever for connections that do not end.
        workers_kill_timeout=5,
    ).serve()


def _tell_when_there(port: int) -> None:
    url = f"http://127.0.0.1:{port}{MOUNT}"
    urllib3.request(
        "GET", f"{url}/healthz", retries=urllib3.Retry(connect=200, backoff_factor=0.01, backoff_max=0.1)
    )
    print("LISTENING", url, flush=True)


def granian_application() -> Any:
    """What the process that granian starts serves."""
    told = json.loads(os.environ[_FOR_GRANIAN])
    settings = Settings(**{**told, "secret": os.environ[_SECRET]})
    hw = Headway(settings)
    inner = make_application("fastapi", hw)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        async def tell(message: Any) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                # It listens a little later than that.
                threading.Thread(target=_tell_when_there, args=(settings.port,)).start()

        await inner(scope, receive, tell if scope["type"] == "lifespan" else send)

    return application
