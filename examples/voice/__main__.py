"""python -m examples.voice --port 3000"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from examples.demonstration.launch import Place, launch, worker
from examples.demonstration.people import Person
from examples.demonstration.valkey import queue_store
from examples.voice.app import make_app
from examples.voice.queues import Queues

PEOPLE = {
    name: Person(name, (f"project:tales-of-{name}", "project:shared-tales")) for name in ("demo-1", "demo-2")
}


@contextmanager
def stage(place: Place) -> Iterator[Any]:
    with (
        queue_store(place.data) as url,
        worker("examples.voice.worker", REDIS_URL=url, **place.variables),
    ):
        yield make_app(place, Queues(url))


if __name__ == "__main__":
    sys.exit(launch("voice", 3000, stage, people=PEOPLE, dialect=("voice",)))
