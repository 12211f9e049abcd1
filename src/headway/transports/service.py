"""What every connection shares: the hub, the verification of tokens, the limits, and who is connected."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from headway.errors import Draining, TokenRevoked, Unauthenticated
from headway.hub.hub import Hub
from headway.model.grant import Grant
from headway.transports.credentials import Brought
from headway.transports.deadlines import Deadlines
from headway.transports.members import Member, Members
from headway.transports.rates import Rates
from headway.wire.native import welcome
from headway.wire.session import SessionLimits

if TYPE_CHECKING:
    from headway.transports.conversation import Conversation
    from headway.transports.following import Following
    from headway.transports.socketio.endpoint import EngineEndpoint

_log = logging.getLogger("headway.connection")

__all__ = ["FULL", "Redeem", "Service", "Verify", "state_key"]


def state_key(path: str) -> str:
    """Where the state of the lifespan has the service whose WebSocket is at this path."""
    return f"headway:{path}"


FULL = "The server holds as many connections as it may"

_RETRY_AFTER = (2, 10)
"""Seconds between which a client that was refused for lack of room is told to ask again."""

_AT_ONCE = 200
"""Connections that end before others are served in between."""

_LIFETIMES = (0.8, 1.0)

Verify = Callable[[str], Grant | Awaitable[Grant]]
"""Gives the grant of a token or a worker key, at once if it can; raises Unauthenticated, TokenExpired or TokenRevoked."""

Redeem = Callable[[Brought], Awaitable[Grant]]
"""Gives the grant of a ticket, which is worth nothing after that; raises Unauthenticated or OriginRefused."""


async def _no_tickets(_brought: Brought) -> Grant:
    raise Unauthenticated("There are no tickets here")


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
        deadlines: of the requests that wait.
        compression: compress WebSocket messages for clients that ask for it, where we own the sockets.
        drain_spread: seconds over which clients are told to come back after a drain.
        path: of the native WebSocket.
        query_tokens: whether `?token=` counts on the doors.
        origins: origins whose pages may use the cookie, besides the server's own; `*` allows all.
        rates: how often users and addresses may come and ask.
        conversations, streams: those that are open.
        arriving: how many clients of Socket.IO have yet to say what they came for.
        endpoints: what else is to be closed at a drain.
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
        query_tokens: bool = False,
        redeem: Redeem | None = None,
        rates: Rates | None = None,
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
        self.deadlines = Deadlines(hub)
        self.compression = compression
        self.drain_spread = drain_spread
        self.path = path
        self.query_tokens = query_tokens
        self.redeem = redeem or _no_tickets
        self.rates = rates or Rates()
        self.conversations: set[Conversation] = set()
        self.streams: set[Following] = set()
        self.arriving = 0
        self.endpoints: list[EngineEndpoint] = []
        self.draining = False

    def now(self) -> float:
        """Monotonic seconds."""
        return self.hub.wheel.now()

    @property
    def crowded(self) -> bool:
        """Whether nobody else may follow something."""
        return 0 < self.max_connections <= len(self.conversations) + len(self.streams) + self.arriving

    def who(self, brought: Brought) -> Grant | Awaitable[Grant]:
        """The grant of what a client brought; an awaitable when that takes a moment.

        Raises:
            RefusedError: it is not good. An awaitable raises the same.
        """
        return self.redeem(brought) if brought.ticket else self.verify(brought.token)

    async def know(self, brought: Brought | None) -> Grant:
        """The same for those who can wait.

        Raises:
            RefusedError: it is not good, or there is nothing.
        """
        if brought is None:
            raise Unauthenticated("A token is needed: send Authorization: Bearer <token>")
        found = self.who(brought)
        return found if isinstance(found, Grant) else await found

    def lasts(self, grant: Grant) -> float | None:
        """Seconds until a grant ends; None when it does not."""
        return None if grant.expires_at is None else grant.expires_at - self.hub.clock() / 1000

    def welcome(self, grant: Grant) -> bytes:
        """What says that a token is good."""
        return welcome(
            server=self.version,
            user=grant.user,
            can=[ability.value for ability in grant.can],
            channels=self.hub.open_channels(grant),
            heartbeat=self.limits.heartbeat,
            now=self.hub.clock(),
            expires_at=None if grant.expires_at is None else int(grant.expires_at * 1000),
        )

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

    def admit(self, grant: Grant, stream: Following) -> None:
        """Count a stream or a poll.

        Raises:
            TooManyConnections: the user has enough.
        """
        self.members.join(grant, stream)
        self.streams.add(stream)
        self.hub.clients += 1

    def release(self, stream: Following) -> None:
        """It has ended. Idempotent."""
        if stream in self.streams:
            self.streams.discard(stream)
            self.hub.clients -= 1
            self.members.leave(stream)

    def revoke(self, *, token: str | None = None, user: str | None = None, until: float = 0.0) -> None:
        """End whatever goes on by a token, or by those of a user that were issued until then (Unix seconds)."""
        links: list[Member] = []
        if token is not None:
            links += self.members.of_token(token)
        if user is not None:
            links += self.members.of_user(user, until)
        # First nobody is told anything more, then they are told why, some at a time.
        for link in links:
            link.mute()
        _log.info("revoked", extra={"user": user, "connections": len(links)})
        self._end_some(links)

    def renew(self, token: str, grant: Grant) -> None:
        """Let the streams of a token go on with another one of the same user."""
        for link in self.members.of_token(token):
            if link in self.streams and link.grant is not None and link.grant.user == grant.user:
                link.renew(grant)

    def _end_some(self, links: list[Member]) -> None:
        error = TokenRevoked()
        for link in links[:_AT_ONCE]:
            link.end(error)
        if rest := links[_AT_ONCE:]:
            asyncio.get_running_loop().call_soon(self._end_some, rest)

    def drain(self) -> None:
        """Say goodbye to everybody, with reconnection times spread over `drain_spread` seconds."""
        self.draining = True
        for conversation in tuple(self.conversations):
            conversation.goodbye(Draining(), self.reconnect_in())
        for stream in tuple(self.streams):
            stream.goodbye(Draining(), self.reconnect_in())
        for endpoint in self.endpoints:
            endpoint.drain()
