"""What waits for a poll: in order, and not too much."""

from __future__ import annotations

from headway.wire.engineio_limits import EngineLimits
from headway.wire.engineio_packets import Binary
from headway.wire.engineio_waiting import Waiting

LIMITS = EngineLimits(max_waiting=3, max_waiting_bytes=8)


def test_what_waits_is_in_order_and_counted() -> None:
    waiting = Waiting()
    waiting.add([b"4a", Binary(b"\x00\x01\x02")])
    waiting.add([b"4b"])
    assert (waiting.packets, waiting.size) == ([b"4a", Binary(b"\x00\x01\x02"), b"4b"], 7)
    assert not waiting.over(LIMITS)


def test_too_many_or_too_large_is_too_much() -> None:
    many, large = Waiting(), Waiting()
    many.add([b"4"] * 4)
    large.add([b"4" * 9])
    assert many.over(LIMITS)
    assert large.over(LIMITS)
