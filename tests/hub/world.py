"""What tests of the hub share: time that passes at once, a store that can be slow or fail, and clients that keep views.

All of it does what the ports promise; nothing is patched.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

import msgspec

from headway.errors import HeadwayError, StoreUnavailable
from headway.hub.log import Bounds
from headway.model.cursor import Cursor
from headway.model.grant import Ability, Grant
from headway.ports.link import Link
from headway.ports.store import Page, TaskQuery, Window, Writes
from headway.stores.memory import MemoryStore
from headway.wire.codec import NativeCodec

__all__ = [
    "ADA",
    "ADMIN",
    "BOB",
    "CODEC",
    "InstantLoop",
    "SecondThoughts",
    "SlowStore",
    "TestLink",
    "View",
    "instant",
    "small_bounds",
    "unix_ms",
]

P = ParamSpec("P")
T = TypeVar("T")

EVERYTHING = frozenset((Ability.READ, Ability.CANCEL, Ability.PUBLISH))
ADA = Grant("ada", channels=("project:p",), can=EVERYTHING)
BOB = Grant("bob", can=EVERYTHING)
ADMIN = Grant("root", can=frozenset((Ability.ADMIN,)))
small_bounds = Bounds(finished=3, notifications=3, age=60.0)


class _Jump(selectors.DefaultSelector):
    """Never waits: time jumps to the next timer instead."""

    loop: InstantLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits for something that will never happen")
        self.loop.now += timeout
        return super().select(0)


class InstantLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own: it stands still while something happens and jumps when nothing does."""

    def __init__(self) -> None:
        self.now = 1000.0
        jump = _Jump()
        jump.loop = self
        super().__init__(jump)

    def time(self) -> float:
        return self.now


