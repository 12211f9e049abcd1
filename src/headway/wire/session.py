"""The conversation with one client as a state machine: what may be said when, and what falls due.

Sans-I/O: bytes and the time go in; messages, and the errors that answer or end the conversation, come out. It knows no
transport, verifies no token and applies no change.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from headway.errors import AuthTimeout, HeadwayError, InvalidField, Silent, Unauthenticated
from headway.wire.allowance import Allowance
from headway.wire.lease import Due, Lease
from headway.wire.native import Auth, ClientMessage, Ping, decode_client

__all__ = ["Session", "SessionLimits", "beating"]


class SessionLimits(msgspec.Struct, frozen=True):
    """Shared by all sessions; seconds and messages a second.

    Attributes:
        auth_timeout: until a valid token must have come.
        heartbeat: between heartbeats; silence of twice as long ends the conversation.
        message_rate, message_burst: how many messages a client may send, steadily and at once.
        expiring_before: how long before the end of the token the client is told.
        grace: how long after it the conversation may go on, waiting for a new one.
    """

    auth_timeout: float = 10.0
    heartbeat: float = 25.0
    message_rate: float = 50.0
    message_burst: float = 200.0
    expiring_before: float = 60.0
    grace: float = 0.0


@lru_cache(16)
def beating(limits: SessionLimits, heartbeat: float) -> SessionLimits:
    """The same limits with another time between heartbeats, in seconds; the same object for all who have the same."""
    return msgspec.structs.replace(limits, heartbeat=heartbeat)


class Session(Allowance):
    """One client's conversation. All times are monotonic seconds."""

    __slots__ = (
        "_deadline",
        "_heard",
        "_lease",
        "refusal",
        "user",
    )

    def __init__(self, limits: SessionLimits, now: float) -> None:
        super().__init__(limits, now)
        self._deadline: float | None = now + limits.auth_timeout
        """Until a token must have come; None when one did."""
        self._heard = now
        self._lease: Lease | None = None
        self.refusal: HeadwayError | None = None
        """What to say instead of an `AuthTimeout`."""
        self.user: str | None = None
        """Who it is, from `welcome` on."""

    def heard(self, now: float) -> None:
        """Something came from the client, if only a pong."""
        self._heard = now

    def receive(self, data: bytes, now: float) -> ClientMessage:
        """Take one message.

        Raises:
            RateLimited: the client says too much; nothing was done.
            Flooding: and it goes on, far beyond what is allowed.
            Unauthenticated: only `auth` and `ping` may be said before `welcome`; or an `auth` has no token that could
                be one.
            BadMessage, UnknownType, InvalidField: see `decode_client`.
        """
        self.count(now)
        try:
            message = decode_client(data)
        except InvalidField as invalid:
            # Whoever waits for a welcome must be told that none will come.
            if invalid.details.get("field") == "token":
                raise Unauthenticated from None
            raise
        if self.user is None and not isinstance(message, Auth | Ping):
            raise self.refusal or Unauthenticated("Send auth with a valid token first")
        return message

    def count(self, now: float) -> None:
        self._heard = now
        super().count(now)

    def welcome(self, user: str, lasts: float | None, now: float, lifetime: float | None = None) -> None:
        """A token was verified.

        Args:
            lasts: seconds until it expires, None when it does not.
            lifetime: seconds until the conversation has lasted long enough, whatever tokens follow; None for ever.

        Raises:
            Unauthenticated: the conversation belongs to another user.
        """
        if self.user is not None and self.user != user:
            raise Unauthenticated("This connection belongs to another user; open a new one")
        if self._lease is None:
            self._deadline = None
            self._lease = Lease(self._limits, lifetime, now)
        self.user = user
        self._lease.renew(lasts, now)

    def turn(self, now: float) -> Due:
        """What falls due now.

        Raises:
            AuthTimeout, TokenExpired, LifetimeOver, Silent: the conversation is over.
        """
        limits = self._limits
        if self._lease is None:
            if self._deadline is not None and now >= self._deadline:
                raise self.refusal or AuthTimeout
            return Due.NOTHING
        due = self._lease.due(now)
        if now - self._heard > 2 * limits.heartbeat:
            raise Silent
        return due

    def wait(self, now: float) -> float:
        """Seconds until something falls due."""
        if self._lease is not None:
            return max(0.0, self._lease.next() - now)
        return float("inf") if self._deadline is None else max(0.0, self._deadline - now)

    def remaining(self, now: float) -> float:
        """Seconds until the token expires; infinite when it does not."""
        return float("inf") if self._lease is None else self._lease.remaining(now)
