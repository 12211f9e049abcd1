"""Deadlines of requests that wait: one timer for many, and nothing left of who was answered before.

A turn on the hub's wheel cannot be taken back, and a client that polls asks twenty times a second; so each slot has one turn.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

from headway.hub.hub import Hub
from headway.hub.wheel import Wheel

__all__ = ["Deadlines", "Waiter"]

_SLOT = 0.1


class Waiter(Protocol):
    """Somebody who waits for so long at most."""

    def time_over(self) -> None: ...


class Deadlines:
    """Who waits until when; never early, at most a tenth of a second late."""

    def __init__(self, hub: Hub) -> None:
        """Wait for nobody yet.

        Args:
            hub: has the wheel, a new one each time it is started.
        """
        self._hub = hub
        self._wheel: Wheel | None = None
        self._slots: dict[int, set[Waiter]] = {}

    def add(self, waiter: Waiter, seconds: float) -> int:
        """Tell the waiter when so many seconds are over.

        Returns:
            what `discard` wants back.
        """
        wheel = self._hub.wheel
        if wheel is not self._wheel:
            # Turns of the one before do not come any more.
            self._wheel = wheel
            self._slots.clear()
        now = wheel.now()
        slot = int((now + seconds) / _SLOT) + 1
        waiting = self._slots.get(slot)
        if waiting is None:
            self._slots[slot] = {waiter}
            wheel.schedule(slot * _SLOT - now, partial(self._turn, slot))
        else:
            waiting.add(waiter)
        return slot

    def discard(self, waiter: Waiter, slot: int) -> None:
        """It waits no more. Idempotent."""
        waiting = self._slots.get(slot)
        if waiting is not None:
            waiting.discard(waiter)

    def __len__(self) -> int:
        return sum(map(len, self._slots.values()))

    def _turn(self, slot: int) -> None:
        for waiter in self._slots.pop(slot, ()):
            waiter.time_over()
