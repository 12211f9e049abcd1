"""Contracts over Socket.IO whose clients get what they missed: the stock client's recovery, by cursors alone.

What a client follows is known from its token and from what it asks for on each connection, so nothing needs to be kept
for it. Its `pid` is no secret and opens nothing: it only makes the client bring its `offset` back.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Mapping
from contextlib import suppress
from functools import partial

from headway.errors import HeadwayError, UnknownSubscription
from headway.hub.wanted import Only, Wanted
from headway.model.cursor import Cursor
from headway.transports.contracts.socketio import Speaking
from headway.transports.socketio.client import Client
from headway.wire.socketio import Recovery
from headway.wire.socketio_batch import SocketCodec
from headway.wire.socketio_positions import Place, parse_offset

__all__ = ["Codecs", "Resuming"]

Codecs = tuple[SocketCodec, SocketCodec]
"""Without offsets, and with them."""

_OWN = 0
_SERIALS = 999_999_999


class Resuming(Speaking):
    """A client that follows channels, its own among them, each from where it was."""

    __slots__ = ("_came_from", "_followed", "_resumable")

    def __init__(self, client: Client, namespace: str, codecs: Codecs, *, open: bool) -> None:  # noqa: A002
        super().__init__(client, namespace, codecs[0], open=open)
        self._resumable = codecs[1]
        self._came_from: dict[int, Place] = {}
        """Where it was in each channel when it was here before."""
        self._followed: set[str] = set()

    def let_in(self, recovery: Recovery | None) -> None:
        """Accept the client, who may have been here before.

        Only who can come back with an offset is given any: it is an argument more in each event, and there are clients
        whose handlers take no more than the contract says.
        """
        places = None if recovery is None or recovery.offset is None else parse_offset(recovery.offset)
        self._came_from = places or {}
        if recovery is not None:
            self.codec = self._resumable
            self.accept(recovery.pid)
        elif self.client.keeps_offsets:
            self.codec = self._resumable
            self.accept(self.client.endpoint.new_id())
        else:
            self.accept()

    def offset(self, cursors: Mapping[str, Cursor]) -> tuple[str, ...]:
        """Where a client stands that is to begin here in each channel, as the last argument of an event; none without offsets."""
        if self.codec is not self._resumable or not cursors:
            return ()
        if len(cursors) == 1:
            return tuple(str(cursor) for cursor in cursors.values())
        epoch = self._service.hub.records.epoch
        return (";".join([epoch, *(f"{self._serial(name)}:{at.rev}" for name, at in cursors.items())]),)

    def was_at(self, channel: str) -> Cursor | None:
        """Where the client was in a channel; None when it was not there."""
        place = self._came_from.get(self._serial(channel))
        return None if place is None else place.cursor

    def follow_channel(self, channel: str, cursor: Cursor | None, only: Only | None = None) -> None:
        """Follow a channel, or those of its tasks; in the place of what is followed of it already.

        Args:
            cursor: from where; None for how things stand.
        """
        name = channel.encode()
        others = self._followed - {channel}
        self._followed.add(channel)
        if self._places is not None or (others and self.codec is self._resumable):
            places = self._keep_places((other, other.encode(), self._serial(other)) for other in others)
            places.begin(name, self._serial(channel), Place(cursor))
        wanted = Wanted(key=channel, name=name, channel=channel, cursor=cursor, only=only)
        self.follow(wanted, partial(self._not_followed, channel))

    def _serial(self, channel: str) -> int:
        grant = self.grant
        if grant is not None and channel == grant.own_channel:
            return _OWN
        return 1 + zlib.crc32(channel.encode()) % _SERIALS

    def unfollow(self, channel: str) -> None:
        """Follow it no longer. Idempotent."""
        self._forget(channel)
        with suppress(UnknownSubscription):
            if self._follower is not None:
                self._follower.unsubscribe(channel)

    def _forget(self, channel: str) -> None:
        """It is not followed any more; nothing is kept of it."""
        self._followed.discard(channel)
        if self._places is not None:
            self._places.end(channel.encode())

    def _not_followed(self, channel: str, error: HeadwayError) -> None:
        self._forget(channel)
        self.complain(error)

    def _refuse(self, subscription: Hashable, error: HeadwayError) -> None:
        self._not_followed(str(subscription), error)
