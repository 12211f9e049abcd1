"""Work that goes on though whoever asked for it may be gone: kept, so that it is not lost half way."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["start"]

_running: set[asyncio.Task[None]] = set()


def start(work: Coroutine[Any, Any, None]) -> None:
    """Begin some work that nobody waits for."""
    running = asyncio.get_running_loop().create_task(work)
    # The loop itself holds tasks weakly.
    _running.add(running)
    running.add_done_callback(_running.discard)
