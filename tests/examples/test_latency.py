"""How long it takes from a worker's report to the client of each example: told, and not held to anything, since that is the
machine's as much as ours.

    pytest -s tests/examples/test_latency.py
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import websockets

from tests.examples.running import Running, running
from tests.python_client import PythonClient
from tests.worker.scripts import environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

REPORTS = 40
WORKER = """
import sys, time, headway
with headway.attach(sys.argv[1]) as task:
    for number in range(1, int(sys.argv[2]) + 1):
        # Its own clock goes along: both are on one machine.
        task.progress(number, message=repr(time.time()))
        time.sleep(0.1)
headway.flush(30)
"""


class Case(NamedTuple):
    """An example, and how its client is told."""

    example: str
    user: str
    path: str
    message: Callable[[str, Any], str | None]


CASES = (
    Case(
        "dedup",
        "demo-1",
        "",
        lambda name, data: data.get("message") if name == "task_progress" else None,
    ),
    Case(
        "studio",
        "demo-1",
        "",
        lambda name, data: data.get("message") if name == "task_progress" else None,
    ),
    Case(
        "voice",
        "demo-1",
        "",
        lambda name, data: data["progress"].get("message") if name == "audio:progress" else None,
    ),
    Case(
        "drawings",
        "1",
        "/api/v1/ws/tasks/1",
        lambda name, data: data["data"]["message"] if name == "task_update" else None,
    ),
    Case(
        "analysis",
        "demo-1",
        "/api/ws/tasks/{task}",
        lambda name, data: data["data"]["message"] if name == "progress" else None,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.example)
async def test_from_the_report_to_the_client(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(case.example, tmp_path) as app:
        token = made_token(app, case.user)
        body = {"title": "Latency", "kind": "audio", "total": REPORTS, "start": True}
        task = app.ask("POST", "/headway/api/tasks", token, json=body).body
        took: list[float] = []
        over = asyncio.Event()

        def hear(name: str, data: Any) -> None:
            said = case.message(name, data)
            if said and said.replace(".", "").isdigit():
                took.append(1000 * (time.time() - float(said)))
            if name in {"task_completed", "audio:complete", "completed"} or "success" in str(data):
                over.set()

        async with listening(case, app, task, hear):
            command = [sys.executable, "-c", WORKER, task["id"], str(REPORTS)]
            variables = {"HEADWAY_URL": f"{app.url}/headway", "HEADWAY_TOKEN": token}
            await asyncio.to_thread(
                subprocess.run, command, env=environment(tmp_path, **variables), check=True, timeout=60
            )
            async with asyncio.timeout(30):
                await over.wait()
    # The last one may come with the end, or with a report before it.
    assert len(took) >= REPORTS // 2
    took.sort()
    with capsys.disabled():
        print(
            f"\n{case.example}: {statistics.median(took):.1f} ms in the middle of {len(took)} reports, "
            f"{took[int(len(took) * 0.9)]:.1f} ms for 9 of 10, {took[-1]:.1f} ms at most"
        )


def made_token(app: Running, user: str) -> str:
    """One that may report, as the README says how to make one."""
    command = [sys.executable, "-m", "headway", "token", "--user", user, "--can", "read,cancel,publish"]
    made = subprocess.run(
        [*command, "--data", str(app.data)], capture_output=True, text=True, check=True, timeout=60
    )
    return made.stdout.split()[-1]


@asynccontextmanager
async def listening(
    case: Case, app: Running, task: dict[str, Any], hear: Callable[[str, Any], None]
) -> AsyncIterator[None]:
    """The contract's client."""
    token = app.tokens[0]
    if case.path:
        url = f"ws{app.url.removeprefix('http')}{case.path.format(task=task['id'])}?token={token}"
        async with websockets.connect(url) as socket:

            async def listen() -> None:
                async for text in socket:
                    data = json.loads(text)
                    hear(data["type"], data)

            # Greeted, and told how things stand.
            for _ in range(2):
                await socket.recv()
            listener = asyncio.create_task(listen())
            yield
            listener.cancel()
        return
    client = PythonClient()
    ready = asyncio.Event()

    async def catch(name: str, data: Any) -> None:
        if name in {"task_status", "active_tasks", "authenticated"}:
            ready.set()
        else:
            hear(name, data)

    client.on("*", catch)
    await client.connect(app.url, auth={"token": token}, transports=["websocket"])
    if case.example == "dedup":
        await client.emit("join_task", {"task_id": task["number"]})
    async with asyncio.timeout(30):
        await ready.wait()
    yield
    await client.disconnect()
