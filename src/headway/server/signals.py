"""Noticing that the process was told to stop, in a server that is not ours.

Servers tell applications to stop only after the last connection has ended, and a dashboard's connection does not end by
itself: an open page would hold the server. So we listen too, and pass the signal on to whoever had it.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["hearing_stop"]

_STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def hearing_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Have `stop` called in the running loop when the server is told to stop.

    Does nothing where nobody handles signals, and in other threads than the main one, which cannot.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def heard(number: int, frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop)
        before[number](number, frame)

    for number in _STOPS:
        present = signal.getsignal(number)
        if callable(present):
            before[number] = present
            signal.signal(number, heard)
    try:
        yield
    finally:
        for taken, handler in before.items():
            # Whoever has put something else there meanwhile keeps it.
            if signal.getsignal(taken) is heard:
                signal.signal(taken, handler)
