"""What every connection shares: the hub, the verification of tokens, the limits, and who is connected."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from headway.errors import Draining
from headway.hub.hub import Hub
from headway.model.grant import Grant
from headway.transports.members import Members
from headway.wire.session import SessionLimits

if TYPE_CHECKING:
    from headway.transports.answer import Answer
    from headway.transports.conversation import Conversation
    from headway.transports.stream import Stream

__all__ = ["FULL", "Service", "Verify", "state_key"]


def state_key(path: str) -> str:
    """Where the state of the lifespan has the service whose WebSocket is at this path."""
    return f"headway:{path}"


FULL = "The server holds as many connections as it may"

_RETRY_AFTER = (2, 10)
"""Seconds between which a client that was refused for lack of room is told to ask again."""

_LIFETIMES = (0.8, 1.0)

Verify = Callable[[str], Grant]
"""Gives the grant of a token, or raises Unauthenticated or TokenExpired."""


class Service:
    """One for each server.

    Attributes:
        version: the server's, as `welcome` says it.
        max_message: bytes of a client's message.
        write_deadline: seconds in which a client may read nothing of what waits for it.
        max_connections: of those who follow something, at once; 0 for any number.
        max_sockets: of all kinds, at once, where we own the sockets; 0 for any number. More than `max_connections`, so
            that those who watch cannot lock out those who report.
        max_lifetime: seconds that a connection lasts at most; 0 for ever.
        members: how many connections each user has.
        compression: compress WebSocket messages for clients that ask for it, where we own the sockets.
        drain_spread: seconds over which clients are told to come back after a drain.
        path: of the native WebSocket.
        origins: origins whose pages may use the cookie, besides the server's own; `*` allows all.
        conversations, streams: those that are open.
    """

    def __init__(
        self,
        hub: Hub,
        verify: Verify,
        version: str,
        *,
        limits: SessionLimits | None = None,
        max_message: int = 65_536,
        write_deadline: float = 30.0,
        origins: frozenset[str] = frozenset(),
        max_connections: int = 0,
        max_lifetime: float = 0.0,
        members: Members | None = None,
        compression: bool = False,
        drain_spread: float = 5.0,
        path: str = "/ws",
    ) -> None:
        self.hub = hub
        self.verify = verify
        self.version = version
        self.limits = limits or SessionLimits()
        self.max_message = max_message
        self.write_deadline = write_deadline
        self.origins = origins
        self.max_connections = max_connections
        self.max_sockets = 0
        self.max_lifetime = max_lifetime
        self.members = members or Members()
        self.compression = compression
        self.drain_spread = drain_spread
        self.path = path
        self.conversations: set[Conversation] = set()
        self.streams: set[Stream | Answer] = set()
        self.draining = False

    @property
    def crowded(self) -> bool:
        """Whether nobody else may follow something."""
        return 0 < self.max_connections <= len(self.conversations) + len(self.streams)

    # Chance, not secrecy: that all who were sent away at once do not come back at once.

    def retry_after(self) -> int:
        """Seconds until a client that was refused may ask again."""
        if self.draining:
            return 1 + round(self.reconnect_in())
        return random.randint(*_RETRY_AFTER)  # noqa: S311

    def reconnect_in(self) -> float:
        """Seconds until a client whose connection ends may open the next."""
        return round(random.uniform(0, self.drain_spread), 2)  # noqa: S311

    def lifetime(self) -> float | None:
        """Seconds that a new connection may last; None for ever."""
        return self.max_lifetime * random.uniform(*_LIFETIMES) if self.max_lifetime else None  # noqa: S311

    def admit(self, user: str, stream: Stream | Answer) -> None:
        """Count a stream or a poll.

        Raises:
            TooManyConnections: the user has enough.
        """
        self.members.join(user, stream)
        self.streams.add(stream)
        self.hub.clients += 1

    def release(self, user: str, stream: Stream | Answer) -> None:
        """It has ended. Idempotent."""
        if stream in self.streams:
            self.streams.discard(stream)
            self.hub.clients -= 1
            self.members.leave(user, stream)

    def drain(self) -> None:
        """Say goodbye to everybody, with reconnection times spread over `drain_spread` seconds."""
        self.draining = True
        for conversation in tuple(self.conversations):
            conversation.goodbye(Draining(), self.reconnect_in())
        for stream in tuple(self.streams):
            stream.goodbye(Draining(), self.reconnect_in())
