"""The seam between Socket.IO and what is said over it: what one client in one namespace can say, and hears.

To teach the server another language, write two things:

- A **codec** (`headway.wire.socketio_batch.SocketCodec`): which events the records of the hub are. It is pure, and one
  instance serves everybody, since clients with the same codec share what is encoded:

        class ShoutCodec(SocketCodec):
            def changes(self, name, epoch, versions):
                return self.batch(name, [self.said("shout", {"id": v.record.id}) for v in versions])

  and `snapshot` and `log` likewise; an empty batch says nothing. `name` is whatever the vocabulary put into `Wanted.name`.

- A **vocabulary**: what the client's events do. Who is known by a token and follows records inherits from
  `headway.transports.socketio.conversation.SocketConversation`, which has the token, its expiry, the limits and the
  follower already, and says what it wants of the hub in `Wanted`s:

        class Shouting(SocketConversation):
            __slots__ = ()

            def welcomed(self, grant, recovery):
                self.accept()
                self.emit("connected", {"message": "hello"})

            def event(self, name, args, ack):
                if not self.allowed():
                    return
                if name == "join":
                    self.follow(Wanted(key=1, name=b"", task=args[0]), self.complain)

  Whatever else a language has (nobody is known, nothing is followed) inherits from `Vocabulary` itself.

An `Endpoint` is given a function for each namespace that makes the vocabulary of a client:
`{"/": lambda client, namespace: Shouting(client, namespace, codec)}`.

An event for a client that was given a `pid` must not end with a text that is no offset: the stock client would take it for one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from headway.errors import HeadwayError
from headway.ports.link import Link
from headway.wire.socketio import Recovery

if TYPE_CHECKING:
    from headway.transports.socketio.client import Client

__all__ = ["Ack", "Vocabulary", "VocabularyMaker"]

Ack = Callable[..., None]
"""Answers an event with these arguments, once."""


class Vocabulary(Link):
    """One client in one namespace. What a hub delivers to it goes to the client as it is."""

    if not TYPE_CHECKING:
        # Who inherits may have another base with slots, so it has these in slots of its own.
        __slots__ = ()

    client: Client
    namespace: str

    @abstractmethod
    def connected(self, auth: dict[str, Any], recovery: Recovery | None) -> None:
        """The client asks for the namespace: `accept` or `refuse`, now or later.

        Args:
            auth: what the client gave as `auth`; nothing of it is to be trusted.
            recovery: what a client that was here before gives back.
        """

    @abstractmethod
    def event(self, name: str, args: list[Any], ack: Ack | None) -> None:
        """The client, who was accepted, sent an event.

        Args:
            ack: answers it, when the client waits for that.
        """

    @abstractmethod
    def left(self, *, by_choice: bool) -> None:
        """The client has gone, accepted or not; it cannot be told anything any more.

        Args:
            by_choice: it left the namespace, and was not just cut off.
        """

    def drained(self) -> None:
        """The link takes more again."""

    def end(self, error: HeadwayError) -> None:
        """Part from the client because of this."""
        self.client.end(error)

    @property
    def full(self) -> bool:
        return self.client.full

    def deliver(self, data: bytes) -> bool:
        client = self.client
        return (client.ws or client).deliver(data)  # type: ignore[arg-type]

    def accept(self, pid: str | None = None) -> None:
        """Let the client in.

        Args:
            pid: offers connection state recovery; the same as in `Recovery` says that state was recovered.
        """
        self.client.accept(self.namespace, pid)

    def refuse(self, error: HeadwayError) -> None:
        """Do not let the client in; it is told why (`connect_error`) and does not ask again by itself."""
        data = {"code": error.code, "retryable": error.retryable}
        self.client.refuse(self.namespace, error.message, data)

    def emit(self, name: str, *args: Any) -> None:
        """Send an event to this client alone, full or not; these are few and small. Bytes are attachments."""
        self.client.emit(self.namespace, name, args)

    def put_out(self) -> None:
        """Send the client away; it does not come back by itself."""
        self.client.put_out(self.namespace)

    def acknowledge(self, ack_id: int | None) -> Ack | None:
        """What answers an event with this id."""
        return None if ack_id is None else partial(self._answer, ack_id)

    def _answer(self, ack_id: int, *args: Any) -> None:
        self.client.ack(self.namespace, ack_id, args)


VocabularyMaker = Callable[["Client", str], Vocabulary]
"""Makes the vocabulary of a client that asks for a namespace."""
