"""The bus of a single process: a counter, and blocks of revisions that are reserved before they are used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from headway.ports.bus import Bus, Reserve

__all__ = ["MemoryBus"]

_BLOCK = 1_000_000


class MemoryBus(Bus):
    """Revisions from one counter for all channels; they need to increase within a channel and may have gaps."""

    def __init__(self, block: int = _BLOCK) -> None:
        self._block = block
        self._next = 0
        self._ceiling = 0
        self._reserve: Reserve | None = None
        self._reserving: asyncio.Task[None] | None = None
        self._listeners: dict[str, list[Callable[[str], object]]] = {}

    async def open(self, ceiling: int, reserve: Reserve) -> None:
        self._next = self._ceiling = max(ceiling, 1)
        self._reserve = reserve
        await self._extend(1)

    async def stamp(self, channel: str, count: int) -> int:  # noqa: ARG002 - one counter serves all
        while self._next + count > self._ceiling:
            await self._extend(count)
        first = self._next
        self._next += count
        if self._ceiling - self._next < self._block // 2 and self._reserving is None:
            # Well before the block ends, so that nobody ever waits for the store here.
            self._reserving = asyncio.create_task(self._extend_ahead())
        return first

    async def announce(self, subject: str, text: str) -> None:
        for heard in self._listeners.get(subject, ()):
            heard(text)

    def listen(self, subject: str, heard: Callable[[str], object]) -> None:
        self._listeners.setdefault(subject, []).append(heard)

    async def close(self) -> None:
        if self._reserving is not None:
            self._reserving.cancel()
            await asyncio.gather(self._reserving, return_exceptions=True)
            self._reserving = None

    async def _extend(self, count: int) -> None:
        ceiling = max(self._ceiling, self._next + count) + self._block
        assert self._reserve is not None, "open() comes first"  # noqa: S101
        await self._reserve(ceiling)
        self._ceiling = max(self._ceiling, ceiling)

    async def _extend_ahead(self) -> None:
        try:
            await self._extend(0)
        except Exception:  # noqa: BLE001 - whoever runs out of revisions tries again and is told
            return
        finally:
            self._reserving = None
