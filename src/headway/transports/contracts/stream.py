"""Server-Sent Events in a contract's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from headway.dialects.translation import Event, Translation
from headway.errors import HeadwayError
from headway.hub.wanted import Wanted
from headway.model.cursor import Cursor
from headway.model.grant import Grant
from headway.transports.contracts.codec import StreamCodec, named_event
from headway.transports.contracts.contract import Contract, Request
from headway.transports.service import Service
from headway.transports.streams import answer_stream
from headway.transports.wants import Asked
from headway.transports.words import Words
from headway.wire.session import SessionLimits, beating
from headway.wire.streams import chunk, retry

__all__ = ["EventWords", "stream"]


class EventWords(Words):
    """The events of a translation, each with its name, its data as JSON and, where a client can go on, its id."""

    def __init__(self, translation: Translation, beat_seconds: float) -> None:
        """Make the codecs, one for all streams of a kind.

        Args:
            beat_seconds: between heartbeats.
        """
        self.plain = StreamCodec(translation)
        self.chunked = StreamCodec(translation, chunk)
        self._beat_seconds = beat_seconds

    def last_word(self, error: HeadwayError) -> Event:
        """How the contract says why a stream ends."""
        return Event("error", {"message": error.message})

    def limits(self, service: Service) -> SessionLimits:
        return beating(service.limits, self._beat_seconds)

    def error(self, error: HeadwayError) -> bytes:
        return named_event(self.last_word(error))

    def goodbye(self, error: HeadwayError, reconnect_in: float) -> bytes:  # noqa: ARG002 - no contract has a word for it
        return retry(round(reconnect_in * 1000))


async def stream(
    contract: Contract,
    request: Request,
    words: EventWords,
    want: Callable[[Grant], Wanted],
    *,
    until_done: bool = False,
) -> None:
    """Answer a request with a stream of one thing, from where its client was.

    Args:
        want: says what to follow, from how it stands, for who asks.
        until_done: the stream ends with the task that is followed.

    Raises:
        HeadwayError: nothing was sent; it is to be answered with this.
    """
    contract.arrive(request)
    grant = await contract.known(request, stays=True)
    last = request.header("last-event-id")
    wanted = replace(want(grant), cursor=Cursor.parse(last))
    asked = Asked([wanted], until_done=until_done, again=bool(last))
    await answer_stream(contract.service, words, asked, grant, request.scope, request.receive, request.send)
