"""Offsets that name places in several subscriptions."""

from __future__ import annotations

import pytest

from headway.model.cursor import Cursor
from headway.wire.socketio_batch import Said
from headway.wire.socketio_positions import OFFSET_CHARS, Place, Positions, parse_offset


def change(rev: int) -> Said:
    return Said(b'["change",{}]', f"e.{rev}")


def log(end: int) -> Said:
    return Said(b'["log",{}]', log=end)


def give(positions: Positions, name: bytes, *said: Said) -> list[str]:
    offsets = positions.offsets(name, said)
    positions.sent(name, said)
    return offsets


def test_each_event_names_its_place_and_those_of_the_others() -> None:
    positions = Positions("e")
    positions.begin(b"1", 0, Place(Cursor("e", 7)))
    positions.begin(b"2", 1)
    assert give(positions, b"2", change(8), change(9)) == ["e;1:8;0:7", "e;1:9;0:7"]
    assert give(positions, b"1", change(10)) == ["e;0:10;1:9"]
    assert give(positions, b"1", change(11)) == ["e;0:11;1:9"]


def test_what_was_not_sent_yet_is_not_named() -> None:
    positions = Positions("e")
    positions.begin(b"1", 0)
    positions.begin(b"2", 1)
    assert positions.offsets(b"1", (change(3),)) == ["e;0:3"]
    # It was refused, so it is as if nothing had been said.
    assert give(positions, b"2", change(4)) == ["e;1:4"]


def test_a_log_has_an_offset_of_its_own() -> None:
    positions = Positions("e")
    positions.begin(b"1", 0)
    assert give(positions, b"1", log(5), change(3), log(6)) == ["e;0::5", "e;0:3:5", "e;0:3:6"]


def test_what_ended_and_what_took_its_place() -> None:
    positions = Positions("e")
    positions.begin(b"1", 0, Place(Cursor("e", 7), 3))
    positions.begin(b"2", 1, Place(Cursor("e", 8)))
    positions.end(b"1")
    assert give(positions, b"2", change(9)) == ["e;1:9"]
    positions.begin(b"2", 2)
    assert give(positions, b"2", change(10)) == ["e;2:10"]
    assert positions.offsets(b"unknown", (change(11),)) == [""]


def test_a_place_in_another_history_is_none() -> None:
    positions = Positions("e")
    positions.begin(b"1", 0, Place(Cursor("of old", 7), 4))
    positions.begin(b"2", 1)
    assert give(positions, b"2", change(1)) == ["e;1:1;0::4"]


def test_offsets_stay_bounded_and_name_the_newest() -> None:
    positions = Positions("e")
    for number in range(3000):
        positions.begin(str(number).encode(), number)
        give(positions, str(number).encode(), change(number + 1))
    (offset,) = positions.offsets(b"0", (change(5000),))
    assert len(offset) <= OFFSET_CHARS
    places = parse_offset(offset)
    assert places is not None
    assert places[0] == Place(Cursor("e", 5000))
    assert places[2999] == Place(Cursor("e", 3000))
    assert 1 not in places


def test_what_is_written_is_read() -> None:
    assert parse_offset("e.7") == {0: Place(Cursor("e", 7))}
    assert parse_offset("e;0:3:5;12:9;4::2") == {
        0: Place(Cursor("e", 3), 5),
        12: Place(Cursor("e", 9)),
        4: Place(None, 2),
    }


@pytest.mark.parametrize(
    "offset",
    [
        "",
        "e",
        "hello",
        "e;",
        "e;1",
        "e;1:x",
        "e;1:2:",
        "e;1:2;",
        "e;-1:2",
        "é;1:2",
        "e;1:9999999999999999",
        "e;١:2",
    ],
)
def test_anything_else_is_no_offset(offset: str) -> None:
    assert parse_offset(offset) is None
