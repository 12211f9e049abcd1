"""The delivery thread: samples running tasks, sends batches, and brings the server's wishes back to the tasks.

The job's side (`report`, `wake`, `join`, `leave`) never waits: it puts things into a queue that is safe to use from
signal handlers and finalisers, and takes the reporter's lock only when it is free. It must not know how a task's
public handle looks, nor what settings mean.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from headway.errors import Forbidden, HeadwayError, NotFound, RefusedError, RequestError
from headway.model.report import MAX_REPORTS, Rejected, Report, TickReport
from headway.worker.journal import Journal
from headway.worker.live import Live
from headway.worker.living import SUPERSEDED
from headway.worker.pace import INTERVAL, Pace
from headway.worker.reporter import Flight, Reporter
from headway.worker.sink import Sink
from headway.worker.voice import Voice

__all__ = ["Courier", "Route"]

_CROWDED = 1_000
"""So many waiting reports make the reporting thread help to conflate them."""
_LOOK_AGAIN = 2.0
"""Seconds between two looks for a server while there is none."""


class _Flush(threading.Event):
    """Somebody waits until everything before `mark` was acknowledged; `kept` says that it was not."""

    def __init__(self) -> None:
        super().__init__()
        self.mark: int | None = None
        self.kept = False


_Item = tuple[Report, ...] | _Flush | None


class Route:
    """Where batches go now: a sink, and its name for people."""

    __slots__ = ("is_private", "name", "sink")

    def __init__(self, sink: Sink, name: str, *, is_private: bool = False) -> None:
        """Make the route.

        Args:
            sink: takes batches.
            name: for messages; a URL, say.
            is_private: nobody configured it, so nothing is said when it is away.
        """
        self.sink = sink
        self.name = name
        self.is_private = is_private


class Courier:
    """Delivers what this process has to say. One thread, started by the first report."""

    def __init__(self, find: Callable[[], Route | None], voice: Voice, journal: Journal, source: str) -> None:
        """Make a courier; nothing starts yet.

        Args:
            find: the route to use now, called on the delivery thread before each batch.
            voice: says things to people.
            journal: keeps facts on disk, if that was asked for.
            source: names this process in log reports.
        """
        self.find = find
        self.voice = voice
        self.journal = journal
        self.reporter = Reporter(source=source)
        self.lives: dict[str, Live] = {}
        self.route: Route | None = None
        self.reached = False
        self.lock = threading.Lock()
        self._pace = Pace()
        self._inbox: SimpleQueue[_Item] = SimpleQueue()
        self._urgent = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._flushers: list[_Flush] = []
        self._changed = False
        self._told_route = False

    # The job's side

    def report(self, *reports: Report) -> None:
        """Take in reports, in order."""
        self._inbox.put(reports)
        self.journal.write(reports)
        if self._inbox.qsize() > _CROWDED and self.lock.acquire(blocking=False):
            try:
                self._drain(time.monotonic())
            finally:
                self.lock.release()
        self.start()

    def wake(self, live: Live) -> None:
        """A task has something to tell. One that was begun before a fork is taken in as a guest."""
        self.lives.setdefault(live.task, live)
        self._inbox.put(None)
        self.start()

    def join(self, live: Live) -> None:
        """Sample this task from now on."""
        self.lives[live.task] = live

    def leave(self, live: Live) -> None:
        """Sample it no more."""
        if self.lives.get(live.task) is live:
            del self.lives[live.task]

    def start(self) -> None:
        """Start the thread if it does not run yet."""
        if self._thread is None and self._starting.acquire(blocking=False):
            try:
                if self._thread is None:
                    thread = threading.Thread(target=self._run, name="headway", daemon=True)
                    thread.start()
                    self._thread = thread
            except RuntimeError:
                # No thread can be had (the interpreter ends, or the machine is full): state stays conflated.
                return
            finally:
                self._starting.release()

    def hurry(self) -> None:
        """Something changed about where to deliver: do not wait for the next attempt."""
        self._changed = True
        self._urgent.set()
        self._inbox.put(None)

    def has_news(self) -> bool:
        """Whether anything may still have to be delivered."""
        return self._thread is not None or not self._inbox.empty()

    @property
    def away(self) -> bool:
        """Whether nobody is there: none was found, or the one that was has failed and never answered."""
        found = self.route is not None or not self._told_route
        return not found or (self._pace.failures > 0 and not self.reached)

    def flush(self, timeout: float) -> bool:
        """Wait until everything reported so far is acknowledged.

        Args:
            timeout: seconds.

        Returns:
            whether it is; False at once when there is no server to deliver to.
        """
        if not self.has_news():
            return True
        self.start()
        done = _Flush()
        self._inbox.put(done)
        self._urgent.set()
        return done.wait(timeout) and not done.kept

    # The delivery thread

    def _run(self) -> None:
        idle = False
        while True:
            try:
                self._rest(idle)
                idle = not self._turn(time.monotonic())
            except Exception:  # noqa: BLE001 - whatever it is, it must not end the only thread that delivers
                self.voice.failed("Headway's delivery thread met an error and goes on")
                self._pace.failed(time.monotonic(), 1.0)
                idle = False

    def _rest(self, idle: bool) -> None:
        """Sleep until there is something to do."""
        remaining = self._pace.ready_at - time.monotonic()
        if remaining > 0:
            # Not by the inbox: a busy job would wake this thread for every report that it cannot send yet.
            if remaining <= INTERVAL:
                time.sleep(remaining)
            elif self._urgent.wait(remaining):
                self._pace.hurry()
        elif idle:
            with self.lock:
                due = self.reporter.next_beat()
            looks = self.journal.next_look()
            until = min((at for at in (due, looks) if at is not None), default=None)
            try:
                item = self._inbox.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
            except Empty:
                return
            self._take_in(item, time.monotonic())
        self._urgent.clear()

    def _turn(self, now: float) -> bool:
        """Sample and send once; False when there was nothing to send."""
        recovered = self.journal.recover(now)
        route = self._look()
        with self.lock:
            self._drain(now)
            self.reporter.recover(recovered)
            if route is None:
                self._release_flushers(given_up=True)
                self._pace.ready_at = now + _LOOK_AGAIN
                return True
            changed = self._sample(now)
            for flush in self._flushers:
                if flush.mark is None:
                    flush.mark = self.reporter.mark()
            self._release_flushers()
            self.reporter.beats(now)
            flight = self.reporter.take(MAX_REPORTS, now)
            if flight is None and not changed:
                for live in list(self.lives.values()):
                    live.arm()
                # Looked at once more after arming, so that no change falls between.
                changed = self._sample(now)
                flight = self.reporter.take(MAX_REPORTS, now) if changed else None
        if flight is None:
            return not self._inbox.empty()
        self._pace.sent(now)
        self._deliver(route, flight)
        return True

    def _look(self) -> Route | None:
        """The route to use; looked for anew when there is none, when it failed, and when something was changed."""
        if self.route is None or self._pace.failures or self._changed:
            self._changed = False
            route = self.find()
            if route is not self.route or not self._told_route:
                self._told_route = True
                self.route = route
                self.voice.found(route.name if route else None)
        return self.route

    def _deliver(self, route: Route, flight: Flight) -> None:
        try:
            answer = route.sink(flight.batch)
        except (RefusedError, Forbidden) as error:
            self._give_back(flight)
            self._pace.refused(time.monotonic())
            self.voice.refused(route.name, error)
            return
        except RequestError as error:
            if isinstance(error, NotFound):
                self._lost_touch(route, flight, error)
                return
            with self.lock:
                refused = self.reporter.refused(
                    flight, Rejected(index=0, code=error.code, message=error.message)
                )
                self._release_flushers()
            self.voice.rejected(refused)
            return
        except Exception as error:  # noqa: BLE001 - a sink may raise anything, and the job goes on
            self._lost_touch(route, flight, error)
            return
        now = time.monotonic()
        self.reached = True
        self._pace.succeeded()
        self.voice.delivered(route.name)
        with self.lock:
            outcome = self.reporter.acknowledged(flight, answer, now)
        for task, state in outcome.states.items():
            live = self.lives.get(task)
            if live is not None:
                live.told(state, state == SUPERSEDED)
        if outcome.again:
            self._pace.failed(now, random.random())  # noqa: S311 - jitter, not a secret
        self.voice.rejected(outcome.refused)
        with self.lock:
            self._drain(now)
            self.journal.tidy(self.reporter.facts)
            self._release_flushers()

    def _lost_touch(self, route: Route, flight: Flight, error: Exception) -> None:
        self._give_back(flight)
        self._pace.failed(time.monotonic(), random.random())  # noqa: S311 - jitter, not a secret
        if not isinstance(error, HeadwayError) and self._pace.failures == 1 and self.reached:
            # A kept connection that the server closed meanwhile looks like this; a fresh one will do at once.
            self._pace.ready_at = time.monotonic() + INTERVAL
        self.voice.unreachable(route.name, error, self._pace.failures, quiet=route.is_private)

    def _give_back(self, flight: Flight) -> None:
        with self.lock:
            self.reporter.failed(flight)

    def _drain(self, now: float) -> None:
        for _ in range(self._inbox.qsize()):
            try:
                item = self._inbox.get_nowait()
            except Empty:
                return
            self._take_in_locked(item, now)

    def _take_in(self, item: _Item, now: float) -> None:
        with self.lock:
            self._take_in_locked(item, now)

    def _take_in_locked(self, item: _Item, now: float) -> None:
        if isinstance(item, _Flush):
            self._flushers.append(item)
        elif item is not None:
            for report in item:
                self.reporter.report(report, now)

    def _sample(self, now: float) -> bool:
        ticks: list[TickReport] = []
        for live in list(self.lives.values()):
            tick = live.sample()
            if tick is not None:
                ticks.append(tick)
        for tick in ticks:
            self.reporter.report(tick, now)
        return bool(ticks)

    def _release_flushers(self, *, given_up: bool = False) -> None:
        waiting: list[_Flush] = []
        for flush in self._flushers:
            passed = flush.mark is not None and self.reporter.has_passed(flush.mark)
            if not passed and not given_up:
                waiting.append(flush)
                continue
            flush.kept = not passed and len(self.reporter) > 0
            flush.set()
        self._flushers = waiting
