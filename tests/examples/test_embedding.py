"""The examples with an application of one's own, inside and beside."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.worker.scripts import environment

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@contextmanager
def example(name: str, folder: Path, *arguments: str) -> Iterator[str]:
    """The address of an example that runs in a folder of its own."""
    command = (ROOT / "examples" / name / "README.md").read_text()
    assert f"python -m examples.{name}\n" in command
    with subprocess.Popen(
        [sys.executable, "-m", f"examples.{name}", *arguments],
        cwd=folder,
        env=environment(folder) | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.search(r"(?:running|listening) on (http://[\d.:]+)", line):
                    yield found[1]
                    break
            else:
                raise AssertionError("it did not start")
        finally:
            process.terminate()
            rest = process.stdout.read()
    assert "Traceback" not in rest, rest


def last_state(url: str, task: str, token: str) -> Any:
    """Follow a task to its end."""
    headers = {"Authorization": f"Bearer {token}"}
    stream = urllib3.request(
        "GET", f"{url}/headway/events?task={task}&until=done", headers=headers, timeout=30
    )
    assert stream.status == 200, stream.data
    return stream.data.decode()


def test_fastapi_app(tmp_path: Path) -> None:
    with example("fastapi_app", tmp_path, "0") as url:
        page = urllib3.request("GET", url).data.decode()
        token = re.findall(r'token="([^"]+)"', page)[0]
        assert urllib3.request("GET", f"{url}/headway/headway.js").status == 200
        task = urllib3.request("POST", f"{url}/thumbnails").json()["task"]
        assert '"state":"succeeded"' in last_state(url, task, token)
        inbox = urllib3.request("GET", f"{url}/headway/poll?channel=user:ada&token={token}").json()
        titles = [made["title"] for message in inbox["messages"] for made in message["notifications"]]
        assert titles in ([], ["Your thumbnails are ready"])


def test_flask_beside(tmp_path: Path) -> None:
    with example("flask_beside", tmp_path, "--port", "0") as url:
        assert "<headway-tasks" in urllib3.request("GET", url).data.decode()
        task = urllib3.request("POST", f"{url}/imports").json()["task"]
        made = subprocess.run(
            [sys.executable, "-m", "headway", "token", "--user", "ada", "--data", ".headway-flask"],
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=True,
        )
        assert '"state":"succeeded"' in last_state(url, task, made.stdout.strip())
