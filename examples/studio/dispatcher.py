"""Gives what was submitted to the crew. Headway itself is the queue: what waits there outlives every process here."""

from __future__ import annotations

import logging
import threading
from typing import Self

import urllib3

from examples.demonstration.board import Board, Refused
from examples.demonstration.crew import Crew

__all__ = ["Dispatcher"]

_log = logging.getLogger("examples.studio")
_SECONDS = 0.2


class Dispatcher:
    """Looks for waiting orders, oldest first, while its block runs."""

    def __init__(self, board: Board, token: str, crew: Crew) -> None:
        """Describe it; nothing is started yet."""
        self._board = board
        self._token = token
        self._crew = crew
        self._given: set[tuple[str, int]] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="dispatcher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(_SECONDS):
            try:
                waiting = self._board.tasks(self._token, state="queued", kind="studio")
            except (Refused, urllib3.exceptions.HTTPError) as error:
                # The server starts or stops; what waits is still there afterwards.
                _log.debug("cannot ask for orders: %s", error)
                continue
            turns = {(task["id"], task.get("attempt", 1)) for task in waiting}
            for turn in sorted(turns - self._given):
                self._crew.submit(*turn)
            # Remembered no longer than it waits.
            self._given = turns
