"""The heartbeat alone: one ping at a time, whole time for the client, and an end to silence."""

from __future__ import annotations

from headway.wire.engineio_heartbeat import Beat, Heartbeat
from headway.wire.engineio_limits import EngineLimits

LIMITS = EngineLimits(ping_interval=25, ping_timeout=20)


def test_a_client_that_answers_is_pinged_again() -> None:
    beat = Heartbeat(LIMITS, 100.0)
    assert beat.turn(LIMITS, 124.9) is Beat.NOTHING
    assert beat.turn(LIMITS, 125.0) is Beat.PING
    assert beat.turn(LIMITS, 126.0) is Beat.NOTHING
    beat.pong(LIMITS, 130.0)
    assert beat.due == 155.0
    assert beat.turn(LIMITS, 155.0) is Beat.PING


def test_silence_ends() -> None:
    beat = Heartbeat(LIMITS, 0.0)
    assert beat.turn(LIMITS, 25.0) is Beat.PING
    assert not beat.expired(44.9)
    assert beat.expired(45.0)
    assert beat.turn(LIMITS, 45.0) is Beat.TIMEOUT


def test_a_late_timer_is_not_added_up_and_a_stall_is_forgiven() -> None:
    late, stalled = Heartbeat(LIMITS, 0.0), Heartbeat(LIMITS, 0.0)
    late.turn(LIMITS, 26.0)
    assert late.due == 45.0
    stalled.turn(LIMITS, 60.0)
    assert stalled.due == 80.0


def test_a_pong_that_nobody_awaits_changes_nothing() -> None:
    beat = Heartbeat(LIMITS, 0.0)
    beat.pong(LIMITS, 10.0)
    beat.heard(LIMITS, 10.0)
    assert beat.due == 25.0


def test_talk_gives_more_time_once_for_each_ping() -> None:
    beat = Heartbeat(LIMITS, 0.0)
    beat.turn(LIMITS, 25.0)
    beat.heard(LIMITS, 40.0)
    beat.heard(LIMITS, 50.0)
    assert beat.due == 60.0
    beat.pong(LIMITS, 55.0)
    beat.turn(LIMITS, 80.0)
    beat.heard(LIMITS, 90.0)
    assert beat.due == 110.0