def instant(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test in a loop of its own whose time passes at once."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=InstantLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


def unix_ms() -> int:
    """A clock that goes with the loop's."""
    return 1_700_000_000_000 + int(asyncio.get_running_loop().time() * 1000)


class SlowStore(MemoryStore):
    """A memory store that takes its time, as a disk does, and fails when told to.

    Attributes:
        hold: writes wait until `release`.
        failing: the next groups of writes fail.
    """

    DELAY = 0.002

    def __init__(self) -> None:
        super().__init__()
        self.hold = False
        self.failing = 0
        self.written = 0
        self._waiting: list[tuple[Callable[[], Coroutine[Any, Any, Any]], asyncio.Future[Any]]] = []
        self._timer: asyncio.TimerHandle | None = None

    def write(self, writes: Writes) -> Coroutine[Any, Any, None]:
        return self._queue(functools.partial(super().write, writes))

    def reserve(self, ceiling: int) -> Coroutine[Any, Any, None]:
        return self._queue(functools.partial(super().reserve, ceiling))

    def trim_log(self, task_id: str, below: int) -> Coroutine[Any, Any, None]:
        return self._queue(functools.partial(super().trim_log, task_id, below))

    def forget(self, removed_before: int) -> Coroutine[Any, Any, int]:
        return self._queue(functools.partial(super().forget, removed_before))

    async def task(self, task_id: str) -> Any:
        return await self._read(super().task(task_id))

    async def notification(self, notification_id: str) -> Any:
        return await self._read(super().notification(notification_id))

    async def task_by_key(self, channel: str, key: str) -> Any:
        return await self._read(super().task_by_key(channel, key))

    async def tasks(self, query: TaskQuery) -> Page:
        return await self._read(super().tasks(query))

    async def window(self, channel: str, finished: int, newer_than: int, notifications: int) -> Window:
        return await self._read(super().window(channel, finished, newer_than, notifications))

    async def log_end(self, task_id: str) -> tuple[int, dict[str, int]]:
        return await self._read(super().log_end(task_id))

    def release(self, *, fail: bool = False) -> None:
        """Carry out what waits, or fail all of it."""
        self._timer = None
        waiting, self._waiting = self._waiting, []
        fail = fail or self.failing > 0
        if self.failing and waiting:
            self.failing -= 1
        for act, future in waiting:
            if fail:
                if not future.cancelled():
                    future.set_exception(StoreUnavailable())
                continue
            self.written += 1
            done = act()
            try:
                done.send(None)
            except StopIteration as result:
                if not future.cancelled():
                    future.set_result(result.value)

    def lose(self) -> None:
        """What a kill of the process does to writes that have not returned."""
        for _, future in self._waiting:
            future.cancel()
        self._waiting = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.hold = False
        self.failing = 0

    def _queue(self, act: Callable[[], Coroutine[Any, Any, Any]]) -> Coroutine[Any, Any, Any]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((act, future))
        if not self.hold and self._timer is None:
            self._timer = loop.call_later(self.DELAY, self._tick)
        return _result(future)

    def _tick(self) -> None:
        self._timer = None
        if not self.hold:
            self.release()

    async def _read(self, reading: Coroutine[Any, Any, T]) -> T:
        # What is read is what was there when the reading began.
        found = await reading
        await asyncio.sleep(self.DELAY / 2)
        return found


class SecondThoughts(SlowStore):
    """A store that fails in the middle of what it was asked."""

    def fail_first(self) -> None:
        """Fail the first of what waits, and carry out the rest."""
        rest, self._waiting = self._waiting[1:], self._waiting[:1]
        self.release(fail=True)
        self._waiting = rest
        self.hold = False
        self.release()


async def _result(future: asyncio.Future[Any]) -> Any:
    return await future


def _line(message: bytes, _cursor: str = "") -> bytes:
    return message + b"\n"


CODEC = NativeCodec(_line)


class TestLink(Link):
    """One client's end: keeps what it gets, and takes nothing while it is full.

    Attributes:
        attempts: how often something was offered while it was full, by subscription.
    """

    __test__ = False
    codec = CODEC

    def __init__(self, take: Callable[[dict[str, Any]], object] | None = None) -> None:
        self.messages: list[dict[str, Any]] = []
        self.batches = 0
        self.attempts: dict[str, int] = {}
        self.on_drained: Callable[[], object] = lambda: None
        self.ended: HeadwayError | None = None
        self._take = take or self.messages.append
        self._full = False

    @property
    def full(self) -> bool:
        return self._full

    def deliver(self, data: bytes) -> bool:
        if self.ended is not None:
            return True
        decoded = [msgspec.json.decode(line) for line in data.splitlines()]
        if self._full:
            name = decoded[0]["id"]
            self.attempts[name] = self.attempts.get(name, 0) + 1
            return False
        self.batches += 1
        for message in decoded:
            self._take(message)
        return True

    def end(self, error: HeadwayError) -> None:
        self.ended = self.ended or error

    def fill(self) -> None:
        self._full = True

    def drain(self) -> None:
        if self._full:
            self._full = False
            self.attempts.clear()
            self.on_drained()


class View:
    """What a client holds of one subscription, by applying what it gets; complains about what must not come."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.cursor: Cursor | None = None
        self.answers = 0
        self.resets = 0

    def copy(self) -> View:
        twin = View()
        twin.records, twin.cursor = dict(self.records), self.cursor
        return twin

    def apply(self, message: dict[str, Any]) -> None:
        cursor = Cursor.parse(message["cursor"])
        assert cursor is not None
        if message["type"] == "snapshot":
            self._snapshot(message, cursor)
        else:
            assert message["type"] == "change"
            assert self.answers, "a change came before the answer"
            assert self.cursor is not None
            assert cursor.rev > self.cursor.rev, "a revision came twice or out of order"
            if "removed" in message:
                self.records.pop(message["removed"], None)
            else:
                record = message.get("task") or message["notification"]
                assert record["rev"] == cursor.rev
                self._put(record)
        self.cursor = cursor

    def _snapshot(self, message: dict[str, Any], cursor: Cursor) -> None:
        self.answers += not message.get("more")
        records = [*message["tasks"], *message["notifications"]]
        for kind in ("tasks", "notifications"):
            revs = [record["rev"] for record in message[kind]]
            assert revs == sorted(set(revs)), "revisions do not ascend"
        assert all(record["rev"] <= cursor.rev for record in records)
        if self.cursor is not None and self.cursor.epoch == cursor.epoch:
            assert cursor.rev >= self.cursor.rev, "the cursor went back"
        if message["reset"]:
            self.resets += 1
            before, self.records = self.records, {}
            for record in records:
                if record["id"] in before:
                    _never_back(before[record["id"]], record)
        elif self.cursor is not None:
            assert all(record["rev"] > self.cursor.rev for record in records), "a revision came twice"
        for gone in message["removed"]:
            self.records.pop(gone, None)
        for record in records:
            self._put(record)

    def _put(self, record: dict[str, Any]) -> None:
        before = self.records.get(record["id"])
        if before is not None:
            _never_back(before, record)
        self.records[record["id"]] = record


def _never_back(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Invariants 1 and 3 of two versions of one record that somebody saw one after the other."""
    assert after["rev"] >= before["rev"], (before, after)
    if "attempt" not in before or "attempt" not in after or before["created_at"] != after["created_at"]:
        return
    assert after["attempt"] >= before["attempt"], (before, after)
    if after["attempt"] != before["attempt"]:
        return
    old, new = before["progress"], after["progress"]
    assert (new["percent"] or 0) >= (old["percent"] or 0), (before, after)
    assert new["done"] >= old["done"], (before, after)
    if before["state"] in {"succeeded", "failed", "cancelled"}:
        assert after["state"] == before["state"], (before, after)
