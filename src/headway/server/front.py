"""The ASGI application: which of our doors a request is for, or whether it is for the application beside us."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

from litestar import Litestar

from headway.errors import Draining, HeadwayError, InternalError, NotFound
from headway.server.answers import answer_error, redirect
from headway.server.beside import Beside
from headway.server.contracts import Contracts
from headway.server.mount import ROOT, place_of, place_within, root_of
from headway.server.threshold import Threshold
from headway.transports.asgi import Receive, Scope, Send, refuse
from headway.transports.asgi_websocket import websocket
from headway.transports.service import Service
from headway.transports.socketio.endpoint import Endpoint
from headway.transports.streams import events, poll

__all__ = ["SOCKETIO", "WEBSOCKET", "Front"]

WEBSOCKET = "/ws"
SOCKETIO = "/socket.io/"
_SOCKETIO = frozenset((SOCKETIO, SOCKETIO.removesuffix("/")))
_STREAMS = {"/events": events, "/poll": poll}
_NOT_STARTED = (
    "This Headway was not started: give its lifespan to the application that mounts it (lifespan=hw.lifespan)"
)

Lifespan = Callable[[], AbstractAsyncContextManager[dict[str, Any]]]


class Front:
    """Gives each request to its door.

    Attributes:
        open: whether the server runs.
    """

    def __init__(
        self,
        service: Service,
        socketio: Endpoint,
        http: Litestar,
        base_path: str,
        beside: Beside | None,
        contracts: Contracts,
        lifespan: Lifespan,
        body_timeout: float,
    ) -> None:
        self._service = service
        self._socketio = socketio
        self._http = http
        self._base_path = base_path
        self._beside = beside
        self._contracts = contracts
        self._threshold = Threshold(service, body_timeout)
        self._lifespan = lifespan
        self.open = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        whole = place_of(scope)
        if self.open and await self._serve_contract(whole.path, scope, receive, send):
            return
        place = place_within(whole, self._base_path)
        if place is None and self._beside is not None:
            await self._beside(scope, receive, send)
            return
        path = place.path if place else None
        # A scope of our own: what the application that mounts us has put into it means something else to our routes.
        scope = {**scope, "state": {}, "root_path": "", ROOT: place.root if place else self._base_path}
        if scope["type"] == "websocket":
            await self._serve_websocket(path, scope, receive, send)
        elif not self.open:
            await answer_error(send, self._closed())
        elif path is None:
            await answer_error(send, NotFound(f"There is nothing at this address; try {self._base_path}/"))
        elif not path:
            await redirect(send, root_of(scope) + "/")
        else:
            await self._threshold(path, scope, receive, send, partial(self._serve_http, path))

    async def _serve_http(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if path in _SOCKETIO:
            await self._socketio(scope, receive, send)
        elif (door := _STREAMS.get(path)) is not None and scope["method"] in {"GET", "POST"}:
            await door(self._service, scope, receive, send)
        else:
            scope["path"] = path
            if scope["method"] == "HEAD":
                scope["method"] = "GET"
                send = _bodiless(send)
            await self._http(scope, receive, send)  # type: ignore[arg-type]

    async def serve_contracts(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the contracts alone."""
        if self.open and await self._serve_contract(place_of(scope).path, scope, receive, send):
            return
        if scope["type"] == "websocket":
            await receive()
            await refuse(scope, send, 404, "There is no WebSocket at this address")
        else:
            await answer_error(
                send, NotFound("There is nothing at this address") if self.open else self._closed()
            )

    async def _serve_contract(self, path: str, scope: Scope, receive: Receive, send: Send) -> bool:
        found = self._contracts.find(path, scope)
        if found is None:
            return False
        contract, below = found
        if scope["type"] == "http":
            await self._threshold(below, scope, receive, send, contract)
        else:
            await contract(scope, receive, send)
        return True

    async def _serve_websocket(self, path: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        if self.open and path == WEBSOCKET:
            await websocket(self._service, scope, receive, send)
            return
        if self.open and path in _SOCKETIO:
            await self._socketio(scope, receive, send)
            return
        await receive()
        if self.open:
            here = f"{root_of(scope)}{WEBSOCKET}"
            await refuse(scope, send, 404, f"There is no WebSocket at this address; it is at {here}")
        else:
            await refuse(scope, send, 503, self._closed().message)

    def _closed(self) -> HeadwayError:
        return Draining() if self._service.draining else InternalError(_NOT_STARTED)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Live as long as the server that has us for its application."""
        await receive()
        living = self._lifespan()
        try:
            state = await living.__aenter__()
        except HeadwayError as error:
            await send({"type": "lifespan.startup.failed", "message": error.message})
            return
        try:
            scope.setdefault("state", {}).update(state)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        finally:
            await living.__aexit__(None, None, None)
        await send({"type": "lifespan.shutdown.complete"})


def _bodiless(send: Send) -> Send:
    """The head of an answer, which says of the body how long it would be (RFC 9110 §9.3.2)."""

    async def bodiless(message: Any) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return bodiless
