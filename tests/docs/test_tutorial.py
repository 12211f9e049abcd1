"""The web application at the end of the tutorial, as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from tests.docs.conftest import Served
from tests.docs.texts import ROOT, snippets

SCRIPT = """
from app import app
answer = app.test_client().get("/")
assert answer.status_code == 200, answer.status
print(answer.text, flush=True)
input()
"""


@pytest.mark.slow
def test_the_flask_application_shows_a_job_to_whoever_is_logged_in(served: Served, tmp_path: Path) -> None:
    # Given the application of the page beside the folder of a server
    (code,) = (
        snippet.code
        for snippet in snippets(ROOT / "docs/tutorial.md", "python")
        if "import Flask" in snippet.code
    )
    (tmp_path / "app.py").write_text(code.replace("time.sleep(0.1)", "time.sleep(0)"))
    (tmp_path / ".headway").symlink_to(served.programs.data)

    # When its page is asked for
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env={**served.environment, "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        page = ""
        while "</headway-task>" not in page:
            line = process.stdout.readline()
            assert line, page
            page += line
        task, token = re.findall(r'task="([^"]+)" token="([^"]+)"', page)[0]

        # Then the page's token sees the job, and it is done
        headers = {"Authorization": f"Bearer {token}"}
        urllib3.request("GET", f"{served.url}/events?task={task}&until=done", headers=headers, timeout=30)
        shown = urllib3.request("GET", f"{served.url}/api/tasks/{task}", headers=headers).json()
        assert (shown["state"], shown["progress"]["done"]) == ("succeeded", 100)
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()
