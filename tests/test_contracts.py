"""A sixth dialect in one file, as the guide has it: `headway.contracts` is all that it needs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import socketio  # type: ignore[import-untyped]
import urllib3
from websockets.asyncio.client import connect

from headway import contracts
from headway.model.grant import Ability
from headway.server.tokens import Tokens
from tests.docs.texts import ROOT, snippets
from tests.python_client import PythonClient
from tests.servers import PATIENCE, SECRET
from tests.transports.contracts.clients import Raw, Speaker

GUIDE = ROOT / "docs/how-to/write-a-dialect.md"
FILES = {one.note.removeprefix("file: "): one.code for one in snippets(GUIDE, "python")}
TOKEN = Tokens(SECRET).make("ada", can=(Ability.READ, Ability.PUBLISH))
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}


@contextmanager
def running(name: str, folder: Path) -> Iterator[str]:
    """The application of a file, under plain uvicorn; its address."""
    (folder / name).write_text(FILES[name])
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "--port", "0", f"{Path(name).stem}:app"],
        cwd=folder,
        env={**os.environ, "HEADWAY_SECRET": SECRET, "HEADWAY_DATA": str(folder / "data")},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines = []
    try:
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r"running on (http://\S+)", line):
                yield found[1]
                break
        else:
            raise AssertionError("".join(lines))
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def report(headway: str, *reports: dict[str, object]) -> None:
    answer = urllib3.request(
        "POST", f"{headway}/api/ingest", json={"reports": list(reports)}, headers=AUTHORISED
    )
    assert answer.json()["rejected"] == []


def events(url: str, count: int) -> Iterator[Any]:
    """The data of the first events of a stream."""
    answer = urllib3.request(
        "GET", url, headers=AUTHORISED, preload_content=False, timeout=PATIENCE, retries=False
    )
    lines = (line for line in answer if line.startswith(b"data: "))
    yield from (json.loads(line.removeprefix(b"data: ")) for line in islice(lines, count))
    answer.close()


class Bars(Raw):
    """A client of the guide's own language."""

    async def _listen(self) -> None:
        async for text in self.socket:
            message = json.loads(text)
            self.note(message["event"], message)


@pytest.mark.slow
async def test_a_raw_websocket_and_a_call(tmp_path: Path) -> None:
    with running("bars.py", tmp_path) as url:
        report(f"{url}/headway", {"type": "create", "task": "one", "title": "One", "total": 4, "start": True})
        async with connect(f"ws{url.removeprefix('http')}/bars?token={TOKEN}") as socket:
            client = Bars(socket)
            assert (await client.until("bar"))["percent"] == 0
            report(f"{url}/headway", {"type": "progress", "task": "one", "done": 1})
            assert (await client.several("bar", 2))["percent"] == 25
            counted = urllib3.request("GET", f"{url}/bars/count", headers=AUTHORISED)
            assert counted.json() == {"bars": 1}
            assert list(events(f"{url}/bars/events", 1)) == [
                {"id": "one", "title": "One", "percent": 25.0, "state": "running"}
            ]
            report(f"{url}/headway", {"type": "succeed", "task": "one"})
            last = await client.several("bar", 3)
            assert (last["percent"], last["state"]) == (100, "succeeded")
        async with connect(f"ws{url.removeprefix('http')}/bars?token=x") as socket:
            stranger = Bars(socket)
            assert (await stranger.until("wrong"))["message"] == "The token is not valid here"
            assert await stranger.until("closed") == 1008
        unknown = urllib3.request("GET", f"{url}/bars/count")
        assert (unknown.status, list(unknown.json())) == (401, ["wrong"])


@pytest.mark.slow
async def test_socketio(tmp_path: Path) -> None:
    with running("bars_io.py", tmp_path) as url:
        report(url, {"type": "create", "task": "one", "title": "One", "total": 4, "start": True})
        speaker = Speaker()
        await speaker.client.connect(url, auth={"token": TOKEN})
        assert await speaker.until("hello") == {"user": "ada"}
        await speaker.say("watch", "one")
        assert await speaker.until("bar") == {"id": "one", "percent": 0}
        report(url, {"type": "progress", "task": "one", "done": 1})
        assert await speaker.several("bar", 2) == {"id": "one", "percent": 25}
        await speaker.say("watch", "none")
        await speaker.say("sing")
        await speaker.several("error", 2)
        await speaker.client.disconnect()
    with pytest.raises(socketio.exceptions.ConnectionError):
        await PythonClient(reconnection=False).connect(url)


def test_the_guide_takes_all_from_one_place() -> None:
    for code in FILES.values():
        homes = set(re.findall(r"^from (headway[\w.]*) import", code, re.MULTILINE))
        assert homes <= {"headway", "headway.contracts", "headway.errors"}
    assert sorted(contracts.__all__) == sorted(set(contracts.__all__))
