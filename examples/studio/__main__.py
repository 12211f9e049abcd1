"""python -m examples.studio --port 7000"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from examples.demonstration.board import Board
from examples.demonstration.crew import Crew
from examples.demonstration.launch import Place, launch
from examples.demonstration.leftovers import Leftovers
from examples.studio.app import make_app
from examples.studio.dispatcher import Dispatcher


@contextmanager
def stage(place: Place) -> Iterator[Any]:
    with (
        Crew("examples.studio.worker", place.variables) as crew,
        Leftovers(place, "studio", again=True),
        Dispatcher(Board(place.headway), place.token, crew),
    ):
        yield make_app(place)


if __name__ == "__main__":
    sys.exit(launch("studio", 7000, stage, dialect=("studio",)))
