"""The one place that wires: settings in, an ASGI application and its lifespan out."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import headway
from headway.buses.memory import MemoryBus
from headway.errors import ConfigurationError, InvalidField
from headway.hub.audit import Audit
from headway.hub.hub import Hub, unix_ms
from headway.model.grant import Ability
from headway.ports.store import Store
from headway.server.authentication import Authenticate, checked
from headway.server.beside import Beside, load
from headway.server.bounds import (
    engine_limits,
    hub_settings,
    origins,
    private,
    rate_limits,
    session_limits,
    socket_limits,
)
from headway.server.contracts import Contracts, Dialect
from headway.server.folder import FolderLock
from headway.server.front import SOCKETIO, WEBSOCKET, Front
from headway.server.http import make_http
from headway.server.identity.identity import Identity
from headway.server.identity.sources import terms_of, verifier_of
from headway.server.local import LocalSink
from headway.server.login import LOCAL_USER, Doorkeeper
from headway.server.logs import hide_in_access_logs
from headway.server.onward import Onward
from headway.server.settings import Settings, load_settings
from headway.server.signals import hearing_stop
from headway.server.tokens import Tokens, kept_secret
from headway.stores.sqlite import SqliteStore
from headway.transports.addresses import Proxies
from headway.transports.asgi import Receive, Scope, Send
from headway.transports.members import Members
from headway.transports.rates import Rates
from headway.transports.service import Service, state_key
from headway.transports.socketio.endpoint import Endpoint
from headway.transports.socketio.native import NativeVocabulary
from headway.transports.socketio.recovery import Keeper
from headway.wire.socketio_codec import NativeSocketCodec
from headway.wire.socketio_parsers import EITHER

__all__ = ["DATABASE", "Headway"]

DATABASE = "headway.sqlite3"
_BESIDE_BASE = "/headway"
_LOCAL_SECONDS = 5.0
_ONWARD_SECONDS = 5.0


class Headway:
    """A server, ready to be run or mounted.

    `asgi` serves everything; `lifespan` starts and stops it, for an application that mounts it:

        hw = Headway()
        app = FastAPI(lifespan=hw.lifespan)
        app.mount("/headway", hw.asgi)

    What this process reports (`headway.task`, `headway.notify`) reaches a server that runs in it without a network.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        store: Store | None = None,
        authenticate: Authenticate | None = None,
        beside: Any = None,
        dialects: Sequence[Dialect] = (),
    ) -> None:
        """Wire a server together; nothing is opened yet.

        Args:
            settings: read from the environment when None.
            store: instead of the SQLite database in the data folder.
            authenticate: gives the grant of a token, in place of our own tokens; None (or `Unauthenticated`) for one
                that is worth nothing. It is called in the loop, so one that waits for anything is a coroutine
                function.
            beside: a WSGI or ASGI application that gets every path that is not below `base_path`, which is `/headway`
                then unless it was set.
            dialects: contracts of older systems to speak besides those of the settings, by name or made by a function;
                they are at the root of `asgi`, and of `contracts` for an application that mounts us elsewhere.

        Raises:
            ConfigurationError: a setting is missing or wrong.
        """
        self.settings = settings = settings or load_settings()
        configured = settings.secret
        self.development = configured is None
        secret = configured.get_secret_value() if configured else kept_secret(settings.data)
        self.tokens = Tokens(secret, terms=terms_of(settings))
        verifier, urls = verifier_of(settings, self.tokens.key)
        self._makes_tokens = authenticate is None
        self.login_code = secrets.token_urlsafe(18) if private(settings) and self._makes_tokens else None
        self._beside = _beside(settings, beside)
        shared = self._beside is not None or bool(settings.dialect)
        self.base_path = settings.base_path or (_BESIDE_BASE if shared else "")
        self._lock = FolderLock(settings.data) if store is None else None
        self._store = store or SqliteStore(settings.data / DATABASE, synchronous=settings.sqlite_synchronous)
        self._onward = Onward(self._store, settings, unix_ms, headway.__version__)
        bus = MemoryBus()
        self.identity = Identity(
            verifier.verify if authenticate is None else checked(authenticate),
            self._store,
            bus,
            origins=origins(settings),
            urls=urls,
            shares_each=settings.shares_per_user,
        )
        """Verifies and revokes."""
        self.hub = Hub(
            self._store,
            bus,
            hub_settings(settings),
            outbox=self._onward,
            audit=Audit(enabled=settings.audit),
            revoked=self.identity.revocations.covers_user,
        )
        self.verify = self.identity.verify
        """Gives the grant of a token, at once if it can; raises Unauthenticated, TokenExpired or TokenRevoked."""
        self.service = Service(
            self.hub,
            self.verify,
            headway.__version__,
            limits=session_limits(settings),
            max_message=settings.max_message_bytes,
            write_deadline=settings.write_deadline,
            origins=origins(settings),
            max_connections=settings.max_connections,
            max_lifetime=settings.max_lifetime,
            compression=settings.compression,
            members=Members(
                settings.max_connections_per_user,
                close_oldest=settings.connections_beyond == "close-oldest",
            ),
            drain_spread=settings.drain_spread,
            path=self.base_path + WEBSOCKET,
            query_tokens=private(settings) if settings.query_tokens is None else settings.query_tokens,
            redeem=self.identity.redeem,
            rates=Rates(rate_limits(settings), Proxies(settings.trusted_proxies)),
        )
        self.identity.revocations.told = self.service.revoke
        self.identity.renewed = self.service.renew
        secure = (settings.public_url or "").startswith("https:")
        door = Doorkeeper(self.tokens, self.identity, self.login_code, secure, self.service.origins)
        http = make_http(
            self.hub, self.service, door, self._onward, settings.max_body_bytes, settings.public_url
        )
        self._local = LocalSink(self.hub)
        self.socketio = self._socketio(secret)
        """Where Socket.IO is spoken."""
        spoken = Contracts(
            (*settings.dialect, *dialects),
            self.service,
            settings,
            open=self.development if settings.dialect_open is None else settings.dialect_open,
        )
        self._endpoints = [self.socketio, *spoken.endpoints]
        self._front = front = Front(
            self.service,
            self.socketio,
            http,
            self.base_path,
            self._beside,
            spoken,
            self.lifespan,
            settings.body_timeout,
        )

        # A function, since servers look at what they are given: a method is taken for an application of ASGI 2.
        async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
            await front(scope, receive, send)

        self.asgi = asgi
        """The ASGI application."""

        async def contracts(scope: Scope, receive: Receive, send: Send) -> None:
            await front.serve_contracts(scope, receive, send)

        self.contracts = contracts
        """The dialects alone, to be mounted at the root (`app.mount("/", hw.contracts)`) beside `asgi` elsewhere."""

    async def start(self) -> None:
        """Open the store and begin to work.

        Raises:
            ConfigurationError: it runs already; or the data folder, the store or the application beside us cannot be
                used.
        """
        if self._front.open:
            raise ConfigurationError(
                "This Headway runs already: start it once, by the lifespan of the application that mounts it"
            )
        self._front.open = True
        hide_in_access_logs()
        try:
            await self._open()
        except BaseException:
            self._front.open = False
            raise

    async def _open(self) -> None:
        if self._lock is not None:
            self._lock.take()
        try:
            await self.hub.start()
            await self.identity.open()
            await self._onward.start(self.hub.unseen)
        except BaseException:
            self._release()
            raise
        self.service.draining = False
        self._local.open()
        if self._beside is not None:
            try:
                await self._beside.start()
            except BaseException:
                await self._close()
                raise

    async def stop(self) -> None:
        """Say goodbye, take and write what waits, and close. Idempotent."""
        if self._front.open:
            try:
                await self._close()
            finally:
                self._front.open = False

    async def _close(self) -> None:
        if self._beside is not None:
            # First, since what it does at its end may still be reported.
            await self._beside.stop()
        self.service.drain()
        await self._local.close(min(_LOCAL_SECONDS, self.settings.drain_seconds))
        await self._onward.stop(min(_ONWARD_SECONDS, self.settings.drain_seconds))
        await self.identity.close()
        await self.hub.stop()
        self._release()

    @asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncIterator[dict[str, Any]]:
        """Runs the server for as long as an application lives; gives the state that connections look for.

        For an application that has a lifespan of its own:

            @asynccontextmanager
            async def lifespan(app):
                async with hw.lifespan(app) as state, connect() as database:
                    yield {**state, "database": database}
        """
        await self.start()
        try:
            with hearing_stop(self.service.drain):
                yield self.state
        finally:
            await self.stop()

    @property
    def shared(self) -> bool:
        """Whether an application is beside us."""
        return self._beside is not None

    @property
    def state(self) -> dict[str, Any]:
        """What a server's state needs for our door on the fast path (`headway.transports.websocket:Gate`)."""
        doors: dict[str, Any] = {
            state_key(path): endpoint for endpoint in self._endpoints for path in endpoint.paths
        }
        return {state_key(self.service.path): self.service, **doors}

    def token(
        self,
        user: str,
        *,
        can: Iterable[str] = ("read", "cancel"),
        channels: Iterable[str] = (),
        tasks: Iterable[str] = (),
        ttl: float | None = 3600.0,
    ) -> str:
        """A token for somebody whom the application has logged in by itself.

        Args:
            can: `read`, `cancel`, `publish`, `admin`.
            channels: patterns of channels beyond the user's own and `public`.
            tasks: ids of single tasks.
            ttl: seconds until it expires; None for one that does not.

        Raises:
            InvalidField: a user, ability, channel or task that cannot be one.
            ConfigurationError: with `authenticate`, tokens are made by whoever verifies them.
        """
        if not self._makes_tokens:
            raise ConfigurationError("With authenticate= our own tokens do not count, so none is made")
        return self.tokens.make(user, can=map(_ability, can), channels=channels, tasks=tasks, ttl=ttl)

    def local_token(self) -> str:
        """A token for workers on this machine: whoever can read the runtime file may do everything here."""
        return self.tokens.make(LOCAL_USER, can=frozenset(Ability))

    def _socketio(self, secret: str) -> Endpoint:
        settings = self.settings
        key = hmac.digest(secret.encode(), b"headway: recovery of connections", "sha256")
        keeper = Keeper(self._store, key, settings.recovery_seconds, self.hub.clock)
        codecs = {parser: NativeSocketCodec(parser, "/", offsets=True) for parser in EITHER}
        return Endpoint(
            self.service,
            self.base_path + SOCKETIO,
            {"/": lambda client, name: NativeVocabulary(client, name, codecs[client.parser], keeper)},
            limits=engine_limits(settings),
            socket_limits=socket_limits(settings),
            parsers=EITHER,
        )

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()


def _beside(settings: Settings, given: Any) -> Beside | None:
    if given is not None:
        return Beside(given)
    if settings.wsgi is not None and settings.asgi is not None:
        raise ConfigurationError("One application can be beside Headway: set wsgi or asgi, not both")
    if settings.wsgi is not None:
        return load(settings.wsgi, "wsgi")
    return None if settings.asgi is None else load(settings.asgi, "asgi")


def _ability(name: str) -> Ability:
    try:
        return Ability(name)
    except ValueError:
        raise InvalidField(f"An ability is one of {', '.join(Ability)}", field="can") from None
