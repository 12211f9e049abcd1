"""The examples do what they say: each Python snippet runs by itself, and the shell snippets of a page run in order."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.conftest import Served
from tests.docs.texts import PAGES, Snippet, name, snippets

PYTHON = [snippet for page in PAGES for snippet in snippets(page, "python")]
SHELL = [page for page in PAGES if any(snippet.runs for snippet in snippets(page, "sh"))]


def _where(snippet: Snippet) -> str:
    return f"{name(snippet.page)}:{snippet.line}"


@pytest.mark.slow
@pytest.mark.parametrize("snippet", [s for s in PYTHON if s.runs], ids=_where)
def test_python_runs_without_a_complaint(snippet: Snippet, served: Served, tmp_path: Path) -> None:
    # Given an environment that knows a server, and no other
    script = tmp_path / "snippet.py"
    script.write_text(snippet.code)

    # When the snippet is run as a script
    ran = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env=served.environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    # Then it ends well, and the worker had nothing to warn about
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("snippet", PYTHON, ids=_where)
def test_python_is_python(snippet: Snippet) -> None:
    compile(snippet.code, _where(snippet), "exec")


@pytest.mark.slow
@pytest.mark.parametrize("page", SHELL, ids=name)
def test_the_shell_session_of_a_page_runs(page: Path, served: Served, tmp_path: Path) -> None:
    assert shutil.which("curl"), "these examples need curl"
    script = "\n".join(snippet.code for snippet in snippets(page, "sh") if snippet.runs)

    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=served.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout


def test_what_is_not_run_says_why() -> None:
    for page in PAGES:
        for snippet in snippets(page, "python", "sh"):
            if not snippet.runs:
                assert len(snippet.note.removeprefix("not run: ")) > 10, _where(snippet)


def test_every_block_says_its_language() -> None:
    for page in PAGES:
        opening = re.findall(r"^```(.*)$", page.read_text(), re.MULTILINE)[::2]
        assert all(opening), name(page)
