"""Every error that Headway raises or sends, in one tree with numbered codes.

The number says what a client should do (`spec/wire.md` §6):

- 1xx the request is at fault: the connection stays, do not repeat it unchanged;
- 2xx not possible just now: the connection stays, repeat it later;
- 3xx the connection ends: reconnect, with jitter;
- 4xx the connection ends: do not reconnect before something changed (a new token, a new setting).

An error's docstring is its default message. This module knows nothing of the rest of Headway.

    HeadwayError
    ├── RequestError          1xx
    ├── TemporaryError        2xx
    ├── ReconnectError        3xx
    ├── RefusedError          4xx
    └── ConfigurationError    5xx (at start-up only; never on the wire)
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AuthTimeout",
    "BadMessage",
    "BodyTimeout",
    "ConfigurationError",
    "ConnectingTooOften",
    "Draining",
    "Flooding",
    "Forbidden",
    "HeadwayError",
    "IllegalTransition",
    "InternalError",
    "InvalidField",
    "KeyReused",
    "KeysUnavailable",
    "LifetimeOver",
    "MissingExtra",
    "NotFound",
    "OriginRefused",
    "Overloaded",
    "ProgressBackwards",
    "QuotaReached",
    "RateLimited",
    "ReconnectError",
    "RefusedError",
    "RequestError",
    "Silent",
    "SlowReader",
    "StoreUnavailable",
    "SubscriptionLimit",
    "TemporaryError",
    "TokenExpired",
    "TokenRevoked",
    "TooLarge",
    "TooManyConnections",
    "Unauthenticated",
    "UnknownSubscription",
    "UnknownType",
]


class HeadwayError(Exception):
    """Something went wrong in Headway."""

    code: ClassVar[int] = 0
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None, **details: Any) -> None:
        """Make the error.

        Args:
            message: what went wrong and what to do next; the class's docstring when left out.
            details: small JSON values that are sent beside the message.
        """
        self.message = message or (type(self).__doc__ or "").strip()
        self.details = details
        super().__init__(self.message)

    def body(self) -> dict[str, Any]:
        """The JSON object for this error, the same in REST answers and in `error` messages."""
        return {
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
            **self.details,
        }


class RequestError(HeadwayError):
    """The request is at fault."""

    status = 400


class BadMessage(RequestError):
    """The message is not a JSON object with a known shape."""

    code = 100


class UnknownType(RequestError):
    """The message has a type that this server does not know."""

    code = 101


class InvalidField(RequestError):
    """A field has the wrong type or is out of bounds."""

    code = 102


class TooLarge(RequestError):
    """The message is larger than this server takes."""

    code = 103
    status = 413


class NotFound(RequestError):
    """There is no such record, or this token may not see it."""

    code = 104
    status = 404


class Forbidden(RequestError):
    """This token does not allow that."""

    code = 105
    status = 403


class IllegalTransition(RequestError):
    """The task's state does not allow that."""

    code = 106
    status = 409


class SubscriptionLimit(RequestError):
    """This connection holds as many subscriptions as are allowed; unsubscribe from one first."""

    code = 107


class KeyReused(RequestError):
    """This idempotency key or id already belongs to another record."""

    code = 108
    status = 409


class ProgressBackwards(RequestError):
    """Progress never decreases within an attempt; retry the task to begin again."""

    code = 109
    status = 409


class UnknownSubscription(RequestError):
    """There is no subscription with this id on this connection."""

    code = 110


class TemporaryError(HeadwayError):
    """Not possible just now; try again."""

    status = 503
    retryable = True


class StoreUnavailable(TemporaryError):
    """The record could not be written; nothing was acknowledged. Try again."""

    code = 200


class RateLimited(TemporaryError):
    """Too many messages; slow down and try again."""

    code = 201
    status = 429


class Overloaded(TemporaryError):
    """The server holds as much as it may; try again in a while."""

    code = 202


class QuotaReached(TemporaryError):
    """There are as many unfinished tasks as are allowed here; let some of them finish first."""

    code = 203
    status = 429


class BodyTimeout(TemporaryError):
    """The body of the request did not come in time; send it again."""

    code = 204
    status = 408


class ReconnectError(HeadwayError):
    """The connection ends; reconnect."""

    status = 503
    retryable = True


class Draining(ReconnectError):
    """The server is shutting down or restarting; reconnect."""

    code = 300


class SlowReader(ReconnectError):
    """Nothing was read from this connection for too long; reconnect."""

    code = 301


class Silent(ReconnectError):
    """Nothing was heard on this connection for too long; reconnect."""

    code = 302


class LifetimeOver(ReconnectError):
    """The connection reached its maximum lifetime; reconnect."""

    code = 303


class AuthTimeout(ReconnectError):
    """No token arrived in time; reconnect and send auth first."""

    code = 304


class InternalError(ReconnectError):
    """The server failed; it has logged why. Reconnect."""

    code = 305
    status = 500


class Flooding(ReconnectError):
    """Far too many messages came, in spite of warnings; reconnect and slow down."""

    code = 306


class ConnectingTooOften(ReconnectError):
    """Too many connections were opened in a short time; wait before the next."""

    code = 307
    status = 429


class KeysUnavailable(ReconnectError):
    """The keys that tokens are verified with cannot be had at the moment; reconnect."""

    code = 308


class RefusedError(HeadwayError):
    """The connection is refused."""

    status = 403


class Unauthenticated(RefusedError):
    """A valid token is needed."""

    code = 401
    status = 401


class TokenExpired(RefusedError):
    """The token has expired; get a new one."""

    code = 402
    status = 401


class TokenRevoked(RefusedError):
    """The token was revoked."""

    code = 404
    status = 401


class OriginRefused(RefusedError):
    """Pages of this origin may not use the cookie; add the origin to allowed_origins or send a token."""

    code = 403


class TooManyConnections(RefusedError):
    """This user has as many connections as are allowed; close one first."""

    code = 429
    status = 429


class ConfigurationError(HeadwayError):
    """A setting is missing or wrong."""

    code = 500


class MissingExtra(ConfigurationError):
    """An optional part of Headway is not installed."""

    code = 501
