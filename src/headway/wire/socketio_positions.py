"""Where a client with several subscriptions stands, as the `offset` of Socket.IO's connection state recovery.

The stock client keeps one text, the last argument of the newest event. With one subscription that is its cursor, the same
for everybody; with more it names the places in all of them: `epoch;serial:rev;serial:rev:log`. A serial is the number of
a subscription among all that the connection ever had. Pure.
"""

from __future__ import annotations

import re

import msgspec

from headway.model.cursor import MAX_REV, Cursor
from headway.wire.socketio_batch import Said

__all__ = ["OFFSET_CHARS", "Place", "Positions", "parse_offset"]

OFFSET_CHARS = 8192
"""Longer offsets are not made: the subscriptions that have no room in it begin afresh."""

_PLACE = re.compile(r"(\d{1,9}):(\d{0,16})(?::(\d{1,16}))?\Z", re.ASCII)
_EPOCH = re.compile(r"[A-Za-z0-9_-]{1,40}\Z")


class Place(msgspec.Struct, frozen=True, gc=False):
    """A place in one subscription: a cursor, None when nothing of it arrived yet, and an offset in the task's log."""

    cursor: Cursor | None = None
    log: int | None = None


def parse_offset(offset: str) -> dict[int, Place] | None:
    """The place in each subscription, by serial; None when it is no offset of ours."""
    cursor = Cursor.parse(offset)
    if cursor is not None:
        return {0: Place(cursor)}
    epoch, *places = offset.split(";")
    if not places or not _EPOCH.match(epoch):
        return None
    found: dict[int, Place] = {}
    for text in places:
        match = _PLACE.match(text)
        if match is None:
            return None
        serial, rev, log = match.groups()
        if int(rev or 0) > MAX_REV or int(log or 0) > MAX_REV:
            return None
        found[int(serial)] = Place(
            Cursor(epoch, int(rev)) if rev else None, None if log is None else int(log)
        )
    return found


class Positions:
    """What one client was sent of each subscription, in the order in which it was sent."""

    __slots__ = ("_epoch", "_last", "_others", "_places", "_serials")

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch
        self._serials: dict[bytes, int] = {}
        self._places: dict[int, tuple[str, str]] = {}
        """Revision, and a colon with the log's offset, by serial; in the order of their newest change."""
        self._last = -1
        self._others = ""
        """The places of all but `_last`, as they end its offsets."""

    def begin(self, name: bytes, serial: int, place: Place | None = None) -> None:
        """A subscription begins under a name, which another may have had before."""
        self.end(name)
        self._serials[name] = serial
        if place is not None:
            rev = "" if place.cursor is None or place.cursor.epoch != self._epoch else str(place.cursor.rev)
            self._places[serial] = (rev, "" if place.log is None else f":{place.log}")
        self._last = -1

    def end(self, name: bytes) -> None:
        """The subscription under this name has ended. Idempotent."""
        serial = self._serials.pop(name, None)
        if serial is not None:
            self._places.pop(serial, None)
            self._last = -1

    def offsets(self, name: bytes, said: tuple[Said, ...]) -> list[str]:
        """What each of these events is to end with; nothing is noted yet."""
        serial = self._serials.get(name)
        if serial is None:
            return [""] * len(said)
        if serial != self._last:
            self._last = serial
            self._others = self._named(serial)
        offsets = []
        rev, log = self._places.get(serial, ("", ""))
        for one in said:
            rev, log = _after(one, rev, log)
            offsets.append(f"{self._epoch};{serial}:{rev}{log}{self._others}")
        return offsets

    def sent(self, name: bytes, said: tuple[Said, ...]) -> None:
        """These events were given to the client's transport."""
        serial = self._serials.get(name)
        if serial is not None:
            rev, log = self._places.pop(serial, ("", ""))
            for one in said:
                rev, log = _after(one, rev, log)
            self._places[serial] = (rev, log)

    def _named(self, but: int) -> str:
        named: list[str] = []
        room = OFFSET_CHARS - 100
        # The newest first, so that there is room for those that live.
        for serial, (rev, log) in reversed(self._places.items()):
            if serial != but:
                place = f";{serial}:{rev}{log}"
                room -= len(place)
                if room < 0:
                    break
                named.append(place)
        return "".join(named)


def _after(said: Said, rev: str, log: str) -> tuple[str, str]:
    if said.cursor:
        rev = said.cursor.rpartition(".")[2]
    if said.log is not None:
        log = f":{said.log}"
    return rev, log
