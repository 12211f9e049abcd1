"""Keeps facts on disk for this process when a spool is set, and takes in what dead processes left there.

A disk that is full or gone costs the durability that was asked for and never the job. It must not know servers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from headway.model.report import Beat, Log, Report, TickReport
from headway.worker.spool import Spool
from headway.worker.voice import Voice

__all__ = ["Journal"]

LOOK_EVERY = 30.0
_PASSING = (TickReport, Beat, Log)


class Journal:
    """The spool of this process, opened by the first fact."""

    def __init__(self, folder: Callable[[], str | None], name: str, voice: Voice) -> None:
        """Make a journal; nothing is opened yet.

        Args:
            folder: the spool's folder, or None when there is none.
            name: of this process; no other has it.
            voice: says when the disk does not work.
        """
        self._folder = folder
        self._name = name
        self._voice = voice
        self._spool: Spool | None = None
        self._opened = ""
        self._look_at = 0.0

    def write(self, reports: Iterable[Report]) -> None:
        """Keep the facts among these; ticks only beside a fact, where they say how far a task had come."""
        reports = tuple(reports)
        if all(isinstance(report, _PASSING) for report in reports):
            return
        spool = self._open()
        if spool is None:
            return
        try:
            for report in reports:
                if not isinstance(report, Beat | Log) and not spool.append(report):
                    self._voice.once(
                        "spool full", "The spool of Headway is full; newer facts are kept in memory only"
                    )
        except OSError as error:
            self._voice.once("spool write", "The spool of Headway cannot be written: %s", error)

    def recover(self, now: float) -> list[Report]:
        """What dead processes left, written down here before it is removed there.

        Args:
            now: seconds.
        """
        if now < self._look_at:
            return []
        self._look_at = now + LOOK_EVERY
        spool = self._open()
        if spool is None:
            return []
        found: list[Report] = []
        try:
            for reports in spool.orphans():
                for report in reports:
                    spool.append(report)
                found.extend(reports)
        except OSError as error:
            self._voice.once("spool read", "The spool of Headway cannot be read: %s", error)
        return found

    def next_look(self) -> float | None:
        """When to look for dead processes again, in seconds; None without a spool."""
        return self._look_at if self._spool is not None else None

    def tidy(self, facts: Callable[[], Iterable[Report]]) -> None:
        """Forget what was acknowledged.

        Args:
            facts: those that were not.
        """
        if self._spool is None or not self._spool.size:
            return
        try:
            self._spool.keep(facts)
        except OSError as error:
            self._voice.once("spool write", "The spool of Headway cannot be written: %s", error)

    def close(self) -> None:
        """The process ends in order: an empty file is removed, another is left to the next process."""
        if self._spool is not None:
            spool, self._spool = self._spool, None
            spool.close(remove=not spool.size)
            self._opened = ""

    def abandon(self) -> None:
        """This is the child of a fork, and the file is its parent's."""
        if self._spool is not None:
            self._spool.abandon()

    def _open(self) -> Spool | None:
        folder = self._folder()
        if not folder:
            return None
        if folder != self._opened:
            self._opened = folder
            self.close_quietly()
            try:
                self._spool = Spool(folder, self._name)
            except OSError as error:
                self._voice.once("spool open", "The spool of Headway cannot be opened: %s", error)
        return self._spool

    def close_quietly(self) -> None:
        """Let go of the file of an earlier folder."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None
