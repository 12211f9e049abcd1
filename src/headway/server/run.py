"""Running a server: sockets, uvicorn, signals and the drain."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Generator
from typing import Any

import uvicorn

from headway.errors import ConfigurationError
from headway.server.app import Headway
from headway.server.settings import Settings
from headway.transports.backpressure import HIGH_WATER
from headway.transports.http import MOST_REFUSED, PromptHttp
from headway.transports.websocket import Gate

__all__ = ["Listening", "bind", "run"]

_log = logging.getLogger("headway.server")

_BACKLOG = 2048
_UVICORNS_SIZE = 16_777_216
"""Of messages to an application beside us; our own door has its limit by itself."""
_ROOM = 4
"""Times `max_message_bytes` that the WebSocket of a contract takes, so that what is too large can be answered in its words."""
_DESCRIPTORS_KEPT = 78
"""For files, the database and what other parts of the process open."""
_WORKERS_SHARE = 10
"""One socket in so many is kept for requests that follow nothing."""
_THRESHOLDS = (10_000, 20, 20)
"""New objects after which Python looks for rings among them, and how many times until it does among older ones."""

Listening = Callable[[Headway, str], object]
"""Told the server and its address as soon as it takes connections."""


def bind(settings: Settings) -> socket.socket:
    """A listening socket.

    Raises:
        ConfigurationError: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if option := getattr(socket, "TCP_NOTSENT_LOWAT", None):
        # What waits in the kernel grows stale and costs memory. Who connects has it from here (tcp(7)).
        listener.setsockopt(socket.IPPROTO_TCP, option, 2 * HIGH_WATER)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"Cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
            "stop what uses it, or choose another with --port (0 lets the system choose)"
        ) from None
    listener.set_inheritable(True)
    return listener


def run(headway: Headway, listener: socket.socket, listening: Listening) -> None:
    """Serve until SIGINT or SIGTERM, then drain.

    Raises:
        ConfigurationError: the server could not start.
    """
    settings = headway.settings
    # Refused politely before the system refuses without a word.
    room = max(2, raise_descriptor_limit() - _DESCRIPTORS_KEPT - MOST_REFUSED)
    service = headway.service
    service.max_sockets = room
    service.max_connections = min(settings.max_connections or room, room - max(1, room // _WORKERS_SHARE))
    config = uvicorn.Config(
        headway.asgi,
        http=type("Http", (PromptHttp,), {"patience": settings.auth_timeout, "service": service}),
        interface="asgi3",
        ws=Gate,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=max(1, int(settings.drain_seconds)),
        forwarded_allow_ips=list(settings.trusted_proxies),
        ws_per_message_deflate=False,
        ws_max_size=_UVICORNS_SIZE if headway.shared else _ROOM * settings.max_message_bytes,
        loop=_loop(),
    )
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    server = _Server(config, headway, lambda: listening(headway, url + headway.base_path))
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.live(listener))


class _Server(uvicorn.Server):
    """Uvicorn's server with our start and our end around it."""

    def __init__(self, config: uvicorn.Config, headway: Headway, started: Callable[[], object]) -> None:
        super().__init__(config)
        self._headway = headway
        self._started = started

    async def live(self, listener: socket.socket) -> None:
        """From start to end."""
        await self._headway.start()
        _collect_rarely()
        try:
            await self.serve(sockets=[listener])
        finally:
            await self._headway.stop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # Uvicorn has an empty state, since it runs no lifespan; connections find the service in it.
        self.lifespan.state.update(self._headway.state)
        self._started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        _log.info("draining", extra={"connections": len(self._headway.service.conversations)})
        # Goodbyes go out before uvicorn begins to wait for connections to end.
        self._headway.service.drain()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """As uvicorn's, but a drained server has ended well: the signal is not raised again."""
        previous: dict[int, Any] = {}
        for number in (int(signal.SIGINT), int(signal.SIGTERM)):
            previous[number] = signal.signal(number, self.handle_exit)
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _collect_rarely() -> None:
    """Have Python look for rings among objects less often than it does for a script.

    A connection is a dozen objects that stay for hours and hardly ever form rings. Looking through them after each few
    hundred new ones took a quarter of the time of connecting, and with ten thousand connected everybody waited a tenth
    of a second each time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


def raise_descriptor_limit() -> int:
    """Ask the system for all the descriptors it gives; returns how many."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, 1_048_576)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _loop() -> str:
    return "asyncio" if sys.platform == "win32" else "uvloop"
