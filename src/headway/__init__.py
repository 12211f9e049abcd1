"""Headway: live progress and notifications for background jobs.

Importing this is fast: each name is loaded when it is first used, and the worker needs nothing but msgspec and urllib3.
"""

from __future__ import annotations

import contextlib
import os
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Not in __all__, since `from headway import *` must work where the server is not installed.
    from headway.server.app import Headway as Headway
    from headway.worker.context import attach, create, current, log, notify, progress, step, task, tracked
    from headway.worker.delivery import Stats, configure, flush, stats
    from headway.worker.handle import TaskHandle
    from headway.worker.live import Cancelled
    from headway.worker.track import track

__all__ = [
    "Cancelled",
    "Stats",
    "TaskHandle",
    "__version__",
    "attach",
    "configure",
    "create",
    "current",
    "flush",
    "log",
    "notify",
    "progress",
    "stats",
    "step",
    "task",
    "track",
    "tracked",
]

__version__ = "0.1.0"

_HOMES = {
    "headway.server.app": ("Headway",),
    "headway.worker.context": (
        "attach", "create", "current", "log", "notify", "progress", "step", "task", "tracked",
    ),
    "headway.worker.delivery": ("Stats", "configure", "flush", "stats"),
    "headway.worker.handle": ("TaskHandle",),
    "headway.worker.live": ("Cancelled",),
    "headway.worker.track": ("track",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


_loading = RLock()
"""Held while a part is loaded, and over each fork: a child would wait for ever for a module that a thread of its
parent was loading."""
_FORK_SECONDS = 5.0


def _renew() -> None:
    global _loading  # noqa: PLW0603 - it is what a process has one of
    _loading = RLock()


def _release() -> None:
    # It is not ours when a fork did not wait any longer.
    with contextlib.suppress(RuntimeError):
        _loading.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _loading.acquire(timeout=_FORK_SECONDS),
        after_in_parent=_release,
        after_in_child=_renew,
    )

if not TYPE_CHECKING:
    # A checker that saw this would believe in every name.

    def __getattr__(name: str) -> Any:
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module 'headway' has no attribute {name!r}")
        try:
            with _loading:
                module = import_module(home)
        except ModuleNotFoundError as error:
            if not home.startswith("headway.server"):
                raise
            from headway.errors import MissingExtra

            raise MissingExtra('The server is not installed: pip install "headway[server]"') from error
        value = globals()[name] = getattr(module, name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF, *__all__})
