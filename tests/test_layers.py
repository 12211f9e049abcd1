"""Who may import whom: the tree keeps to it, and the check would see if it did not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources and their contracts, to break."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    # The path comes first, so that the copy is looked at and not what is installed.
    start = f"import sys; sys.path.insert(0, {str(folder / 'src')!r}); from importlinter.cli import lint_imports_command as main; main()"
    return subprocess.run(
        [sys.executable, "-c", start, "--no-cache", "--no-logo"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_tree_keeps_its_layers(copy: Path) -> None:
    linted = lint(copy)
    assert linted.returncode == 0, linted.stdout
    assert " 0 broken" in linted.stdout


@pytest.mark.parametrize(
    ("module", "planted", "contract"),
    [
        ("hub/access.py", "import headway.server.app", "Rooms import only what is below them"),
        ("transports/service.py", "import headway.stores.memory", "Rooms import only what is below them"),
        ("model/task.py", "import time", "Pure rooms touch no clock"),
        ("wire/session.py", "import asyncio", "Pure rooms touch no clock"),
        ("worker/track.py", "import rich", "The worker needs no server parts"),
    ],
)
def test_a_forbidden_import_is_seen(copy: Path, module: str, planted: str, contract: str) -> None:
    path = copy / "src/headway" / module
    path.write_text(path.read_text() + f"\n{planted}\n")
    linted = lint(copy)
    assert linted.returncode == 1, linted.stdout
    broken = [line for line in linted.stdout.splitlines() if line.endswith("BROKEN")]
    assert len(broken) == 1
    assert broken[0].startswith(contract)
    assert "headway." + module.removesuffix(".py").replace("/", ".") in linted.stdout
