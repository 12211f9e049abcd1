"""The recipes for Celery and RQ work as they stand, under the queues' own workers and with a Valkey of their own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import rq
import urllib3
from celery import Celery
from examples.demonstration.valkey import queue_store

from tests.docs.conftest import Served
from tests.docs.texts import ROOT, snippets

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PAGE = ROOT / "docs/how-to/report-from-a-queue.md"
ROWS = "".join(f"customer {number}\n" for number in range(50))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with queue_store(tmp_path_factory.mktemp("queue")) as url:
        yield url


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder for the module `shop`, and the file that its job reads."""
    (tmp_path / "customers.csv").write_text(ROWS)
    return tmp_path


def recipe(queue: str) -> str:
    """The one snippet of the page that imports this."""
    (found,) = (
        snippet.code
        for snippet in snippets(PAGE, "python")
        if f"\nfrom {queue} import" in f"\n{snippet.code}"
    )
    return found


def ask(served: Served, path: str, method: str = "GET") -> Any:
    answer = urllib3.request(
        method, served.url + path, headers={"Authorization": f"Bearer {served.token}"}, timeout=60
    )
    return answer.data if path.startswith("/events") else answer.json()


def over(served: Served, task: str) -> dict[str, Any]:
    """The task when it has ended."""
    ask(served, f"/events?task={task}&until=done")
    found: dict[str, Any] = ask(served, f"/api/tasks/{task}")
    return found


def test_rq(served: Served, shop: Path, store: str) -> None:
    # Given the recipe, one job that can be done and one that cannot
    (shop / "shop.py").write_text(recipe("rq"))
    queue = rq.Queue(connection=redis.Redis.from_url(store))
    done, failed = (queue.enqueue("shop.import_customers", path).id for path in ("customers.csv", "none.csv"))

    # When a worker of RQ has done all that there is
    subprocess.run(
        [sys.executable, "-m", "rq.cli", "worker", "--burst", "--quiet", "--url", store],
        cwd=shop,
        env=served.environment,
        check=True,
        timeout=60,
    )

    # Then one has succeeded and one has failed, after the attempts that the recipe allows
    task = ask(served, f"/api/tasks/{done}")
    assert (task["state"], task["attempt"], task["progress"]["percent"]) == ("succeeded", 1, 100)
    task = ask(served, f"/api/tasks/{failed}")
    assert (task["state"], task["attempt"]) == ("failed", 4)
    assert "none.csv" in task["error"]


def test_celery(served: Served, shop: Path, store: str) -> None:
    # Given the recipe, with less patience, and a worker of Celery
    (shop / "shop.py").write_text(recipe("celery").replace("countdown=10", "countdown=0.1"))
    broker = store.replace("unix://", "redis+socket://", 1)
    with subprocess.Popen(
        [sys.executable, "-m", "celery", "--quiet", "--app", "shop", "worker", "--concurrency", "1"],
        cwd=shop,
        # It warns whoever is root, and warnings are errors here.
        env={**served.environment, "CELERY_BROKER_URL": broker, "PYTHONWARNINGS": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as worker:
        try:
            # When it has one job that can be done, and one that cannot
            with Celery(broker=broker) as app:
                done, failed = (
                    app.send_task("shop.import_customers", [path]).id
                    for path in ("customers.csv", "none.csv")
                )
            wait_for(served, done)
            wait_for(served, failed)

            # Then one succeeds and one fails, after the attempts that the recipe allows
            task = over(served, done)
            assert (task["state"], task["attempt"], task["progress"]["percent"]) == ("succeeded", 1, 100)
            task = over(served, failed)
            assert (task["state"], task["attempt"]) == ("failed", 4)
            assert "none.csv" in task["error"]
        finally:
            worker.terminate()


def wait_for(served: Served, task: str) -> None:
    """Until the queue's worker has said that there is such a task."""
    deadline = time.monotonic() + 60
    while "id" not in ask(served, f"/api/tasks/{task}"):
        assert time.monotonic() < deadline, f"no worker took {task}"
        time.sleep(0.05)
