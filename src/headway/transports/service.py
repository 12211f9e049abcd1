"""What every connection shares: the hub, the verification of tokens, the limits, and who is connected."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from headway.errors import Draining
from headway.hub.hub import Hub
from headway.model.grant import Grant
from headway.wire.session import SessionLimits

if TYPE_CHECKING:
    from headway.transports.conversation import Conversation
    from headway.transports.streams import Stream

__all__ = ["RETRY_AFTER", "Service", "Verify", "state_key"]

RETRY_AFTER = 5
"""Seconds after which a client that was refused for lack of room may ask again."""

Verify = Callable[[str], Grant]
"""Gives the grant of a token, or raises Unauthenticated or TokenExpired."""


def state_key(path: str) -> str:
    """Where the state of the lifespan has the service whose WebSocket is at this path."""
    return f"headway:{path}"


class Service:
    """One for each server.

    Attributes:
        version: the server's, as `welcome` says it.
        max_message: bytes of a client's message.
        write_deadline: seconds in which a client may read nothing of what waits for it.
        max_connections: at once; 0 for any number.
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
        self.drain_spread = drain_spread
        self.path = path
        self.conversations: set[Conversation] = set()
        self.streams: set[Stream] = set()
        self.draining = False

    @property
    def crowded(self) -> bool:
        """Whether no more connections may come."""
        return 0 < self.max_connections <= len(self.conversations) + len(self.streams)

    def drain(self) -> None:
        """Say goodbye to everybody, with reconnection times spread over `drain_spread` seconds."""
        self.draining = True
        for conversation in tuple(self.conversations):
            conversation.goodbye(round(random.uniform(0, self.drain_spread), 2))  # noqa: S311 - chance, not secrecy
        for stream in tuple(self.streams):
            stream.end(Draining())
