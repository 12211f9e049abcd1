"""The native door as a plain ASGI application, for when Headway is mounted in somebody else's server."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from headway.errors import ConnectingTooOften, HeadwayError, OriginRefused
from headway.transports.addresses import address_of
from headway.transports.asgi import MessageSocket, Receive, Scope, Send, refuse, sized
from headway.transports.conversation import DOOR, Conversation
from headway.transports.credentials import Brought, bring
from headway.transports.service import FULL, Service
from headway.wire.forms import PACKED_PROTOCOL, Form, choose_form
from headway.wire.native import PROTOCOL
from headway.wire.packed import pack, unpack

__all__ = ["AsgiConnection", "websocket"]

_TEXT = Form(sized, packed=False)
_PACKED = Form(lambda message: sized(pack(message)), packed=True)


class AsgiConnection(Conversation):
    """One client behind an ASGI server."""

    __slots__ = ("codec", "socket")

    codec: Form

    def __init__(self, service: Service, *, packed: bool = False) -> None:
        super().__init__(service)
        self.codec = _PACKED if packed else _TEXT
        self.socket = MessageSocket(service, binary=packed)

    @property
    def full(self) -> bool:
        return self.socket.full

    def deliver(self, data: bytes) -> bool:
        return self.socket.deliver(data)

    def send(self, message: bytes) -> None:
        if not self.socket.closing and self.takes(message):
            self.socket.send(self.codec.frame(message, ""))

    def ping(self) -> None:
        """ASGI has no ping: its servers send their own, keep the answers, and end who does not answer."""
        self.heard()

    def hang_up(self, code: int, reason: str) -> None:
        self.socket.hang_up(code, reason)

    async def take(self, event: MutableMapping[str, Any]) -> bool:
        packed = self.codec.packed
        data = event.get("bytes" if packed else "text")
        if data is None:
            self.finish()
            self.hang_up(1003, "Send MessagePack in binary frames" if packed else "Send text")
            return False
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogatepass")
        if len(data) > self._service.max_message:
            self.finish()
            self.hang_up(1009, "The message is too large")
            return False
        self.receive(unpack(data) if packed else data)
        return True


async def websocket(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one WebSocket of the native protocol."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    await receive()
    chosen = choose_form(scope.get("subprotocols") or [])
    if chosen is None:
        await refuse(scope, send, 400, f"The subprotocols here are {PROTOCOL} and {PACKED_PROTOCOL}")
        return
    subprotocol, packed = chosen
    address = address_of(scope)
    try:
        service.rates.arrive(address, service.now())
    except ConnectingTooOften as error:
        service.hub.audit.refused(error, door=DOOR, address=address)
        await refuse(scope, send, 429, error.message, error.details["retry_after"])
        return
    if service.crowded:
        await refuse(scope, send, 503, FULL, service.retry_after())
        return
    await send({"type": "websocket.accept", "subprotocol": subprotocol})
    connection = AsgiConnection(service, packed=packed)
    refusal: HeadwayError | None = None
    brought: Brought | None = None
    query = scope.get("query_string", b"").decode("latin-1")
    try:
        brought = bring(
            lambda name: headers.get(name, ""), query, service.origins, query_tokens=service.query_tokens
        )
    except OriginRefused as error:
        refusal = error
    connection.begin(brought, refusal, address)
    await connection.socket.serve(connection, receive, send)
