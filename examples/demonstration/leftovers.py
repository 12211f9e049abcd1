"""Jobs whose processes ended together with the example that ran before: nobody else would say what became of them."""

from __future__ import annotations

import logging
import threading
import time
from typing import Self

import urllib3

from examples.demonstration.board import Board, Record, Refused
from examples.demonstration.launch import Place

__all__ = ["Leftovers"]

_log = logging.getLogger("examples.leftovers")
_SECONDS = 0.2
_WHY = "The application was restarted"


class Leftovers:
    """Brings them to an end as soon as the server can be asked, while its block runs."""

    def __init__(
        self, place: Place, kind: str, *, states: str = "running,paused,lost", again: bool = False
    ) -> None:
        """Describe it; nothing is started yet.

        Args:
            kind: of the tasks.
            states: those in which nobody but a process that is gone would have had to do something.
            again: they wait for a worker once more, instead of being failures.
        """
        self._board = Board(place.headway)
        self._token = place.token
        self._kind = kind
        self._states = states
        self._again = again
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="leftovers", daemon=True)

    def __enter__(self) -> Self:
        self._began = int(time.time() * 1000)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(_SECONDS):
            try:
                for task in self._board.tasks(self._token, kind=self._kind, state=self._states):
                    # What has begun since then has a process.
                    if (task.get("started_at") or task["created_at"]) < self._began:
                        self._end(task)
            except (Refused, urllib3.exceptions.HTTPError) as error:
                _log.debug("cannot ask for tasks: %s", error)
            else:
                return

    def _end(self, task: Record) -> None:
        if self._again:
            self._board.command(task["id"], "retry", self._token)
        else:
            self._board.command(task["id"], "fail", self._token, {"error": _WHY})
