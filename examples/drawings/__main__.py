"""python -m examples.drawings --port 8000"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from examples.demonstration.launch import Place, launch, worker
from examples.demonstration.people import Person
from examples.demonstration.valkey import queue_store

# The contract knows its users by numbers.
PEOPLE = {"demo-1": Person("1"), "demo-2": Person("2")}


@contextmanager
def stage(place: Place) -> Iterator[Any]:
    with queue_store(place.data) as url:
        # Kombu has a name of its own for a socket in the file system.
        broker = url.replace("unix://", "redis+socket://", 1)
        os.environ["EXAMPLE_BROKER"] = broker
        with worker("examples.drawings.worker", EXAMPLE_BROKER=broker, **place.variables):
            # Celery reads where its broker is when it is imported.
            from examples.drawings.app import make_app

            yield make_app(place)


if __name__ == "__main__":
    sys.exit(launch("drawings", 8000, stage, people=PEOPLE, dialect=("user-tasks",)))
