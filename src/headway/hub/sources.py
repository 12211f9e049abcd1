"""What can be followed: a channel, one task, the log of a task. Each is a position that grows and what came after it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence

from headway.hub.log import CompactedLog
from headway.model.cursor import Cursor
from headway.model.task import Task
from headway.ports.link import Codec, Version
from headway.ports.store import MOST_SOURCES, LogEntry, Record

__all__ = ["ChannelSource", "LogSource", "Select", "Source", "TaskLog", "TaskSource"]

Select = Callable[[Record], bool]


class Source(ABC):
    """Something that grows."""

    __slots__ = ()

    @property
    @abstractmethod
    def head(self) -> int:
        """The newest position."""

    def beyond(self, position: int) -> bool:
        """Whether anything came after `position`."""
        return position < self.head

    @abstractmethod
    def answer(self, position: int | None, codec: Codec, name: bytes) -> bytes:
        """The first message of a subscription: what came after `position`, or all there is."""

    @abstractmethod
    def changes(self, position: int, codec: Codec, name: bytes) -> bytes:
        """What came after `position`; empty when nothing did."""

    def shows(self, task: Task) -> bool:  # noqa: ARG002 - for those that do not choose
        """Whether this task is among what can be seen of it, as far as it holds the task at all."""
        return True


class ChannelSource(Source):
    """The records of a channel, or those that `select` lets pass."""

    __slots__ = ("_epoch", "_log", "_select")

    def __init__(self, log: CompactedLog, epoch: str, select: Select | None = None) -> None:
        self._log = log
        self._epoch = epoch
        self._select = select

    @property
    def head(self) -> int:
        return self._log.head

    def answer(self, position: int | None, codec: Codec, name: bytes) -> bytes:
        log = self._log
        cursor = Cursor(self._epoch, log.head)
        # Who wants some of the tasks gets no notifications.
        unread = log.unread if self._select is None else None
        # Below the floor, records have gone that this client does not know of; above the head is no history of ours.
        if position is None or position < log.floor or position > log.head:
            return codec.snapshot(name, cursor, True, self._chosen(log.newest()), unread)
        return codec.snapshot(name, cursor, False, self._chosen(log.since(position)), unread, position)

    def changes(self, position: int, codec: Codec, name: bytes) -> bytes:
        if position < self._log.floor:
            # It was behind for so long that changes which it lacks have gone: it begins anew.
            return self.answer(position, codec, name)
        versions = self._chosen(self._log.since(position))
        return codec.changes(name, self._epoch, versions, position) if versions else b""

    def shows(self, task: Task) -> bool:
        return self._select is None or self._select(task)

    def _chosen(self, versions: Sequence[Version]) -> Sequence[Version]:
        select = self._select
        if select is None:
            return versions
        # The removal of a notification is none of their business either, whose records are tasks alone.
        return [version for version in versions if version.unread is None and select(version.record)]


class TaskSource(Source):
    """One task. `settled` is its record when the channel's log no longer holds it."""

    __slots__ = ("_epoch", "_log", "_settled", "_task")

    def __init__(self, log: CompactedLog, epoch: str, task: str, settled: Task | None) -> None:
        self._log = log
        self._epoch = epoch
        self._task = task
        self._settled = None if settled is None else Version(settled)

    @property
    def head(self) -> int:
        return self._log.head

    def answer(self, position: int | None, codec: Codec, name: bytes) -> bytes:
        head = self._log.head
        reset = position is None or position > head
        version = self._version()
        versions = [version] if version and (reset or version.record.rev > (position or 0)) else []
        since = 0 if reset else position or 0
        return codec.snapshot(name, Cursor(self._epoch, head), reset, versions, since=since)

    def changes(self, position: int, codec: Codec, name: bytes) -> bytes:
        version = self._version()
        if version is None or version.record.rev <= position:
            return b""
        return codec.changes(name, self._epoch, [version], position)

    def beyond(self, position: int) -> bool:
        # The head is the channel's, whose other tasks are no news of this one.
        version = self._version()
        return version is not None and position < version.record.rev

    def _version(self) -> Version | None:
        return self._log.get(self._task) or self._settled


class TaskLog:
    """The newest lines of one task's log; the store has the others.

    Attributes:
        end: the offset of the next line.
        seen: the highest number of each source, so that a repeated report adds nothing.
        trimmed: lines below this offset have been forgotten by the store, as far as is known.
        idle: nobody has asked for it or written to it since somebody looked.
    """

    __slots__ = ("_chars", "end", "idle", "lines", "seen", "trimmed")

    LINES = 2000
    CHARS = 262_144

    def __init__(self, end: int, seen: dict[str, int]) -> None:
        self.end = end
        self.seen = seen
        self.trimmed = 0
        self.idle = False
        self.lines: deque[LogEntry] = deque()
        self._chars = 0

    @property
    def start(self) -> int:
        """The offset of the oldest line that is at hand."""
        return self.end - len(self.lines)

    def append(self, entry: LogEntry) -> None:
        self.lines.append(entry)
        self.end += 1
        self._chars += len(entry.text)
        if entry.source is not None and entry.seq is not None:
            # The source that spoke last is the last one, and those that have been silent for longest go first.
            self.seen.pop(entry.source, None)
            self.seen[entry.source] = entry.seq
            if len(self.seen) > MOST_SOURCES:
                del self.seen[next(iter(self.seen))]
        while len(self.lines) > self.LINES or self._chars > self.CHARS:
            self._chars -= len(self.lines.popleft().text)

    def since(self, offset: int) -> list[LogEntry]:
        skip = max(0, offset - self.start)
        return [entry for index, entry in enumerate(self.lines) if index >= skip]


class LogSource(Source):
    """The lines of one task's log, from what is at hand; who falls further behind is told how much was left out."""

    __slots__ = ("_log", "_task")

    def __init__(self, task: str, log: TaskLog) -> None:
        self._task = task
        self._log = log

    @property
    def head(self) -> int:
        return self._log.end

    def answer(self, position: int | None, codec: Codec, name: bytes) -> bytes:
        return self.changes(self._log.end if position is None else position, codec, name)

    def changes(self, position: int, codec: Codec, name: bytes) -> bytes:
        log = self._log
        if position >= log.end:
            return b""
        begin = max(position, log.start)
        return codec.log(name, self._task, begin, log.end, begin - position, log.since(begin))
