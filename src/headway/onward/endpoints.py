"""The endpoints there are: those of the settings, which stay as they are, and those that administrators keep."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from headway.errors import Forbidden, NotFound, RateLimited
from headway.onward.endpoint import KIND, Endpoint
from headway.ports.store import Store, Writes

__all__ = ["MOST", "Endpoints"]

MOST = 100
"""Endpoints that administrators can keep: each message is written once for each that wants it."""
_decode = msgspec.json.Decoder(Endpoint).decode


class Endpoints:
    """All of them in memory, since every fact asks each whether it wants it."""

    def __init__(self, store: Store, fixed: Iterable[Endpoint]) -> None:
        """Know the endpoints of the settings."""
        self._store = store
        self._fixed = {endpoint.id: endpoint for endpoint in fixed}
        self._kept: dict[str, Endpoint] = {}

    async def start(self) -> None:
        """Learn of those that are kept."""
        found = await self._store.documents(KIND, limit=MOST)
        self._kept = {document.id: _decode(document.data) for document in found}

    def all(self) -> list[Endpoint]:
        """Those of the settings first."""
        return [*self._fixed.values(), *self._kept.values()]

    def get(self, endpoint_id: str) -> Endpoint | None:
        return self._fixed.get(endpoint_id) or self._kept.get(endpoint_id)

    def find(self, endpoint_id: str) -> Endpoint:
        """An endpoint.

        Raises:
            NotFound: there is none.
        """
        endpoint = self.get(endpoint_id)
        if endpoint is None:
            raise NotFound("There is no such webhook", webhook=endpoint_id)
        return endpoint

    def is_fixed(self, endpoint_id: str) -> bool:
        """Whether the settings have it."""
        return endpoint_id in self._fixed

    async def keep(self, endpoint: Endpoint) -> None:
        """Keep a new endpoint, or one that has changed.

        Raises:
            Forbidden: it is one of the settings'.
            RateLimited: there are as many as there may be.
            StoreUnavailable: it could not be made durable.
        """
        self._changeable(endpoint.id)
        if endpoint.id not in self._kept and len(self._kept) >= MOST:
            raise RateLimited(f"There are {MOST} webhooks, as many as there may be; delete one first")
        await self._store.write(Writes(documents=[endpoint.document()]))
        self._kept[endpoint.id] = endpoint

    async def drop(self, endpoint_id: str) -> None:
        """Keep it no longer.

        Raises:
            NotFound: there is none.
            Forbidden: it is one of the settings'.
            StoreUnavailable: it could not be made durable.
        """
        self.find(endpoint_id)
        self._changeable(endpoint_id)
        await self._store.write(Writes(dropped=[(KIND, endpoint_id)]))
        self._kept.pop(endpoint_id, None)

    def _changeable(self, endpoint_id: str) -> None:
        if endpoint_id in self._fixed:
            raise Forbidden(
                "This webhook is one of the settings'; change it there and restart", webhook=endpoint_id
            )
