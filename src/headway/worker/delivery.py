"""The one courier of this process: its settings, its end, and what happens to it when the process forks.

A child of a fork gets a courier of its own, with an empty queue, fresh connections and another source id; what the
parent had not yet sent stays with the parent. It must not know what jobs report.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time

import msgspec

from headway.errors import ConfigurationError
from headway.model.ids import ulid
from headway.model.report import Fail
from headway.worker.counts import Counts
from headway.worker.courier import Courier, Route
from headway.worker.discovery import Settings, Target, find
from headway.worker.journal import Journal
from headway.worker.live import Live
from headway.worker.sink import Sink, check_url
from headway.worker.voice import Voice

__all__ = [
    "Stats",
    "complain",
    "configure",
    "courier",
    "deliver_to",
    "enabled",
    "flush",
    "new_id",
    "stats",
    "wake",
]

EXIT_SECONDS = 2.0
EXIT_SECONDS_UNREACHED = 0.3
_FORK_SECONDS = 5.0


class Stats(msgspec.Struct, frozen=True):
    """What became of this process's reports.

    Attributes:
        counts: since the process began (or was forked).
        waiting: reports that no server has acknowledged.
        running: tasks that run here now.
        server: where reports go, or None.
        reached: whether a server has answered yet.
    """

    counts: Counts
    waiting: int
    running: int
    server: str | None
    reached: bool


class _Process:
    """What belongs to this process and not to its children."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.given: Route | None = None
        self.target: Target | None = None
        self.route: Route | None = None
        # Held while urllib3 is imported: a fork in the middle of it would leave the child half a module.
        self.loading = threading.Lock()
        self.pid = os.getpid()
        source = new_id()
        self.voice = Voice()
        self.journal = Journal(lambda: self.settings.spool_folder, source, self.voice)
        self.courier = Courier(self.find, self.voice, self.journal, source)
        self.leaves_by_multiprocessing = False

    def find(self) -> Route | None:
        if self.given is not None:
            return self.given
        if not self.settings.enabled:
            return None
        try:
            target = find(self.settings)
        except ConfigurationError as error:
            self.voice.once("url", "HEADWAY_URL is not used: %s", error.message)
            return None
        if target is None:
            self.target = self.route = None
        elif target != self.target or self.route is None:
            with self.loading:
                from headway.worker.sink import HttpSink

                sink = HttpSink(target.url, target.token)
            self.target = target
            self.route = Route(sink, _shown(target.url), is_private=target.found == "runtime")
        return self.route


def courier() -> Courier:
    """The courier of this process."""
    process = _process
    if not process.leaves_by_multiprocessing and "multiprocessing.util" in sys.modules:
        process.leaves_by_multiprocessing = True
        # Children of multiprocessing end without atexit.
        sys.modules["multiprocessing.util"].Finalize(None, _leave, exitpriority=10)
    return process.courier


def wake(live: Live) -> None:
    """A running task has something to tell."""
    courier().wake(live)


def enabled() -> bool:
    """Whether reports are wanted at all."""
    return _process.settings.enabled


def new_id() -> str:
    """A fresh ULID."""
    return ulid(time.time_ns() // 1_000_000, os.urandom(10))


def complain(task: str, complaints: list[str]) -> None:
    """Say in the log what could not be used of what a job passed."""
    if complaints:
        _process.voice.complain(task, complaints)


def configure(
    *, url: str | None = None, token: str | None = None, spool: str | os.PathLike[str] | None = None,
    enabled: bool | None = None,
) -> None:  # fmt: skip
    """Say where the server is; what is left out stays as it is.

    Without it `HEADWAY_URL`, `HEADWAY_TOKEN` and `HEADWAY_SPOOL` count, then a development server on this machine.

    Args:
        url: of the server, http or https.
        token: with the capability `publish`.
        spool: a folder in which facts survive this process until a server has them.
        enabled: False makes every report do nothing.

    Raises:
        ConfigurationError: the URL is not http or https.
    """
    settings = _process.settings
    if url is not None:
        settings.url = check_url(url)
    if token is not None:
        settings.token = token
    if enabled is not None:
        settings.enabled = enabled
    if spool is not None:
        settings.spool = os.fspath(spool)
        # What an earlier process left is delivered even when this one has nothing to say.
        courier().start()
    _process.courier.hurry()


def deliver_to(sink: Sink | None) -> None:
    """Deliver to a server in this very process.

    Args:
        sink: takes a batch on the delivery thread (`headway.worker.sink`); None goes back to what is configured.
    """
    _process.given = None if sink is None else Route(sink, "the server in this process", is_private=True)
    _process.courier.hurry()


def flush(timeout: float = 5.0) -> bool:
    """Wait until everything reported so far has been acknowledged.

    Args:
        timeout: seconds.

    Returns:
        whether it has; False at once when there is no server to deliver to.
    """
    return _process.courier.flush(timeout)


def stats() -> Stats:
    """Count what became of this process's reports."""
    process = _process
    with process.courier.lock:
        counts = msgspec.structs.replace(process.courier.reporter.counts)
        waiting = len(process.courier.reporter)
    route = process.courier.route
    return Stats(
        counts=counts,
        waiting=waiting,
        running=len(process.courier.lives),
        server=None if route is None else route.name,
        reached=process.courier.reached,
    )


def _leave() -> None:
    process = _process
    if process.pid != os.getpid():
        return
    for live in list(process.courier.lives.values()):
        if live.pid == process.pid:
            tick = live.sample()
            ending = Fail(live.task, error="The process ended before the task did")
            process.courier.report(*((ending,) if tick is None else (tick, ending)))
    known = process.given is not None or process.courier.route is not None
    if known or process.courier.has_news():
        until = time.monotonic() + EXIT_SECONDS
        # Whoever is away is not waited for; whoever is busy, or is being reached for the first time, is.
        while not process.courier.flush(EXIT_SECONDS_UNREACHED):
            if process.courier.away or time.monotonic() >= until:
                break
    process.journal.close()


def _shown(url: str) -> str:
    """The URL without a name and password that somebody may have put into it."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _before_fork() -> None:
    # Bounded: a fork must happen even when something hangs.
    _held.clear()
    locks = (_process.loading, _process.courier.lock)
    _held.extend(lock for lock in locks if lock.acquire(timeout=_FORK_SECONDS))


def _after_fork_in_parent() -> None:
    while _held:
        _held.pop().release()


def _after_fork_in_child() -> None:
    global _process  # noqa: PLW0603 - it is what a process has one of
    _held.clear()
    parent = _process
    parent.journal.abandon()
    for live in parent.courier.lives.values():
        live.renew()
    _process = _Process(parent.settings)


_held: list[threading.Lock] = []
_process = _Process(Settings())
atexit.register(_leave)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
    )
