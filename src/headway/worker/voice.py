"""What delivery says to people, in the log: each thing once, and nothing about a server that nobody asked for.

It must not know how delivery works, and it never says a token.
"""

from __future__ import annotations

import logging

from headway.errors import HeadwayError
from headway.model.report import Create, Notify, Rejected, Report

__all__ = ["Voice"]

_log = logging.getLogger("headway.worker")
_MOST_SAID = 200
_PATIENCE = 3
_QUIET = frozenset((106, 109))
"""A task that has ended meanwhile, or a repeated tick: nobody did anything wrong."""


class Voice:
    """Speaks through the logger `headway.worker`."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._away = False
        self._refused = False

    def once(self, key: str, message: str, *values: object) -> None:
        """Warn, unless this was said before."""
        if key not in self._said and len(self._said) < _MOST_SAID:
            self._said.add(key)
            _log.warning(message, *values)

    def complain(self, task: str, complaints: list[str]) -> None:
        """What a job passed could not be used."""
        for complaint in complaints:
            self.once(complaint, "Headway left something out of task %s: %s", task, complaint)

    def found(self, name: str | None) -> None:
        """A server was found, or there is none."""
        self._refused = False
        if name is None:
            _log.debug("No Headway server is configured or running here; progress is kept until there is one")
        else:
            _log.debug("Reporting to Headway at %s", name)

    def delivered(self, name: str) -> None:
        """The server answered."""
        if self._away or self._refused:
            _log.info("Headway at %s answers again", name)
        self._away = self._refused = False

    def unreachable(self, name: str, error: Exception, failures: int, *, quiet: bool) -> None:
        """Nobody answered, for the so-manieth time."""
        if failures < _PATIENCE or self._away or quiet:
            _log.debug("Headway at %s did not answer: %s", name, error)
            return
        self._away = True
        _log.warning(
            "Headway at %s cannot be reached (%s); jobs go on, and their newest state is kept until it can",
            name,
            error,
        )

    def refused(self, name: str, error: HeadwayError) -> None:
        """The token is not good."""
        if self._refused:
            return
        self._refused = True
        _log.warning(
            "Headway at %s does not take this process's reports (%s); set HEADWAY_TOKEN or call "
            "headway.configure(token=...) with a token that may publish. Jobs go on, and it is tried again every minute",
            name,
            error.message,
        )

    def rejected(self, refused: list[tuple[Report, Rejected]]) -> None:
        """The server refused single reports for good."""
        for report, refusal in refused:
            kind = type(report).__name__
            what = report.title if isinstance(report, Create | Notify) else report.task
            if refusal.code in _QUIET:
                _log.debug("Headway refused %s of %r: %s", kind, what, refusal.message)
                continue
            self.once(
                f"{kind} {refusal.code} {refusal.message}",
                "Headway refused %s of %r: %s (code %d)",
                kind,
                what,
                refusal.message,
                refusal.code,
            )

    def failed(self, message: str) -> None:
        """Something of our own broke; say so with its traceback, once."""
        if message not in self._said:
            self._said.add(message)
            _log.exception(message)
