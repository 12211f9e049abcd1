"""One client's stream of events, whatever carries it: what falls due on it, and how it ends (`spec/wire.md` §10)."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Hashable
from typing import cast

from headway.errors import HeadwayError, LifetimeOver, TokenRevoked
from headway.hub.follower import Follower
from headway.model.grant import Grant
from headway.transports.members import Member
from headway.transports.service import Service
from headway.transports.wants import Asked
from headway.wire import native as n
from headway.wire.lease import Lease
from headway.wire.streams import HEARTBEAT, event, retry

__all__ = ["RETRY_MS", "Stream"]

_log = logging.getLogger("headway.connection")

RETRY_MS = 2000
"""How long a browser waits before it comes again, unless the end of the stream says otherwise."""


class Stream(Member):
    """A link that events go out by. The form that carries it gives `write` and `hang_up`."""

    __slots__ = ("_beat_at", "_ended", "_lease", "_service", "_turn_at", "_until", "follower")

    def __init__(self, service: Service, asked: Asked, grant: Grant) -> None:
        """Take a place among the streams; nothing is sent yet.

        Raises:
            TooManyConnections: the user has enough.
        """
        self._service = service
        self.grant = None
        self._ended = False
        self._until: tuple[str, ...] | None = None
        """The tasks after whose last state the stream ends."""
        if asked.until_done and all(wanted.task is not None for wanted in asked.subscriptions):
            self._until = tuple(wanted.task or "" for wanted in asked.subscriptions)
        now = service.hub.wheel.now()
        self._lease = Lease(service.limits, service.lifetime(), now)
        self._lease.renew(service.lasts(grant), now)
        self._beat_at = now + service.limits.heartbeat
        self._turn_at = float("inf")
        service.admit(grant, self)
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
        self._service.release(self)
        self.mute()

    def mute(self) -> None:
        if self.follower is not None:
            self.follower.leave()
            self.follower = None

    def end(self, error: HeadwayError) -> None:
        if self._ended:
            return
        self.write(event(n.error(error)))
        # Of what was revoked there is one line for all.
        if not isinstance(error, TokenRevoked):
            _log.info("stream ended", extra={"code": error.code, "user": self.grant and self.grant.user})
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

    def renew(self, grant: Grant) -> None:
        """Go on with another token of the same user; what it does not cover ends."""
        if self._ended:
            return
        service = self._service
        service.members.renew(grant, self)
        self._lease.renew(service.lasts(grant), service.hub.wheel.now())
        self.write(event(service.welcome(grant)))
        if self.follower is not None:
            self.follower.renew(grant, self._refuse)
        self._plan()

    def _refuse(self, subscription: Hashable, error: HeadwayError) -> None:
        if not self._ended:
            self.write(event(n.error(error, id=cast("str | int", subscription))))

    def _plan(self) -> None:
        """Ask for the next turn, unless one comes soon enough."""
        wheel = self._service.hub.wheel
        at = min(self._beat_at, self._lease.next())
        if at < self._turn_at:
            self._turn_at = at
            wheel.schedule(max(0.0, at - wheel.now()), self._turn)

    def _turn(self) -> None:
        now = self._service.hub.wheel.now()
        # A turn that was planned before a sooner one was needed has nothing to do any more.
        if self._ended or now < self._turn_at:
            return
        try:
            expiring = self._lease.due(now)
        except LifetimeOver as error:
            self.goodbye(error, 0.0)
            return
        except HeadwayError as error:
            self.end(error)
            return
        if expiring:
            self.write(event(n.expiring(round(self._lease.remaining(now), 1))))
        if now >= self._beat_at:
            self._beat_at = now + self._service.limits.heartbeat
            if not self.full:
                self.write(HEARTBEAT)
        self._turn_at = float("inf")
        self._plan()
