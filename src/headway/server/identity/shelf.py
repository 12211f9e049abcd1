"""Documents of one kind that every process has in memory: they are small and not many, and looked at all the time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from headway.ports.bus import Bus
from headway.ports.store import Document, Store, Writes

__all__ = ["Shelf"]

_PAGE = 500

T = TypeVar("T", bound=msgspec.Struct)


class Shelf(Generic[T]):
    """All documents of a kind. What one process changes the others hear of by the bus.

    Attributes:
        items: by their ids.
    """

    def __init__(self, store: Store, bus: Bus, kind: str, type: type[T]) -> None:  # noqa: A002 - as msgspec calls it
        """Nothing yet.

        Args:
            kind: of the documents, and what the bus calls them.
            type: what their data is.
        """
        self._store = store
        self._bus = bus
        self._kind = kind
        self._decode = msgspec.json.Decoder(type).decode
        self._reloading: set[asyncio.Task[None]] = set()
        self.items: dict[str, T] = {}
        bus.listen(kind, self._heard)

    async def open(self) -> None:
        """Learn which there are.

        Raises:
            StoreUnavailable: that cannot be known.
        """
        after = ""
        while page := await self._store.documents(self._kind, after=after, limit=_PAGE):
            for document in page:
                self.items[document.id] = self._decode(document.data)
            after = page[-1].id

    async def close(self) -> None:
        """Let go of everything. Idempotent."""
        for task in self._reloading:
            task.cancel()
        await asyncio.gather(*self._reloading, return_exceptions=True)

    async def put(self, item_id: str, item: T, *, owner: str = "", expires_at: int | None = None) -> None:
        """Add one; it is there at once, and durable when this returns.

        Args:
            expires_at: Unix milliseconds from which on it may be gone; None for never.

        Raises:
            StoreUnavailable: it could not be made durable, and is not there.
        """
        text = msgspec.json.encode(item).decode()
        # At once, so that it counts for those who add one at the same time, and is found by who takes all of them back.
        self.items[item_id] = item
        try:
            await self._store.write(
                Writes(documents=[Document(self._kind, item_id, owner, text, expires_at)])
            )
        except BaseException:
            self.items.pop(item_id, None)
            raise
        await self._bus.announce(self._kind, item_id)

    async def take(self, item_id: str) -> None:
        """Remove one. Idempotent.

        Raises:
            StoreUnavailable: it is still there.
        """
        await self._store.take(self._kind, item_id)
        self.items.pop(item_id, None)
        await self._bus.announce(self._kind, item_id)

    def _heard(self, item_id: str) -> None:
        task = asyncio.create_task(self._reload(item_id, tuple(self._reloading)))
        self._reloading.add(task)
        task.add_done_callback(self._reloading.discard)

    async def _reload(self, item_id: str, earlier: Sequence[asyncio.Task[None]]) -> None:
        if earlier:
            # What they read before this was announced must not come after what is read now.
            await asyncio.wait(earlier)
        document = await self._store.document(self._kind, item_id)
        if document is None:
            self.items.pop(item_id, None)
        else:
            self.items[item_id] = self._decode(document.data)
