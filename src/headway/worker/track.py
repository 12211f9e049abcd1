"""`headway.track`: a loop becomes a task by one word, at the cost of a counter.

In the loop an item costs one addition, one store and one look at a flag; the delivery thread reads the counter. It
must not know how anything is sent.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from types import FrameType
from typing import Any, Generic, TypeVar, cast, overload

from headway.model.progress import Amount
from headway.model.task import TITLE_CHARS
from headway.worker import ambient, values
from headway.worker.creation import AMBIENT, Parent, describe, parent_handle
from headway.worker.ending import place_of, raised_at
from headway.worker.handle import TaskHandle

__all__ = ["AsyncTrack", "Track", "track"]

T = TypeVar("T")


@overload
def track(
    iterable: Iterable[T],
    title: str | None = None,
    total: Amount | None = None,
    *,
    unit: str | None = None,
    channel: str | None = None,
    kind: str = "",
    tags: Iterable[str] = (),
    meta: dict[str, Any] | None = None,
    parent: Parent = AMBIENT,
    weight: int = 1,
    id: str | None = None,
    attempt: int | None = None,
    lost_after: float | None = None,
    notify: bool | str = False,
) -> Track[T]: ...
@overload
def track(
    iterable: AsyncIterable[T],
    title: str | None = None,
    total: Amount | None = None,
    *,
    unit: str | None = None,
    channel: str | None = None,
    kind: str = "",
    tags: Iterable[str] = (),
    meta: dict[str, Any] | None = None,
    parent: Parent = AMBIENT,
    weight: int = 1,
    id: str | None = None,
    attempt: int | None = None,
    lost_after: float | None = None,
    notify: bool | str = False,
) -> AsyncTrack[T]: ...
def track(
    iterable: Any, title: str | None = None, total: Amount | None = None, **options: Any
) -> Track[Any] | AsyncTrack[Any]:
    """Iterate, and show it as a task: `for row in headway.track(rows, "Importing"): ...`.

    The task begins with the first item and succeeds with the last; its count is exact. `break` ends it as succeeded
    with what was reached; an exception in the loop's body fails it (with file and line: the exception itself is seen
    only by `with headway.task(...)`). When the task is cancelled, the next item raises `Cancelled` instead; while it
    is paused, the next item waits. In the loop's body the task is the ambient one.

    Args:
        iterable: what to go through; an asynchronous one for `async for`.
        title: for people; made from the name of the calling function when None.
        total: number of items; `len(iterable)` when it has one.
        options: those of `headway.task`.

    Raises:
        Cancelled: while iterating, when the task was cancelled.
    """
    if total is None:
        try:
            total = len(iterable)
        except Exception:  # noqa: BLE001 - a foreign __len__ may raise anything
            total = None
    title = title or _title(sys._getframe(1))  # noqa: SLF001 - the caller's name is what the title is made of
    if hasattr(iterable, "__aiter__") and not hasattr(iterable, "__iter__"):
        return AsyncTrack(iterable, title, total, options)
    return Track(iterable, title, total, options)


class _Tracked:
    __slots__ = ("_iterable", "_options", "_title", "_total")

    def __init__(self, iterable: Any, title: str, total: Amount | None, options: dict[str, Any]) -> None:
        self._iterable = iterable
        self._title = title
        self._total = total
        self._options = options

    def _begin(self) -> TaskHandle:
        options = dict(self._options)
        attempt = options.pop("attempt", None)
        parent = parent_handle(options.get("parent", AMBIENT))
        made = describe(self._title, total=self._total, **options, start=attempt is None or attempt <= 1)
        handle = TaskHandle(made.task, made, attempt, parent or ambient.current())
        handle.begin()
        ambient.enter(handle)
        return handle


def _finish(handle: TaskHandle, done: int, error: BaseException | str | None) -> None:
    ambient.leave(handle)
    live = handle.live
    live.done = done
    if error is None and live.total is not None:
        # The count is the truth and the total was a guess; a server would fill the bar up to it.
        live.total = done
    if isinstance(error, str) and not handle.cancelled:
        handle.fail(error)
    else:
        handle.end(error if isinstance(error, BaseException) else None)


class Track(_Tracked, Generic[T]):
    """A tracked iterable; each iteration of it is a task of its own."""

    __slots__ = ()

    def __iter__(self) -> Iterator[T]:
        iterable = iter(cast("Iterable[T]", self._iterable))
        handle = self._begin()
        place = place_of(sys._getframe(1))  # noqa: SLF001 - see headway.worker.ending
        live = handle.live
        done = 0
        try:
            for item in iterable:
                yield item
                done += 1
                live.done = done
                if live.attention:
                    handle.check()
        except GeneratorExit:
            _finish(handle, done, raised_at(sys._getframe(1), place))  # noqa: SLF001 - see headway.worker.ending
            raise
        except BaseException as error:
            _finish(handle, done, error)
            raise
        _finish(handle, done, None)


class AsyncTrack(_Tracked, Generic[T]):
    """A tracked asynchronous iterable; each iteration of it is a task of its own."""

    __slots__ = ()

    def __aiter__(self) -> AsyncIterator[T]:
        return _AsyncLoop(self)


class _AsyncLoop(AsyncIterator[T]):
    """One iteration. Not an async generator, because those are closed some time after their loop was left."""

    def __init__(self, tracked: AsyncTrack[T]) -> None:
        self._tracked = tracked
        self._items: AsyncIterator[T] | None = None
        self._handle: TaskHandle | None = None
        self._place: tuple[int, Any] | None = None
        self._done = 0
        self._open = False

    async def __anext__(self) -> T:
        try:
            if self._items is None:
                self._items = aiter(cast("AsyncIterable[T]", self._tracked._iterable))  # noqa: SLF001 - its own
                self._handle = self._tracked._begin()  # noqa: SLF001 - its own
                self._place = place_of(sys._getframe(1))  # noqa: SLF001 - see headway.worker.ending
                self._open = True
            elif self._handle is not None and self._open:
                self._done += 1
                self._handle.live.done = self._done
                if self._handle.live.attention:
                    await self._handle.acheck()
            return await anext(self._items)
        except StopAsyncIteration:
            self._finish(None)
            raise
        except BaseException as error:
            self._finish(error)
            raise

    def __del__(self) -> None:
        if self._open:
            self._finish(raised_at(sys._getframe(1), self._place))  # noqa: SLF001 - see headway.worker.ending

    def _finish(self, error: BaseException | str | None) -> None:
        if self._open and self._handle is not None:
            self._open = False
            _finish(self._handle, self._done, error)


def _title(frame: FrameType) -> str:
    name = frame.f_code.co_name
    if name.startswith("<"):
        name = frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2].removesuffix(".py")
    return values.text(name.strip("_<>").replace("_", " ").capitalize(), TITLE_CHARS) or "Task"
