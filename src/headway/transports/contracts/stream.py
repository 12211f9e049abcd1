"""Server-Sent Events in a contract's words, behind any ASGI server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from headway.dialects.translation import Event
from headway.errors import HeadwayError
from headway.hub.follower import Follower
from headway.hub.wanted import Wanted
from headway.model.grant import Grant
from headway.ports.link import Codec
from headway.transports.asgi import Receive, Send
from headway.transports.contracts.codec import encode
from headway.transports.members import Member
from headway.transports.service import Service
from headway.wire.lease import Lease
from headway.wire.streams import HEARTBEAT, retry

__all__ = ["ContractStream"]

_log = logging.getLogger("headway.connection")

_HIGH_WATER = 65_536
_RETRY_MS = 2000
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx holds answers back unless it is told otherwise.
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


class ContractStream(Member):
    """One client's stream."""

    __slots__ = (
        "_beat_at",
        "_beat_seconds",
        "_done",
        "_last_word",
        "_lease",
        "_pending",
        "_service",
        "_size",
        "_turn_at",
        "_until",
        "_wake",
        "codec",
        "follower",
    )

    def __init__(
        self,
        service: Service,
        codec: Codec,
        beat_seconds: float,
        last_word: Callable[[HeadwayError], Event],
        *,
        until: str | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            beat_seconds: between heartbeats.
            last_word: how the contract says why the stream ends.
            until: the task with whose end the stream ends.
        """
        self.grant = None
        self.codec = codec
        self.follower: Follower | None = None
        self._service = service
        self._beat_seconds = beat_seconds
        self._last_word = last_word
        self._until = until
        self._pending: list[bytes] = []
        self._size = 0
        self._wake = asyncio.Event()
        self._done = False
        now = service.hub.wheel.now()
        self._lease = Lease(service.limits, service.lifetime(), now)
        self._beat_at = now + beat_seconds
        self._turn_at = float("inf")

    @property
    def full(self) -> bool:
        return self._size > _HIGH_WATER

    def deliver(self, data: bytes) -> bool:
        if self.full:
            return False
        self._write(data)
        if self._until is not None:
            # Whoever delivers has not noted yet how far we are, nor perhaps that we follow.
            asyncio.get_running_loop().call_soon(self._end_when_done)
        return True

    def end(self, error: HeadwayError) -> None:
        if not self._done:
            event = self._last_word(error)
            self._write(b"event: %b\ndata: %b\n\n" % (event.name.encode(), encode(event.data)))
            _log.info("stream ended", extra={"code": error.code, "user": self.grant and self.grant.user})
            self._hang_up()

    def goodbye(self, _error: HeadwayError, reconnect_in: float) -> None:
        """End it because the server stops; a browser comes again by itself."""
        if not self._done:
            self._write(retry(round(reconnect_in * 1000)))
            self._hang_up()

    def renew(self, grant: Grant) -> None:
        """Go on with another token of the same user."""
        self._service.members.renew(grant, self)
        self._lease.renew(self._service.lasts(grant), self._service.hub.wheel.now())
        if self.follower is not None:
            self.follower.renew(grant, lambda _, error: self.end(error))
        self._plan()

    def mute(self) -> None:
        if self.follower is not None:
            self.follower.leave()
            self.follower = None

    async def serve(self, grant: Grant, wanted: Wanted, receive: Receive, send: Send) -> None:
        """Answer the request.

        Raises:
            HeadwayError: nothing was sent; it is to be answered with this.
        """
        self._service.admit(grant, self)
        try:
            self._lease.renew(self._service.lasts(grant), self._service.hub.wheel.now())
            self._write(retry(_RETRY_MS))
            self.follower = follower = self._service.hub.follower(self, grant)
            refused: list[HeadwayError] = []
            follower.subscribe(wanted, refused.append)
            await follower.opened()
            if refused:
                raise refused[0]
            # Also for a client that knows the end already, and is told nothing.
            self._end_when_done()
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            self._plan()
            await self._pump(receive, send)
        finally:
            self._service.release(self)
            self.mute()

    def _end_when_done(self) -> None:
        follower = self.follower
        if (
            self._until is not None
            and follower is not None
            and follower.caught_up
            and self._service.hub.finished(self._until)
        ):
            self._hang_up()

    async def _pump(self, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(self._gone(receive))
        try:
            more = True
            while more:
                await self._wake.wait()
                self._wake.clear()
                data = b"".join(self._pending)
                self._pending.clear()
                self._size = 0
                more = not self._done
                try:
                    async with asyncio.timeout(self._service.write_deadline):
                        await send({"type": "http.response.body", "body": data, "more_body": more})
                except TimeoutError:
                    return
                if self.follower is not None:
                    self.follower.drained()
        finally:
            gone.cancel()

    async def _gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._hang_up()

    def _hang_up(self) -> None:
        self._done = True
        self.mute()
        self._wake.set()

    def _write(self, data: bytes) -> None:
        self._pending.append(data)
        self._size += len(data)
        self._wake.set()

    def _plan(self) -> None:
        wheel = self._service.hub.wheel
        at = min(self._beat_at, self._lease.next())
        if at < self._turn_at:
            self._turn_at = at
            wheel.schedule(max(0.0, at - wheel.now()), self._turn)

    def _turn(self) -> None:
        now = self._service.hub.wheel.now()
        if self._done or now < self._turn_at:
            return
        try:
            self._lease.due(now)
        except HeadwayError as error:
            self.end(error)
            return
        if now >= self._beat_at:
            self._beat_at = now + self._beat_seconds
            if not self.full:
                self._write(HEARTBEAT)
        self._turn_at = float("inf")
        self._plan()
