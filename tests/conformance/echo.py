"""The server that the published test suites of Engine.IO and Socket.IO ask for, made of our transport.

    python -m tests.conformance.echo --port 3000

Engine.IO at `/engine.io/` sends every message back; Socket.IO at `/socket.io/` has the namespaces `/` and `/custom`, each of
which sends `auth` after connecting, answers `message` with `message-back`, and acknowledges `message-with-ack`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from headway.buses.memory import MemoryBus
from headway.errors import Unauthenticated
from headway.hub.hub import Hub
from headway.model.grant import Grant
from headway.stores.memory import MemoryStore
from headway.transports.asgi import Receive, Scope, Send
from headway.transports.service import Service, state_key
from headway.transports.socketio.client import Client
from headway.transports.socketio.connection import Connection
from headway.transports.socketio.endpoint import Endpoint, EngineEndpoint, Header
from headway.transports.socketio.vocabulary import Ack, Vocabulary
from headway.transports.websocket import Gate
from headway.wire.engineio import EngineSession
from headway.wire.engineio_limits import EngineLimits
from headway.wire.engineio_packets import Packet, PacketType, encode_packet
from headway.wire.socketio import Recovery, SocketLimits
from headway.wire.socketio_packets import SocketPacketLimits
from headway.wire.socketio_parsers import EITHER

LIMITS = EngineLimits(ping_interval=0.3, ping_timeout=0.2, max_payload=1_000_000)
SOCKET_LIMITS = SocketLimits(packet=SocketPacketLimits(max_bytes=1_000_000), connect_timeout=1.0)

APART = 0.08
"""Seconds between being let in and `auth`. The suite listens for the second when it has heard the first, and the clients of
Node that it is run with lose what comes to them in the same read."""


class EchoConnection(Connection):
    """Sends every message back."""

    __slots__ = ()

    def message(self, data: bytes, binary: bool) -> None:
        self.send([encode_packet(Packet(PacketType.MESSAGE, data, binary))])

    def drained(self) -> None:
        pass

    def turned(self, now: float) -> None:
        pass

    def gone(self, reason: str) -> None:
        pass


class EngineEcho(EngineEndpoint):
    """Engine.IO alone."""

    def make(self, engine: EngineSession, header: Header, query: str) -> EchoConnection:
        return EchoConnection(self, engine)


class Echo(Vocabulary):
    """What the suite of Socket.IO expects of a namespace."""

    __slots__ = ("auth", "client", "namespace")

    def __init__(self, client: Client, namespace: str) -> None:
        self.client = client
        self.namespace = namespace
        self.auth: dict[str, Any] | None = None
        """What is still to be sent back."""

    def connected(self, auth: dict[str, Any], recovery: Recovery | None) -> None:
        self.accept()
        self.auth = auth
        asyncio.get_running_loop().call_later(APART, self.greet)

    def greet(self) -> None:
        auth, self.auth = self.auth, None
        if auth is not None:
            self.emit("auth", auth)

    def event(self, name: str, args: list[Any], ack: Ack | None) -> None:
        self.greet()
        if name == "message":
            self.emit("message-back", *args)
        elif name == "message-with-ack" and ack is not None:
            ack(*args)

    def left(self, *, by_choice: bool) -> None:
        pass


def nobody(_token: str) -> Grant:
    raise Unauthenticated


class Application:
    """The endpoints, and what they lean on."""

    def __init__(self) -> None:
        self.hub = Hub(MemoryStore(), MemoryBus())
        service = Service(self.hub, nobody, "conformance", origins=frozenset(("loopback",)))
        namespaces = {"/": Echo, "/custom": Echo}
        self.endpoints: dict[str, EngineEndpoint] = {
            "/engine.io/": EngineEcho(service, "/engine.io/", LIMITS),
            "/socket.io/": Endpoint(
                service,
                "/socket.io/",
                namespaces,
                limits=LIMITS,
                socket_limits=SOCKET_LIMITS,
                parsers=EITHER,
            ),
        }

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[dict[str, Any]]:
        await self.hub.start()
        yield {state_key(path): endpoint for endpoint in self.endpoints.values() for path in endpoint.paths}
        await self.hub.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            async with self.lifespan() as state:
                scope["state"].update(state)
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        endpoint = self.endpoints.get(scope["path"].removesuffix("/") + "/")
        if endpoint is not None:
            await endpoint(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
        else:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b"There is nothing at this address\n"})


class Server(uvicorn.Server):
    """Says when it listens, and where."""

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            print(f"LISTENING http://{host}:{port}", flush=True)


def listeners(hosts: list[str], port: int) -> list[socket.socket]:
    """What listens at the first of these hosts, and at the others where the machine has them, on the same port."""
    first = _listener(hosts[0], port)
    found = [first]
    for host in hosts[1:]:
        with contextlib.suppress(OSError):
            found.append(_listener(host, first.getsockname()[1]))
    return found


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, default=3000, help="0 lets the system choose one")
    parser.add_argument("--host", help="this machine only when left out")
    parser.add_argument(
        "--plain", action="store_true", help="as a plain ASGI application, without our own way to WebSockets"
    )
    given = parser.parse_args()
    config = uvicorn.Config(
        Application(),
        ws="websockets-sansio" if given.plain else Gate,
        # A client that compresses is late with what it says first.
        ws_per_message_deflate=False,
        lifespan="on",
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    Server(config).run(sockets=listeners([given.host] if given.host else ["127.0.0.1", "::1"], given.port))


if __name__ == "__main__":
    main()
