"""What `headway.ports.link` promises: all or nothing, in order, and a call when there is room again.

Asked of the link of our own tests, which lean on it; the links of the doors are asked the same with real clients.
"""

from __future__ import annotations

import msgspec
import pytest

from headway.errors import Draining
from tests.hub.world import TestLink


class Ends:
    """A link, what its client has read so far, and how to let it read."""

    def __init__(self) -> None:
        self.link = TestLink()
        self.drains = 0
        self.link.on_drained = self._drained

    def _drained(self) -> None:
        self.drains += 1

    def fill(self) -> None:
        self.link.fill()

    def drain(self) -> None:
        self.link.drain()

    def read(self) -> list[int]:
        return [message["n"] for message in self.link.messages]


@pytest.fixture
def ends() -> Ends:
    return Ends()


def message(*numbers: int) -> bytes:
    return b"".join(msgspec.json.encode({"id": "s", "n": n}) + b"\n" for n in numbers)


def test_what_is_delivered_arrives_in_order(ends: Ends) -> None:
    assert ends.link.deliver(message(1, 2))
    assert ends.link.deliver(message(3))
    assert ends.read() == [1, 2, 3]


def test_a_full_link_takes_nothing_and_says_when_it_takes_more(ends: Ends) -> None:
    ends.fill()
    assert not ends.link.deliver(message(1, 2))
    ends.drain()
    assert (ends.drains, ends.link.full) == (1, False)
    assert ends.read() == []
    assert ends.link.deliver(message(1, 2))
    assert ends.read() == [1, 2]


def test_after_its_end_nothing_arrives_and_nothing_is_raised(ends: Ends) -> None:
    ends.link.end(Draining())
    ends.link.end(Draining())
    ends.link.deliver(message(1))
    assert ends.read() == []
