"""Runs a few lines of Python in a process of their own, with nothing of this machine's settings in it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path


def environment(folder: Path, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADWAY_")}
    return kept | {"HEADWAY_RUNTIME_DIR": str(folder / "runtime")} | settings


def run(script: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        env=environment(folder, **settings),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
