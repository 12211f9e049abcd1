"""One client's stream of events, whatever carries it and in whatever words (`spec/wire.md` §10)."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Hashable

from headway.errors import HeadwayError, TokenRevoked
from headway.model.grant import Grant
from headway.ports.link import Codec
from headway.transports.lasting import Lasting
from headway.transports.service import Service
from headway.transports.wants import Asked
from headway.transports.words import Words
from headway.wire.streams import HEARTBEAT

__all__ = ["RETRY_MS", "Stream"]

_log = logging.getLogger("headway.connection")

RETRY_MS = 2000
"""How long a browser waits before it comes again, unless the end of the stream says otherwise."""


class Stream(Lasting):
    """A link that events go out by. The form that carries it gives `write` and `hang_up`."""

    __slots__ = ("_words", "codec")

    def __init__(self, service: Service, words: Words, codec: Codec, asked: Asked, grant: Grant) -> None:
        """Take a place among the streams; nothing is sent yet.

        Args:
            codec: that of the words for the form that carries it.

        Raises:
            TooManyConnections: the user has enough.
        """
        super().__init__(service, words.limits(service))
        self._words = words
        self.codec = codec
        self._until = asked.until
        self.admit(grant)

    @abstractmethod
    def write(self, events: bytes) -> None:
        """Send whole events, full or not; these are few and small."""

    @abstractmethod
    def hang_up(self) -> None:
        """Close; what was sent before still goes out. Idempotent."""

    def end(self, error: HeadwayError) -> None:
        if not self._ended:
            self.write(self._words.error(error))
            self._part(error)

    def goodbye(self, error: HeadwayError, reconnect_in: float) -> None:
        if not self._ended:
            self.write(self._words.goodbye(error, reconnect_in))
            self._part(error)

    def done(self) -> None:
        self.finish()
        self.hang_up()

    def renew(self, grant: Grant) -> None:
        if not self._ended:
            self._say(self._words.welcome(self._service, grant))
            super().renew(grant)

    def expiring(self, seconds: float) -> None:
        self._say(self._words.expiring(seconds))

    def pulse(self) -> None:
        self.write(HEARTBEAT)

    def _refuse(self, subscription: Hashable, error: HeadwayError) -> None:
        if said := self._words.refused(subscription, error):
            self._say(said)
        else:
            self.end(error)

    def _say(self, events: bytes) -> None:
        if events and not self._ended:
            self.write(events)

    def _part(self, error: HeadwayError) -> None:
        # Of what was revoked there is one line for all.
        if not isinstance(error, TokenRevoked):
            _log.info("stream ended", extra={"code": error.code, "user": self.grant and self.grant.user})
        self.done()
