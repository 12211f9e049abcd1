"""Webhooks as a whole: facts become messages, endpoints are kept, and what they were sent can be looked at."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence

import msgspec

from headway.errors import InvalidField, NotFound
from headway.hub.outbox import Announced, Outbox
from headway.model.ids import ulid
from headway.onward.backoff import Backoff
from headway.onward.deliveries import Deliveries
from headway.onward.delivery import (
    ATTEMPT,
    DELIVERY,
    MESSAGE,
    Attempt,
    Delivery,
    message_body,
    message_document,
)
from headway.onward.endpoint import Endpoint, check_url, event_of
from headway.onward.endpoints import Endpoints
from headway.onward.post import Poster
from headway.onward.reach import AddressRefused
from headway.onward.signature import SECRET_BYTES, make_secret
from headway.ports.store import Document, Store, Writes

__all__ = ["WebhookSettings", "Webhooks", "new_id", "new_secret"]

_log = logging.getLogger("headway.onward")

_OLD_SECRET_MS = 86_400_000
_QUIET_MS = 60_000
_read_delivery = msgspec.json.Decoder(Delivery).decode
_read_attempt = msgspec.json.Decoder(Attempt).decode


class WebhookSettings(msgspec.Struct, frozen=True):
    """What can be set about webhooks.

    Attributes:
        endpoints: those of the settings.
        networks: of one's own that may be reached.
        timeout: seconds for an attempt.
        history: seconds that messages and attempts are kept beyond the last attempt.
    """

    endpoints: tuple[Endpoint, ...] = ()
    networks: tuple[str, ...] = ()
    timeout: float = 15.0
    history: float = 3 * 86_400.0
    backoff: Backoff = Backoff()


class Webhooks(Outbox):
    """Tells endpoints of the ends of tasks and of notifications."""

    def __init__(
        self, store: Store, settings: WebhookSettings, clock: Callable[[], int], version: str
    ) -> None:
        """Know the settings; `start` goes on with what is kept.

        Args:
            clock: Unix milliseconds.
            version: the server's.
        """
        self._store = store
        self._clock = clock
        self._poster = Poster(settings.networks, settings.timeout, f"Headway/{version}")
        self.endpoints = Endpoints(store, settings.endpoints)
        self.deliveries = Deliveries(
            store, self._poster, self.endpoints.get, clock, settings.backoff, settings.history
        )
        self._complained_at = 0

    async def start(self) -> None:
        """Go on with what is kept; the store is open."""
        await self.endpoints.start()
        await self.deliveries.start()

    async def stop(self, grace: float) -> None:
        """End; what is still owed is delivered after the next start."""
        await self.deliveries.stop(grace)
        await self._poster.close()

    def prepare(self, facts: Sequence[Announced]) -> Sequence[Document]:
        documents: list[Document] = []
        now = self._clock()
        for fact in facts:
            event = event_of(fact)
            wanting = [endpoint for endpoint in self.endpoints.all() if endpoint.wants(event, fact.channel)]
            owed = [endpoint for endpoint in wanting if self.deliveries.room(endpoint.id)]
            if len(owed) < len(wanting):
                self._complain(now)
            if owed:
                message = self._new_message()
                body = message_body(fact, now)
                documents.append(message_document(message, body, self.deliveries.expires_at(now)))
                documents += [
                    Delivery(f"{message}.{to.id}", message, to.id, event.value, now, now).document()
                    for to in owed
                ]
        return documents

    def stored(self, documents: Sequence[Document]) -> None:
        self.deliveries.owe(
            _read_delivery(document.data) for document in documents if document.kind == DELIVERY
        )

    async def check_address(self, url: str) -> None:
        """Say now what every attempt to reach a URL would be refused for.

        Raises:
            InvalidField: it cannot be an endpoint's.
        """
        try:
            await self._poster.check(*check_url(url))
        except AddressRefused as refused:
            raise InvalidField(f"This URL may not be posted to: {refused}", field="url") from None

    async def renew_secret(self, endpoint_id: str) -> Endpoint:
        """Give an endpoint a new secret; the one before signs as well for another day.

        Raises:
            NotFound, Forbidden, StoreUnavailable: see `Endpoints.keep`.
        """
        endpoint = self.endpoints.find(endpoint_id)
        renewed = msgspec.structs.replace(
            endpoint,
            secret=new_secret(),
            old_secret=endpoint.secret,
            old_until=self._clock() + _OLD_SECRET_MS,
        )
        await self.endpoints.keep(renewed)
        return renewed

    async def drop(self, endpoint_id: str) -> None:
        """Delete an endpoint, and what is owed to it.

        Raises:
            NotFound, Forbidden, StoreUnavailable: see `Endpoints.drop`.
        """
        await self.endpoints.drop(endpoint_id)
        self.deliveries.hurry(endpoint_id)

    async def ping(self, endpoint_id: str) -> Attempt:
        """Send a test at once, also to an endpoint that is switched off.

        Raises:
            NotFound: there is no such endpoint.
            StoreUnavailable: nothing can be kept just now.
        """
        return await self.deliveries.ping(self.endpoints.find(endpoint_id), self._new_message())

    async def send_again(self, endpoint_id: str, message: str) -> None:
        """Owe a message to an endpoint once more, whatever became of it.

        Raises:
            NotFound: there is no such endpoint, or the message is kept no longer.
            StoreUnavailable: it could not be made durable.
        """
        endpoint = self.endpoints.find(endpoint_id)
        kept = await self._store.document(MESSAGE, message)
        if kept is None:
            raise NotFound("There is no such message any more", message_id=message)
        now = self._clock()
        event = str(msgspec.json.decode(kept.data)["type"])
        delivery = Delivery(f"{message}.{endpoint.id}.{new_id(now)}", message, endpoint.id, event, now, now)
        lasting = msgspec.structs.replace(kept, expires_at=self.deliveries.expires_at(now))
        await self._store.write(Writes(documents=[lasting, delivery.document()]))
        self.deliveries.owe([delivery])

    async def attempts(self, endpoint_id: str, after: str, limit: int) -> tuple[list[Attempt], str | None]:
        """What an endpoint was sent, the newest first, and where the next page begins.

        Raises:
            NotFound: there is no such endpoint.
        """
        endpoint = self.endpoints.find(endpoint_id)
        found = await self._store.documents(ATTEMPT, endpoint.id, after=after, limit=limit)
        return (
            [_read_attempt(document.data) for document in found],
            found[-1].id if len(found) == limit else None,
        )

    def _new_message(self) -> str:
        return f"msg_{new_id(self._clock())}"

    def _complain(self, now: int) -> None:
        if now - self._complained_at >= _QUIET_MS:
            self._complained_at = now
            _log.error("webhooks owe as much as they may; messages are left out until some are delivered")


def new_secret() -> str:
    """A secret that nobody knows."""
    return make_secret(os.urandom(SECRET_BYTES))


def new_id(now: int) -> str:
    """A fresh ULID.

    Args:
        now: Unix milliseconds.
    """
    return ulid(now, os.urandom(10))
