"""The change to a WebSocket, step by step; the whole of it is in the vectors of the session."""

from __future__ import annotations

import pytest

from headway.wire.engineio_limits import EngineLimits
from headway.wire.engineio_upgrade import Step, Upgrade

LIMITS = EngineLimits(upgrade_timeout=1.0, probing_poll=0.1)


def test_a_probe_and_then_the_change() -> None:
    upgrade = Upgrade(LIMITS, 0.0)
    assert upgrade.message(b"2probe", False) is Step.PROBED
    assert upgrade.message(b"5", False) is Step.DONE


@pytest.mark.parametrize("said", [[b"5"], [b"2probe", b"2probe"], [b"2probe", b"4a"], [b""]])
def test_anything_else_ends_it(said: list[bytes]) -> None:
    upgrade = Upgrade(LIMITS, 0.0)
    assert [upgrade.message(data, False) for data in said][-1] is Step.FAILED


def test_binary_is_no_probe() -> None:
    assert Upgrade(LIMITS, 0.0).message(b"2probe", True) is Step.FAILED


def test_it_has_its_time_and_lets_a_poll_go_before_that() -> None:
    upgrade = Upgrade(LIMITS, 0.0)
    upgrade.poll_opened(LIMITS, 0.2)
    assert (upgrade.turn(0.5, True), upgrade.due(True)) == (Step.NOTHING, 1.0)
    upgrade.message(b"2probe", False)
    upgrade.poll_opened(LIMITS, 0.5)
    assert (upgrade.due(True), upgrade.due(False)) == (0.6, 1.0)
    assert [upgrade.turn(now, True) for now in (0.59, 0.6, 1.0)] == [Step.NOTHING, Step.RELEASE, Step.FAILED]
    assert upgrade.turn(0.6, False) is Step.NOTHING
