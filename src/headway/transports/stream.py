"""One client's stream of events, whatever carries it: what falls due on it, and how it ends (`spec/wire.md` §10)."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod

from headway.errors import HeadwayError, LifetimeOver, TokenExpired
from headway.hub.followers import Follower
from headway.model.grant import Grant
from headway.ports.link import Link
from headway.transports.service import Service
from headway.transports.wants import Asked
from headway.wire import native as n
from headway.wire.streams import HEARTBEAT, event, retry

__all__ = ["RETRY_MS", "Stream"]

_log = logging.getLogger("headway.connection")

RETRY_MS = 2000
"""How long a browser waits before it comes again, unless the end of the stream says otherwise."""


class Stream(Link):
    """A link that events go out by. The form that carries it gives `write` and `hang_up`."""

    __slots__ = ("_ended", "_ends_at", "_grant", "_last_word", "_service", "_until", "follower")

    def __init__(self, service: Service, asked: Asked, grant: Grant) -> None:
        """Take a place among the streams; nothing is sent yet.

        Raises:
            TooManyConnections: the user has enough.
        """
        self._service = service
        self._grant = grant
        self._ended = False
        self._until: tuple[str, ...] | None = None
        """The tasks after whose last state the stream ends."""
        if asked.until_done and all(wanted.task is not None for wanted in asked.subscriptions):
            self._until = tuple(wanted.task or "" for wanted in asked.subscriptions)
        self._last_word: type[HeadwayError] = LifetimeOver
        now = service.hub.wheel.now()
        lifetime = service.lifetime()
        self._ends_at = float("inf") if lifetime is None else now + lifetime
        if grant.expires_at is not None:
            expires = now + grant.expires_at - service.hub.clock() / 1000
            if expires <= self._ends_at:
                self._ends_at, self._last_word = expires, TokenExpired
        service.admit(grant.user, self)
        self.follower: Follower | None = None

    @abstractmethod
    def write(self, events: bytes) -> None:
        """Send whole events, full or not; these are few and small."""

    @abstractmethod
    def hang_up(self) -> None:
        """Close; what was sent before still goes out. Idempotent."""

    def begin(self) -> None:
        """The answer has begun."""
        if self._ended:
            return
        self._plan()
        self._end_when_done()

    def finish(self) -> None:
        """The client has gone. Idempotent."""
        self._ended = True
        self._service.release(self._grant.user, self)
        if self.follower is not None:
            self.follower.leave()
            self.follower = None

    def end(self, error: HeadwayError) -> None:
        if self._ended:
            return
        self.write(event(n.error(error)))
        _log.info("stream ended", extra={"code": error.code, "user": self._grant.user})
        self.finish()
        self.hang_up()

    def goodbye(self, error: HeadwayError, reconnect_in: float) -> None:
        """End a stream that did nothing wrong; it is to come again."""
        if not self._ended:
            # A browser reads the one, a script the other.
            self.write(retry(round(reconnect_in * 1000)) + event(n.goodbye(error.message, reconnect_in)))
            self.end(error)

    def delivered(self) -> None:
        """Something was delivered; the last state may have been among it."""
        if self._until is not None and not self._ended:
            # Whoever delivers has not noted yet how far we are.
            asyncio.get_running_loop().call_soon(self._end_when_done)

    def _end_when_done(self) -> None:
        follower = self.follower
        if (
            self._until is not None
            and follower is not None
            and follower.caught_up
            and all(self._service.hub.finished(task) for task in self._until)
        ):
            self.finish()
            self.hang_up()

    def _plan(self) -> None:
        wheel = self._service.hub.wheel
        wait = min(self._service.limits.heartbeat, self._ends_at - wheel.now())
        wheel.schedule(max(0.0, wait), self._turn)

    def _turn(self) -> None:
        if self._ended:
            return
        if self._service.hub.wheel.now() < self._ends_at:
            if not self.full:
                self.write(HEARTBEAT)
            self._plan()
        elif self._last_word is LifetimeOver:
            self.goodbye(LifetimeOver(), 0.0)
        else:
            self.end(self._last_word())
