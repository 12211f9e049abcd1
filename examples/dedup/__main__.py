"""python -m examples.dedup --port 5000"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from a2wsgi import WSGIMiddleware

from examples.dedup.app import KIND, make_app
from examples.demonstration.crew import Crew
from examples.demonstration.launch import Place, launch
from examples.demonstration.leftovers import Leftovers


@contextmanager
def stage(place: Place) -> Iterator[Any]:
    with Crew("examples.dedup.worker", place.variables) as crew, Leftovers(place, KIND):
        yield WSGIMiddleware(make_app(place, crew.submit))  # type: ignore[arg-type] # Flask's own types are looser


if __name__ == "__main__":
    sys.exit(launch("dedup", 5000, stage, dialect=("dedup",)))
