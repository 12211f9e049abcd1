"""One poll that waits: what is delivered to it becomes its answer (`spec/wire.md` §11)."""

from __future__ import annotations

import asyncio

from headway.errors import HeadwayError
from headway.hub.followers import Follower
from headway.model.grant import Grant
from headway.ports.link import Link
from headway.transports.asgi import Receive
from headway.transports.service import Service
from headway.transports.wants import Asked
from headway.wire.streams import POLL

__all__ = ["Answer"]

_HIGH_WATER = 65_536


class Answer(Link):
    """A link that ends with the first thing that it is given."""

    __slots__ = ("_error", "_grant", "_pending", "_seconds", "_service", "_size", "_wake", "follower")

    codec = POLL

    def __init__(self, service: Service, asked: Asked, grant: Grant) -> None:
        """Take a place among the connections.

        Raises:
            TooManyConnections: the user has enough.
        """
        self._service = service
        self._grant = grant
        left = float("inf") if grant.expires_at is None else grant.expires_at - service.hub.clock() / 1000
        self._seconds = min(asked.wait, left)
        self._pending: list[bytes] = []
        self._size = 0
        self._wake = asyncio.Event()
        self._error: HeadwayError | None = None
        self.follower: Follower | None = None
        service.admit(grant.user, self)

    @property
    def full(self) -> bool:
        return self._size > _HIGH_WATER

    def deliver(self, data: bytes) -> bool:
        if self.full:
            return False
        self._pending.append(data)
        self._size += len(data)
        self._wake.set()
        return True

    def end(self, error: HeadwayError) -> None:
        if self._error is None:
            self._error = error
            self._wake.set()

    def goodbye(self, error: HeadwayError, _reconnect_in: float) -> None:
        """End it early; when to come again stands in the answer's header."""
        self.end(error)

    def finish(self) -> None:
        """It was answered, or the client has gone. Idempotent."""
        self._service.release(self._grant.user, self)
        if self.follower is not None:
            self.follower.leave()
            self.follower = None

    async def wait(self, receive: Receive) -> bytes:
        """What was delivered, as soon as there is any; nothing when the time is over or the client has gone.

        Raises:
            HeadwayError: it was ended before anything was delivered.
        """
        gone = asyncio.create_task(self._notice(receive))
        try:
            async with asyncio.timeout(self._seconds):
                await self._wake.wait()
        except TimeoutError:
            return b""
        finally:
            gone.cancel()
        if self._error is not None and not self._pending:
            raise self._error
        return b"".join(self._pending)

    async def _notice(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._wake.set()
