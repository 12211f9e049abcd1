"""A channel in this process: its log, its feeds, and the line in which changes wait until they are durable."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from headway.hub.feed import Feed
from headway.hub.log import CompactedLog
from headway.ports.store import Record

__all__ = ["Channel", "Slot"]


class Slot:
    """Some changes and whether they may be shown yet."""

    __slots__ = ("ready", "records")

    def __init__(self, records: Sequence[Record], ready: bool) -> None:
        self.records = records
        self.ready = ready


class Channel:
    """One channel. Changes are shown in the order of their revisions, and facts not before they are durable.

    Attributes:
        coming: ids of new tasks that are on their way.
        room: how many more notifications it can take before somebody has to count them.
    """

    __slots__ = ("_line", "coming", "feeds", "log", "name", "room", "task_feeds", "touched_at")

    def __init__(self, name: str, log: CompactedLog) -> None:
        self.name = name
        self.log = log
        self.feeds: dict[object, Feed] = {}
        self.task_feeds: dict[str, dict[object, Feed]] = {}
        self.touched_at = 0
        self.coming: set[str] = set()
        self.room = 0
        self._line: deque[Slot] = deque()

    @property
    def followed(self) -> bool:
        return bool(self.feeds or self.task_feeds)

    def lacking(self, patiently: bool) -> int | None:
        """The revision above which some follower of the whole channel lacks changes; None when nobody does.

        Args:
            patiently: count those too whose links are full.
        """
        found = [feed.lacking(patiently) for feed in self.feeds.values()]
        return min((position for position in found if position is not None), default=None)

    @property
    def waiting(self) -> bool:
        """Whether changes wait to be shown."""
        return bool(self._line)

    def newest(self, record_id: str) -> tuple[Record | None, bool]:
        """A record's newest version that has a revision, and whether it needs no more to be durable to be shown."""
        for slot in reversed(self._line):
            for record in slot.records:
                if record.id == record_id:
                    return record, slot.ready
        shown = self.log.get(record_id)
        return (None if shown is None else shown.record), True

    def enter(self, records: Sequence[Record], ready: bool) -> Slot | None:
        """Take changes in the order of their revisions; they are shown at once when nothing holds them up.

        Returns:
            the slot to `settle` or `abandon`, or None when the changes were shown.
        """
        if ready and not self._line:
            self._show(records)
            return None
        slot = Slot(records, ready)
        self._line.append(slot)
        return slot

    def settle(self, slot: Slot) -> None:
        """The slot's changes are durable."""
        slot.ready = True
        shown: list[Record] = []
        while self._line and self._line[0].ready:
            shown.extend(self._line.popleft().records)
        if shown:
            self._show(shown)

    def abandon(self, slot: Slot) -> None:
        """The slot's changes could not be made durable: forget them, and the ticks that were built on them."""
        failed = {record.id for record in slot.records}
        slot.records = ()
        for later in list(self._line)[self._line.index(slot) + 1 :]:
            # Facts that are still on their way speak for themselves: they come true or fail too.
            if later.ready:
                later.records = [record for record in later.records if record.id not in failed]
        self.settle(slot)

    def _show(self, records: Sequence[Record]) -> None:
        log = self.log
        for record in records:
            log.put(record)
        for feed in tuple(self.feeds.values()):
            feed.changed()
        if self.task_feeds:
            for task in {record.id for record in records} & self.task_feeds.keys():
                for feed in tuple(self.task_feeds[task].values()):
                    feed.changed()
