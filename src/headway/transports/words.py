"""How a stream speaks: its codecs, and what it says that is no record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import cast

from headway.errors import HeadwayError
from headway.model.grant import Grant
from headway.ports.link import Codec
from headway.transports.service import Service
from headway.wire import native as n
from headway.wire.session import SessionLimits
from headway.wire.streams import CHUNKS, EVENTS, event, retry

__all__ = ["NATIVE", "Words"]


class Words(ABC):
    """One for all streams of a kind. What it returns are whole events; nothing where it has no word for something.

    Attributes:
        plain: the codec of streams that an ASGI server carries.
        chunked: the same events, each in a chunk of its own, for streams on a socket of their own.
    """

    plain: Codec
    chunked: Codec

    def limits(self, service: Service) -> SessionLimits:
        """How often it beats, and how long a token's end is waited out."""
        return service.limits

    @abstractmethod
    def error(self, error: HeadwayError) -> bytes:
        """Why it ends."""

    @abstractmethod
    def goodbye(self, error: HeadwayError, reconnect_in: float) -> bytes:
        """That it ends, though nothing was wrong.

        Args:
            reconnect_in: seconds after which the client is to come again.
        """

    def refused(self, subscription: Hashable, error: HeadwayError) -> bytes:  # noqa: ARG002 - for whom there is one
        """That one of several subscriptions ends; without a word for that the stream does."""
        return b""

    def expiring(self, seconds: float) -> bytes:  # noqa: ARG002
        """That the token ends soon."""
        return b""

    def welcome(self, service: Service, grant: Grant) -> bytes:  # noqa: ARG002
        """That it goes on with another token."""
        return b""


class _Native(Words):
    """The messages of `spec/wire.md` §4."""

    plain = EVENTS
    chunked = CHUNKS

    def error(self, error: HeadwayError) -> bytes:
        return event(n.error(error))

    def goodbye(self, error: HeadwayError, reconnect_in: float) -> bytes:
        # A browser reads the one, a script the other.
        wait = retry(round(reconnect_in * 1000)) + event(n.goodbye(error.message, reconnect_in))
        return wait + self.error(error)

    def refused(self, subscription: Hashable, error: HeadwayError) -> bytes:
        return event(n.error(error, id=cast("str | int", subscription)))

    def expiring(self, seconds: float) -> bytes:
        return event(n.expiring(seconds))

    def welcome(self, service: Service, grant: Grant) -> bytes:
        return event(service.welcome(grant))


NATIVE = _Native()
