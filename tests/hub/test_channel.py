"""The line in which changes wait until they are durable."""

from __future__ import annotations

import pytest

from headway.hub.channel import Channel
from headway.hub.log import Bounds, CompactedLog
from headway.model.task import TaskState
from headway.ports.store import Window
from tests.contract.store_records import make_task


@pytest.fixture
def channel() -> Channel:
    return Channel("user:ada", CompactedLog(Window((), 0), Bounds(), 0))


def revs(channel: Channel) -> list[int]:
    return [version.record.rev for version in channel.log.all()]


def test_what_is_ready_is_shown_at_once_when_nothing_waits(channel: Channel) -> None:
    assert channel.enter([make_task("a", 1)], ready=True) is None
    assert revs(channel) == [1]
    assert not channel.waiting


def test_nothing_overtakes_a_fact(channel: Channel) -> None:
    first = channel.enter([make_task("a", 1)], ready=False)
    channel.enter([make_task("b", 2)], ready=True)
    second = channel.enter([make_task("c", 3)], ready=False)
    assert first is not None
    assert second is not None
    channel.settle(second)
    assert revs(channel) == []
    channel.settle(first)
    assert revs(channel) == [1, 2, 3]
    assert not channel.waiting


def test_a_failed_fact_takes_the_ticks_with_it_that_were_built_on_it(channel: Channel) -> None:
    failed = channel.enter([make_task("a", 1)], ready=False)
    channel.enter([make_task("a", 2), make_task("b", 3)], ready=True)
    later = channel.enter([make_task("a", 4)], ready=False)
    assert failed is not None
    assert later is not None
    channel.abandon(failed)
    assert revs(channel) == [3]
    channel.settle(later)
    assert revs(channel) == [3, 4]


def test_the_newest_version_is_the_last_in_the_line(channel: Channel) -> None:
    assert channel.newest("a") == (None, True)
    channel.enter([make_task("a", 1)], ready=True)
    assert channel.newest("a") == (make_task("a", 1), True)
    channel.enter([make_task("a", 2)], ready=False)
    assert channel.newest("a") == (make_task("a", 2), False)
    channel.enter([make_task("a", 3)], ready=True)
    assert channel.newest("a") == (make_task("a", 3), True)


def test_a_channel_is_unfinished_while_one_task_is(channel: Channel) -> None:
    channel.enter([make_task("a", 1), make_task("b", 2, TaskState.FAILED)], ready=True)
    assert channel.log.unfinished
    channel.enter([make_task("a", 3, TaskState.SUCCEEDED)], ready=True)
    assert not channel.log.unfinished
