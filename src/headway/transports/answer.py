"""One poll that waits: what is delivered to it becomes its answer (`spec/wire.md` §11)."""

from __future__ import annotations

import asyncio

from headway.errors import HeadwayError
from headway.model.grant import Grant
from headway.transports.asgi import Receive
from headway.transports.backpressure import HIGH_WATER
from headway.transports.following import Following
from headway.transports.http import PromptHttp
from headway.transports.service import Service
from headway.transports.wants import Asked
from headway.wire import native as n
from headway.wire.streams import POLL

__all__ = ["Answer"]


class Answer(Following):
    """A link that ends with the first thing that it is given."""

    __slots__ = ("_error", "_over", "_pending", "_seconds", "_size", "_waiting")

    codec = POLL

    def __init__(self, service: Service, asked: Asked, grant: Grant) -> None:
        """Take a place among the connections.

        Raises:
            TooManyConnections: the user has enough.
        """
        super().__init__(service)
        left = service.lasts(grant)
        self._seconds = asked.wait if left is None else min(asked.wait, left + service.limits.grace)
        self._pending: list[bytes] = []
        self._size = 0
        self._waiting: asyncio.Future[None] | None = None
        self._over = False
        self._error: HeadwayError | None = None
        self.admit(grant)

    @property
    def full(self) -> bool:
        return self._size > HIGH_WATER

    def deliver(self, data: bytes) -> bool:
        if self.full:
            return False
        self._pending.append(data)
        self._size += len(data)
        self._wake()
        return True

    def end(self, error: HeadwayError) -> None:
        if self._error is None:
            self._error = error
            self._wake()

    def goodbye(self, error: HeadwayError, _reconnect_in: float) -> None:
        """End it early; when to come again stands in the answer's header."""
        self.end(error)

    def renew(self, grant: Grant) -> None:
        """The next poll brings the new token by itself."""

    def expiring(self) -> bytes:
        """What says that the next poll needs another token; empty while it does not."""
        left = None if self.grant is None else self._service.lasts(self.grant)
        if left is None or left > self._service.limits.expiring_before:
            return b""
        return n.expiring(round(max(0.0, left), 1)) + b",\n"

    async def wait(self, receive: Receive, http: PromptHttp | None = None) -> bytes:
        """What was delivered, as soon as there is any; nothing when the time is over or the client has gone.

        Args:
            http: carries the request, and tells when its client has gone; without it `receive` does, in a task of its own.

        Raises:
            HeadwayError: it was ended before anything was delivered.
        """
        if not self._pending and self._error is None and not self._over:
            await self._wait(receive, http)
        if self._error is not None and not self._pending:
            raise self._error
        return b"".join(self._pending)

    def time_over(self) -> None:
        """It has waited long enough, or nobody waits for it any more."""
        self._over = True
        self._wake()

    async def _wait(self, receive: Receive, http: PromptHttp | None) -> None:
        deadlines = self._service.deadlines
        slot = deadlines.add(self, self._seconds)
        gone = None
        if http is None:
            gone = asyncio.create_task(self._notice(receive))
        elif not http.tell(self.time_over):
            self._over = True
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            if not self._over:
                await self._waiting
        finally:
            self._waiting = None
            deadlines.discard(self, slot)
            if gone is not None:
                gone.cancel()
            if http is not None:
                http.tell(None)

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def _notice(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.time_over()
