"""A connection that speaks Socket.IO: which namespaces it is in, and who speaks with it there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headway.errors import Flooding, OriginRefused
from headway.transports.credentials import Brought
from headway.transports.service import Service
from headway.transports.socketio.connection import Connection
from headway.transports.socketio.vocabulary import Vocabulary
from headway.wire.engineio import EngineSession
from headway.wire.engineio_packets import Encoded
from headway.wire.socketio import (
    AckReceived,
    BadPacket,
    ConnectAsked,
    EventReceived,
    NamespaceLeft,
    Received,
    SocketSession,
)
from headway.wire.socketio_packets import Parser

if TYPE_CHECKING:
    from headway.transports.socketio.endpoint import Endpoint

__all__ = ["Client"]

_MOST_ASKS = 20
"""Times that one connection may ask for a namespace: each may cost the verification of a token, and the stock clients come
again on a new one when they were refused."""
_FAREWELL_SECONDS = 2.0
"""Within which a client that is in no namespace any more leaves by itself."""


class Client(Connection):
    """One client. Kept for as long as it is connected, so it is small."""

    __slots__ = ("_arriving", "_asks", "_brought", "_members", "_talk", "foreign", "keeps_offsets")

    endpoint: Endpoint

    def __init__(
        self,
        endpoint: Endpoint,
        engine: EngineSession,
        brought: Brought | OriginRefused | None,
        *,
        keeps_offsets: bool = False,
        foreign: bool = False,
    ) -> None:
        """Nothing was said yet.

        Args:
            keeps_offsets: it is known to be the stock client in JavaScript, which brings its offset back.
            foreign: it may be a page of another site, by its origin or by the name that it found us by.
        """
        super().__init__(endpoint, engine)
        self.keeps_offsets = keeps_offsets
        self.foreign = foreign
        self._asks = 0
        self._talk = SocketSession(endpoint.socket_limits, self.now(), endpoint.parsers)
        self._members: dict[str, Vocabulary] = {}
        self._brought = brought
        self._arriving = True
        self.service.arriving += 1

    @property
    def service(self) -> Service:
        """What all connections share."""
        return self.endpoint.service

    @property
    def parser(self) -> Parser:
        """How this client's packets are written."""
        return self._talk.parser

    def brought(self) -> Brought | None:
        """What came with the first request to say who this is.

        Raises:
            OriginRefused: there is a cookie, and it does not count.
        """
        if isinstance(self._brought, OriginRefused):
            raise self._brought
        return self._brought

    def joined(self, namespace: str) -> bool:
        """Whether the client was let into the namespace, and is still there."""
        return self._talk.joined(namespace)

    # What vocabularies do.

    def accept(self, namespace: str, pid: str | None) -> None:
        """Let the client into the namespace."""
        self._arrived()
        self.send(self._talk.accept(namespace, self.endpoint.new_id(), pid))

    def refuse(self, namespace: str, message: str, data: Any = None) -> None:
        """Do not let the client into the namespace."""
        self._members.pop(namespace, None)
        self.send(self._talk.refuse(namespace, message, data))

    def emit(self, namespace: str, name: str, args: Sequence[Any]) -> None:
        """Send an event to this client alone."""
        self.send(self._talk.event(namespace, name, args))

    def say(self, namespace: str, packets: Sequence[Encoded]) -> None:
        """Send packets that are made already, if the client is in the namespace."""
        if self.joined(namespace):
            self.send(packets)

    def ack(self, namespace: str, ack_id: int, args: Sequence[Any]) -> None:
        """Answer an event."""
        self.send(self._talk.ack(namespace, ack_id, args))

    def put_out(self, namespace: str) -> None:
        """Send the client away from the namespace."""
        self._members.pop(namespace, None)
        self.send(self._talk.put_out(namespace))
        if not self._members:
            self.service.hub.wheel.schedule(_FAREWELL_SECONDS, self._close_if_alone)

    # What the connection reports.

    def message(self, data: bytes, binary: bool) -> None:
        try:
            received = self._talk.receive(data, binary)
        except BadPacket:
            self.close(1002, at_once=True)
            return
        if received is not None:
            self._received(received)

    def drained(self) -> None:
        for member in tuple(self._members.values()):
            member.drained()

    def turned(self, now: float) -> None:
        if self._talk.timed_out(now):
            self.close(at_once=True)

    def wait(self, now: float) -> float:
        wait = self._talk.wait(now)
        return super().wait(now) if wait is None else min(wait, super().wait(now))

    def gone(self, reason: str) -> None:  # noqa: ARG002 - however it ended, it has
        self._arrived()
        members, self._members = self._members, {}
        for member in members.values():
            member.left(by_choice=False)

    def _received(self, received: Received) -> None:
        namespace = received.namespace
        if isinstance(received, ConnectAsked):
            self._asks += 1
            if self._asks > _MOST_ASKS:
                self.end(Flooding())
                return
            make = self.endpoint.namespaces.get(namespace)
            if make is None:
                self.refuse(namespace, "Invalid namespace")
                return
            member = self._members[namespace] = make(self, namespace)
            member.connected(received.auth, received.recovery)
            return
        found = self._members.get(namespace)
        if found is None or isinstance(received, AckReceived):
            # Nothing of ours asks for an acknowledgement.
            return
        if isinstance(received, EventReceived):
            found.event(received.name, received.args, found.acknowledge(received.ack_id))
        elif isinstance(received, NamespaceLeft):
            del self._members[namespace]
            found.left(by_choice=True)

    def _arrived(self) -> None:
        """It is counted by its vocabulary from now on, or not at all."""
        if self._arriving:
            self._arriving = False
            self.service.arriving -= 1

    def _close_if_alone(self) -> None:
        if not self._members:
            self.close(at_once=True)
