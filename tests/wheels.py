"""Builds the wheel and installs it into environments of their own, as somebody else would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "build", "install"]

ROOT = Path(__file__).parents[1]


def build(folder: Path) -> Path:
    """The wheel of this tree."""
    if uv := _uv():
        _run(uv, "build", "--wheel", "--quiet", "--out-dir", folder, ROOT)
    else:
        _run(
            _pip(folder / "builder"),
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--wheel-dir",
            folder,
            ROOT,
        )
    return next(folder.glob("headway-*.whl"))


def install(wheel: Path, folder: Path, extra: str = "") -> Path:
    """The Python of a fresh environment that has this wheel, and what it asks for, and nothing else."""
    wanted = f"headway[{extra}] @ {wheel.as_uri()}" if extra else wheel
    if uv := _uv():
        _run(uv, "venv", "--quiet", "--python", sys.executable, folder)
        python = folder / "bin/python"
        _run(uv, "pip", "install", "--quiet", "--python", python, wanted)
        return python
    python = _pip(folder)
    _run(python, "-m", "pip", "install", "--quiet", wanted)
    return python


def _uv() -> str | None:
    own = ROOT / ".tools/uv/bin/uv"
    return str(own) if own.is_file() else shutil.which("uv")


def _pip(folder: Path) -> Path:
    _run(sys.executable, "-m", "venv", folder)
    return folder / "bin/python"


def _run(*command: str | Path) -> None:
    ended = subprocess.run(
        [str(word) for word in command],
        env={name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, f"{' '.join(map(str, command))}\n{ended.stdout}{ended.stderr}"
