"""The change of a session of Engine.IO from polling to a WebSocket, while it goes on (Engine.IO protocol v4 §Upgrade)."""

from __future__ import annotations

from enum import Enum

from headway.wire.engineio_limits import EngineLimits
from headway.wire.engineio_packets import PROBE, UPGRADE

__all__ = ["Step", "Upgrade"]


class Step(Enum):
    """What a message, or a turn, comes to."""

    NOTHING = 0
    PROBED = 1
    """The client has tried the WebSocket: it is to be answered."""
    DONE = 2
    """The session goes on over the WebSocket."""
    RELEASE = 3
    """The poll that waits is to be let go, so that the client gets on."""
    FAILED = 4
    """The session stays on polling; the WebSocket is to be closed."""


class Upgrade:
    """A WebSocket that has come and does not carry the session yet. All times are monotonic seconds."""

    __slots__ = ("_probed", "_release_at", "_until")

    def __init__(self, limits: EngineLimits, now: float) -> None:
        self._until = now + limits.upgrade_timeout
        self._release_at = 0.0
        self._probed = False

    def message(self, data: bytes, binary: bool) -> Step:
        """What the client says on the WebSocket: a probe, and then that it changes."""
        if not binary and data == (UPGRADE if self._probed else PROBE):
            step = Step.DONE if self._probed else Step.PROBED
            self._probed = True
            return step
        return Step.FAILED

    def poll_opened(self, limits: EngineLimits, now: float) -> None:
        """A poll begins to wait."""
        self._release_at = now + limits.probing_poll

    def turn(self, now: float, polling: bool) -> Step:
        """What falls due.

        Args:
            polling: whether a poll waits.
        """
        if now >= self._until:
            return Step.FAILED
        return Step.RELEASE if self._probed and polling and now >= self._release_at else Step.NOTHING

    def due(self, polling: bool) -> float:
        """When something falls due; arguments as for `turn`."""
        return min(self._until, self._release_at) if self._probed and polling else self._until
