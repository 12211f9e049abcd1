"""What waits for a client's next poll: a little, in order."""

from __future__ import annotations

from collections.abc import Sequence

from headway.wire.engineio_limits import EngineLimits
from headway.wire.engineio_packets import Binary, Encoded

__all__ = ["Waiting"]


class Waiting:
    """Packets of one session that could not be sent yet; there is one of these only while something waits.

    Attributes:
        packets: in the order in which they were sent.
        size: their bytes.
    """

    __slots__ = ("packets", "size")

    def __init__(self) -> None:
        self.packets: list[Encoded] = []
        self.size = 0

    def add(self, packets: Sequence[Encoded]) -> None:
        self.packets += packets
        for packet in packets:
            self.size += len(packet.data) if type(packet) is Binary else len(packet)  # type: ignore[arg-type]

    def over(self, limits: EngineLimits) -> bool:
        """Whether it is more than may wait."""
        return len(self.packets) > limits.max_waiting or self.size > limits.max_waiting_bytes
