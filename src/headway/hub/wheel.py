"""One timer for the whole process: whoever wants a turn later waits in the slot of that moment.

A connection, a feed and a running task each need a timer almost always and let it expire almost never, so a
timer costs one list entry. There is no cancelling: who gets a turn looks whether it still has something to do.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable

__all__ = ["Wheel"]

_log = logging.getLogger("headway.hub")

_SLOT = 0.01
"""Seconds between slots: fine enough for a pace of 20 a second, coarse enough that timers share slots."""


class Wheel:
    """Turns, soonest first; never early, at most one slot late."""

    __slots__ = ("_due", "_handle", "_loop", "_slots", "_stopped")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, list[Callable[[], object]]] = {}
        self._due: list[int] = []
        self._handle: asyncio.TimerHandle | None = None
        self._stopped = False

    def now(self) -> float:
        """Monotonic seconds."""
        return self._loop.time()

    def schedule(self, delay: float, turn: Callable[[], object]) -> None:
        """Call `turn` once, `delay` seconds from now. What it raises is logged and hurts nobody else."""
        if self._stopped:
            return
        slot = int((self._loop.time() + delay) / _SLOT) + 1
        waiting = self._slots.get(slot)
        if waiting is not None:
            waiting.append(turn)
            return
        self._slots[slot] = [turn]
        heapq.heappush(self._due, slot)
        if self._due[0] == slot:
            self._arm()

    def stop(self) -> None:
        """Give no more turns."""
        self._stopped = True
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._slots.clear()
        self._due.clear()

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._loop.call_at(self._due[0] * _SLOT, self._run)

    def _run(self) -> None:
        self._handle = None
        # The very product that the loop was asked to wait for: a quotient may round to the slot before.
        now = self._loop.time()
        while self._due and self._due[0] * _SLOT <= now:
            for turn in self._slots.pop(heapq.heappop(self._due)):
                try:
                    turn()
                except Exception:  # noqa: BLE001 - one turn must not cost the others theirs
                    _log.exception("a timer failed")
        if self._due:
            self._arm()
