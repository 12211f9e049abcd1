"""What a link on a socket of its own knows of how much waits to be sent, and what becomes of who reads nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from headway.errors import SlowReader
from headway.ports.link import Link
from headway.transports.service import Service

__all__ = ["HIGH_WATER", "Backpressure"]

HIGH_WATER = 65_536


class Backpressure(Link, asyncio.Protocol):
    """The transport tells when it has enough; then it is watched until it takes more, or the client counts as stuck.

    Who inherits has the attributes in slots of its own.
    """

    if not TYPE_CHECKING:
        # Two bases that both have slots could not be combined.
        __slots__ = ()

    _checking: bool
    _full: bool
    _hung_up: bool
    _service: Service
    _transport: asyncio.Transport
    _waiting: int

    @property
    def full(self) -> bool:
        return self._full

    def deliver(self, data: bytes) -> bool:
        if self._full:
            return False
        self._transport.write(data)
        return True

    def drained(self) -> None:
        """The link takes more again."""
        raise NotImplementedError

    def watch(self, transport: asyncio.Transport) -> None:
        """Begin with a transport."""
        self._transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER)

    def pause_writing(self) -> None:
        self._full = True
        self._waiting = self._transport.get_write_buffer_size()
        if not self._checking:
            self._checking = True
            self._service.hub.wheel.schedule(self._service.write_deadline, self._check)

    def resume_writing(self) -> None:
        self._full = False
        self.drained()

    def _check(self) -> None:
        """Whether a client that was full has read anything since it was last looked at."""
        self._checking = False
        if not self._full or self._hung_up:
            return
        waiting = self._transport.get_write_buffer_size()
        if waiting >= self._waiting:
            self.end(SlowReader())
            return
        self._waiting = waiting
        self._checking = True
        self._service.hub.wheel.schedule(self._service.write_deadline, self._check)
