"""The lines that each contract's clients are written with, without a token where they never had one, at the examples as they start."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
import urllib3
import websockets

from tests.conformance.stock import installed, node
from tests.examples.running import ROOT, Running, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

DEDUP = """
const socket = io('http://localhost:5000');
socket.on('connect', () => socket.emit('join_task', { task_id: 1 }));
socket.on('task_progress', d => console.log(d.progress_percentage));
"""
STUDIO = """
const socket = io('http://localhost:7000', { transports: ['websocket', 'polling'] });
let list = [];
socket.on('active_tasks', ({ tasks }) => { list = tasks; console.log('active', list.length); });
socket.on('active_tasks', () => socket.emit('task_created',
  { id: 1, formData: { prompt: 'a red fox', resolution: '256' }, mode: 'text', startTime: Date.now() }));
socket.on('task_created', (task) => console.log('created', task.id, typeof task.serverTaskId));
socket.on('task_progress', ({ id, progress }) => console.log('progress', id, progress));
socket.on('task_completed', ({ id, result }) => console.log('completed', id, result.images.length));
socket.on('task_failed', ({ id, error }) => console.log('failed', id, error));
"""
VOICE = """
const socket = io('http://localhost:3000');
socket.on('connect', () => socket.emit('authenticate', { userId: 'demo-1', token: TOKEN }));
socket.on('authenticated', ({ success }) => { console.log('authenticated', success); socket.emit('subscribe:project', 'tales-of-demo-1'); });
socket.on('error', ({ message }) => console.log('error', message));
socket.on('parse:progress', ({ projectId, progress }) => console.log(projectId, progress.percentage));
socket.on('parse:complete', ({ projectId }) => console.log(projectId, 'complete'));
socket.on('audio:progress', ({ chapterId, progress }) => console.log(chapterId, progress.percentage, progress.currentStep));
socket.on('audio:complete', ({ chapterId, audioUrl, duration, fileSize }) => console.log(chapterId, 'complete'));
"""


class Page:
    """Lines of JavaScript that run in Node with the stock client, and what they print."""

    def __init__(self, app: Running, lines: str, token: str = "") -> None:
        port = urlsplit(app.url).port
        own = next(word for word in lines.split("'") if word.startswith("http://localhost:"))
        # The port of a test is its own; the rest is as it stands.
        lines = lines.replace(own, f"http://localhost:{port}")
        script = f"import {{ io }} from 'socket.io-client';\nconst TOKEN = {json.dumps(token)};\n{lines}"
        self.process = subprocess.Popen(
            [node(), "--input-type=module", "--eval", script],
            cwd=installed(),
            stdout=subprocess.PIPE,
            text=True,
        )

    def until(self, *ends: str) -> list[str]:
        """What it prints up to one of these lines."""
        assert self.process.stdout is not None
        printed: list[str] = []
        while not printed or printed[-1] not in ends:
            line = self.process.stdout.readline()
            assert line, f"it ended after {printed}"
            printed.append(line.strip())
        return printed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def test_dedup(tmp_path: Path) -> None:
    with running("dedup", tmp_path) as app:
        made = app.ask("POST", "/api/dedup/tasks/", json={}).body["data"]
        assert made["id"] == 1
        with Page(app, DEDUP) as page:
            assert app.ask("POST", "/api/dedup/tasks/1/start").status == 200
            shown = [float(line) for line in page.until("100")]
        # On a slow machine one may stand for the one before it; there are none between them.
        assert shown == sorted(shown)
        assert set(shown) <= {round(group / 18 * 100, 2) for group in range(19)}
        # What has no token may only look on.
        assert app.ask("GET", "/api/dedup/tasks/1", "").body["error_code"] == "NO_TOKEN"


def test_studio(tmp_path: Path) -> None:
    with running("studio", tmp_path) as app, Page(app, STUDIO) as page:
        printed = page.until("completed 1 1", "failed 1 The task failed")
    assert printed[:2] == ["active 0", "created 1 string"]
    assert printed[-1] == "completed 1 1"
    shown = [float(line.split()[2]) for line in printed[2:-1]]
    assert shown == sorted(shown)
    assert {line.split()[0] for line in printed[2:-1]} == {"progress"}


def test_voice(tmp_path: Path) -> None:
    with running("voice", tmp_path) as app, Page(app, VOICE, app.tokens[0]) as page:
        assert page.until("authenticated true") == ["authenticated true"]
        app.ask("POST", "/api/projects/tales-of-demo-1/parse", json={"useAI": False})
        parsed = page.until("tales-of-demo-1 complete")
        app.ask("POST", "/api/tts/chapters/tales-of-demo-1.4/generate")
        spoken = page.until("tales-of-demo-1.4 complete")
    for printed in (parsed, spoken):
        shown = [int(line.split()[1]) for line in printed[:-1]]
        assert shown == sorted(shown)
        assert {10, 30, 90, 100} <= set(shown)
    stages = {line.partition(" ")[2] for line in spoken}
    assert {"10 started", "30 synthesising", "90 stored", "100 stored"} <= stages


async def test_user_tasks(tmp_path: Path) -> None:
    with running("drawings", tmp_path) as app:
        url = f"ws://localhost:{urlsplit(app.url).port}/api/v1/ws/tasks/1?token={app.tokens[0]}"
        async with websockets.connect(url) as socket:
            assert await types(socket, 2) == ["connection_established", "user_tasks"]
            for said, expected in (
                ('{"type": "ping", "timestamp": 1700000000000}', "pong"),
                ('{"type": "get_user_tasks"}', "user_tasks"),
                ('{"type": "load_history_tasks"}', "user_tasks"),
                ('{"type": "clear_tasks"}', "tasks_cleared"),
                ("no JSON", "error"),
            ):
                await socket.send(said)
                assert await types(socket, 1) == [expected]
            content = (ROOT / "examples/drawings/sample.svg").read_bytes()
            fields = {"file": ("plan.svg", content)}
            await asyncio.to_thread(app.ask, "POST", "/api/v1/drawings", fields=fields)
            data: dict[str, Any] = {}
            async with asyncio.timeout(60):
                while data.get("status") not in {"success", "failure"}:
                    data = json.loads(await socket.recv())["data"]
            assert (data["status"], data["user_id"], data["progress"]) == ("success", 1, 100)


async def test_notifications(tmp_path: Path) -> None:
    with running("analysis", tmp_path) as app:
        port, token = urlsplit(app.url).port, app.tokens[0]
        async with websockets.connect(f"ws://localhost:{port}/api/ws/notifications?token={token}") as inbox:
            assert await types(inbox, 1) == ["connected"]
            started = await asyncio.to_thread(app.ask, "POST", "/api/analyses")
            task = started.body["data"]["task_id"]
            url = f"ws://localhost:{port}/api/ws/tasks/{task}?token={token}"
            async with websockets.connect(url) as socket:
                said = [json.loads(text)["type"] async for text in socket]
            assert (said[0], said[-1], set(said[1:-1])) == ("connected", "completed", {"progress"})
            assert socket.close_code == 1000
            assert await types(inbox, 1) == ["notification"]
        stream = await asyncio.to_thread(
            urllib3.request, "GET", f"http://localhost:{port}/api/stream/tasks/{task}?token={token}"
        )
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert b"event: completed\n" in stream.data


async def types(socket: websockets.ClientConnection, count: int) -> list[str]:
    """The types of the next messages."""
    async with asyncio.timeout(60):
        return [json.loads(await socket.recv())["type"] for _ in range(count)]


async def test_the_settings_that_a_contract_names(tmp_path: Path) -> None:
    variables = {"WS_HEARTBEAT_INTERVAL": "0.2", "WS_MAX_CONNECTIONS_PER_USER": "1"}
    with running("analysis", tmp_path, **variables) as app:
        url = f"ws{app.url.removeprefix('http')}/api/ws/notifications?token="
        async with websockets.connect(url + app.tokens[0]) as one:
            assert await types(one, 3) == ["connected", "heartbeat", "heartbeat"]
            async with websockets.connect(url + app.tokens[0]) as second:
                assert await types(second, 1) == ["error"]
                await second.wait_closed()
                assert second.close_code == 1008
            async with websockets.connect(url + app.tokens[1]) as another:
                assert await types(another, 1) == ["connected"]
