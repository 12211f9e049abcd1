"""Which task the running code works on. It must not know what a task is."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headway.worker.handle import TaskHandle

__all__ = ["current", "enter", "leave"]

_current: ContextVar[TaskHandle | None] = ContextVar("headway_task", default=None)


def current() -> TaskHandle | None:
    """The innermost task that this thread or coroutine works on, or None.

    A new thread works on none (`contextvars`): hand it the handle.
    """
    handle = _current.get()
    # Blocks of generators may end in any order, so the one that was entered last may have ended already.
    while handle is not None and handle.ended:
        handle = handle.outer
    return handle


def enter(handle: TaskHandle) -> None:
    """From here on the code works on this task."""
    if _current.get() is not handle:
        handle.outer = current()
        _current.set(handle)


def leave(handle: TaskHandle) -> None:
    """The code has stopped working on this task."""
    # Set rather than reset: a generator may be closed in another context than the one it was begun in.
    if _current.get() is handle:
        _current.set(handle.outer)
