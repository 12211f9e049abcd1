"""A client of Socket.IO that is known by its token and follows records: what every vocabulary of that kind shares."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any, cast

from headway.errors import Draining, HeadwayError, Unauthenticated
from headway.hub.wanted import Wanted
from headway.model.grant import Grant
from headway.transports.conversation import CLOSE_BASE, Conversation
from headway.transports.credentials import Brought
from headway.transports.socketio.client import Client
from headway.transports.socketio.vocabulary import Vocabulary
from headway.wire.session import beating
from headway.wire.socketio import Recovery
from headway.wire.socketio_batch import Batch, SocketCodec
from headway.wire.socketio_codec import event_of
from headway.wire.socketio_positions import Place, Positions

__all__ = ["SocketConversation"]

_RECONNECT = range(CLOSE_BASE + 300, CLOSE_BASE + 400)


class SocketConversation(Conversation, Vocabulary):
    """Verifies the token of the client's `auth`, else of its first request's headers, and lets it follow what that covers.

    The token's expiry, the rate of messages, `cancel` and the like are those of every conversation (`spec/wire.md` §2, §7).
    """

    __slots__ = ("_places", "client", "codec", "namespace")

    codec: SocketCodec

    def __init__(self, client: Client, namespace: str, codec: SocketCodec) -> None:
        # Engine.IO has heartbeats of its own.
        super().__init__(client.service, beating(client.service.limits, float("inf")))
        self.client = client
        self._address = client.address
        self.namespace = namespace
        self.codec = codec
        self._places: Positions | None = None
        """Where it stands when it ever had more than one subscription; else its follower knows."""

    @property
    def door(self) -> str:
        return self.client.endpoint.door

    def welcomed(self, grant: Grant, recovery: Recovery | None) -> None:
        """The token is good: `accept`, now or later, and say what there is to be said first."""
        raise NotImplementedError

    def connected(self, auth: dict[str, Any], recovery: Recovery | None) -> None:
        token = auth.get("token")
        try:
            if self._service.draining:
                raise Draining
            brought = Brought(token) if isinstance(token, str) and token else self.client.brought()
            if brought is None:
                raise Unauthenticated("A token is needed: connect with auth: {token}")
        except HeadwayError as error:
            self._part(error)
            return
        self._arrive()
        self._ask(brought, partial(self._let_in, recovery), self.end)

    def _let_in(self, recovery: Recovery | None, grant: Grant) -> None:
        self._admit(grant)
        self._follow(grant)
        self._plan()
        self.welcomed(grant, recovery)

    def left(self, *, by_choice: bool) -> None:  # noqa: ARG002 - for those whose state can be recovered
        self.finish()

    def end(self, error: HeadwayError) -> None:
        if not self._ended and not self.client.joined(self.namespace):
            self.finish()
            self._part(error)
            return
        super().end(error)

    def drained(self) -> None:
        Conversation.drained(self)

    @property
    def way(self) -> Callable[[bytes], bool]:
        # Straight to the WebSocket, for nearly all: what lies between is not in the processor's caches.
        carrier = self.client.ws
        if carrier is None or self._places is not None:
            return self.deliver
        return cast("Callable[[bytes], bool]", carrier.deliver)

    def deliver(self, data: bytes) -> bool:
        batch = cast("Batch", data)
        places = self._places
        if places is None:
            return self.client.deliver(batch)
        if self.client.full:
            return False
        own = self.codec.batch(batch.name, batch.said, places.offsets(batch.name, batch.said))
        if not self.client.deliver(own):
            return False
        places.sent(batch.name, batch.said)
        return True

    def _keep_places(self, followed: Iterable[tuple[Hashable, bytes, int]] = ()) -> Positions:
        """From now on, end each event with where the client stands in all that it follows.

        Args:
            followed: key, name and serial of what it follows already.
        """
        places = self._places
        if places is None:
            places = self._places = Positions(self._service.hub.records.epoch)
            if self._follower is not None:
                self._follower.rerouted()
            for key, name, serial in followed:
                at = None if self._follower is None else self._follower.reached(key)
                places.begin(name, serial, Place(at))
        return places

    def follow(self, wanted: Wanted, refuse: Callable[[HeadwayError], object]) -> None:
        """Begin to follow; what is followed under the same key already ends.

        Args:
            refuse: called with what was wrong, now or later.
        """
        if self._follower is not None:
            self._follower.subscribe(wanted, refuse)

    def send(self, message: bytes) -> None:
        """Send a native message as an event."""
        if self.takes(message):
            parser = self.client.parser
            frame = parser.event_frame(self.namespace, event_of(parser, message))
            self.client.say(self.namespace, [frame])

    def ping(self) -> None:
        """Engine.IO has its own."""

    def hang_up(self, code: int, reason: str) -> None:
        """Part so that the client does what the code means: come again, or not."""
        if code in _RECONNECT:
            self.client.close(code, reason)
        else:
            self.put_out()

    def _part(self, error: HeadwayError) -> None:
        self._note(error)
        if isinstance(error, Draining):
            # A refusal would be final to the client, and this is none.
            self.client.end(error)
        else:
            self.refuse(error)
