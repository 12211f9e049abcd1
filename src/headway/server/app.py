"""The one place that wires: settings in, an ASGI application and its lifespan out."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import headway
from headway.buses.memory import MemoryBus
from headway.errors import HeadwayError
from headway.hub.hub import Hub, HubSettings
from headway.hub.log import Bounds
from headway.hub.upkeep import Retention
from headway.model.grant import Ability, Grant
from headway.model.report import Batch, BatchAnswer
from headway.ports.store import Store
from headway.server.folder import FolderLock
from headway.server.http import make_http
from headway.server.login import LOCAL_USER, Doorkeeper
from headway.server.settings import Settings, load_settings
from headway.server.tokens import Tokens, kept_secret
from headway.stores.sqlite import SqliteStore
from headway.transports.asgi import Receive, Scope, Send, refuse, websocket
from headway.transports.credentials import LOOPBACK_ORIGINS
from headway.transports.service import Service
from headway.transports.streams import events, poll
from headway.transports.websocket import SERVICE
from headway.wire.session import SessionLimits
from headway.worker import delivery

__all__ = ["DATABASE", "Headway"]

DATABASE = "headway.sqlite3"
_STREAMS = {"/events": events, "/poll": poll}


class Headway:
    """A server, ready to be run or mounted.

    `asgi` serves everything; `lifespan` starts and stops it, for an application that mounts it:

        hw = Headway()
        app = FastAPI(lifespan=hw.lifespan)
        app.mount("/headway", hw.asgi)
    """

    def __init__(self, settings: Settings | None = None, *, store: Store | None = None) -> None:
        """Wire a server together; nothing is opened yet.

        Args:
            settings: read from the environment when None.
            store: instead of the SQLite database in the data folder.

        Raises:
            ConfigurationError: a setting is missing or wrong.
        """
        self.settings = settings = settings or load_settings()
        configured = settings.secret
        self.development = configured is None
        secret = configured.get_secret_value() if configured else kept_secret(settings.data)
        self.tokens = Tokens(secret)
        self.login_code = secrets.token_urlsafe(18) if settings.loopback else None
        self._lock = FolderLock(settings.data) if store is None else None
        self._store = store or SqliteStore(settings.data / DATABASE, synchronous=settings.sqlite_synchronous)
        self.hub = Hub(self._store, MemoryBus(), _hub_settings(settings))
        self.service = Service(
            self.hub,
            self.tokens.verify,
            headway.__version__,
            limits=SessionLimits(
                auth_timeout=settings.auth_timeout,
                heartbeat=settings.heartbeat,
                message_rate=settings.message_rate,
                message_burst=settings.message_burst,
            ),
            max_message=settings.max_message_bytes,
            write_deadline=settings.write_deadline,
            origins=_origins(settings),
            max_connections=settings.max_connections,
            drain_spread=settings.drain_spread,
        )
        door = Doorkeeper(self.tokens, self.login_code, (settings.public_url or "").startswith("https:"))
        self._http = make_http(self.hub, self.service, door, settings.max_body_bytes)
        self._loop: asyncio.AbstractEventLoop | None = None

        # A function, since servers look at what they are given: a method is taken for an application of ASGI 2.
        async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
            await self._serve(scope, receive, send)

        self.asgi = asgi
        """The ASGI application."""

    async def start(self) -> None:
        """Open the store and begin to work.

        Raises:
            ConfigurationError: the data folder or the store cannot be used.
        """
        if self._lock is not None:
            self._lock.take()
        try:
            await self.hub.start()
        except BaseException:
            self._release()
            raise
        self._loop = asyncio.get_running_loop()
        # Workers in this very process need no network to reach us.
        delivery.deliver_to(self._take_batch)

    async def stop(self) -> None:
        """Say goodbye, write what waits, and close. Idempotent."""
        delivery.deliver_to(None)
        self.service.drain()
        await self.hub.stop()
        self._release()

    @asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncIterator[dict[str, Any]]:
        """Runs the server for as long as an application lives; gives the state that connections look for."""
        await self.start()
        try:
            yield {SERVICE: self.service}
        finally:
            await self.stop()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] == "websocket":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            if path == self.service.path:
                await websocket(self.service, scope, receive, send)
            else:
                await receive()
                await refuse(
                    scope, send, 404, f"There is no WebSocket at this address; it is at {self.service.path}"
                )
        else:
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            door = _STREAMS.get(path) if scope["method"] in {"GET", "POST"} else None
            if door is not None:
                await door(self.service, scope, receive, send)
            else:
                await self._http(scope, receive, send)  # type: ignore[arg-type]

    def local_token(self) -> str:
        """A token for workers on this machine: whoever can read the runtime file may do everything here."""
        return self.tokens.make(LOCAL_USER, can=frozenset(Ability))

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.start()
                except HeadwayError as error:
                    await send({"type": "lifespan.startup.failed", "message": error.message})
                    return
                scope["state"][SERVICE] = self.service
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _take_batch(self, batch: Batch) -> BatchAnswer:
        """Take a batch from a worker thread of this process."""
        if self._loop is None or self._loop.is_closed():
            raise HeadwayError("The server in this process is not running")
        grant = Grant(LOCAL_USER, can=frozenset(Ability))
        return asyncio.run_coroutine_threadsafe(self.hub.ingest(grant, batch), self._loop).result(30)

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()


def _origins(settings: Settings) -> frozenset[str]:
    origins = set(settings.allowed_origins)
    if settings.public_url:
        origins.add(settings.public_url.rstrip("/"))
    if settings.loopback:
        # In development the page with the one tag is served by another port of this machine.
        origins.add(LOOPBACK_ORIGINS)
    return frozenset(origins)


def _hub_settings(settings: Settings) -> HubSettings:
    return HubSettings(
        lost_after=settings.lost_after,
        max_subscriptions=settings.max_subscriptions,
        bounds=Bounds(finished=settings.finished_tasks, age=settings.finished_age),
        retention=Retention(tasks=settings.retention, log_lines=settings.log_lines),
    )
