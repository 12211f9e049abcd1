"""The public API as a type checker sees it: `make types` checks what is asserted here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import assert_type

import pytest

import headway
from headway.worker.track import AsyncTrack, Track


@headway.tracked("Double", kind="sum")
def double(number: int) -> int:
    return 2 * number


@headway.tracked()
async def fetch(name: str, *, deep: bool = False) -> bytes:
    return name.encode() * (2 if deep else 1)


async def names() -> AsyncIterator[str]:
    yield "cat.png"


# These are read by the checker, not run.
def loops(rows: list[int], lines: Iterator[str]) -> None:
    assert_type(headway.track(rows), Track[int])
    for row in headway.track(rows, "Rows", kind="import", tags=("nightly",), weight=2):
        assert_type(row, int)
    assert_type(list(headway.track(lines, total=3, unit="lines")), list[str])


async def asynchronous_loops() -> None:
    assert_type(headway.track(names(), "Names"), AsyncTrack[str])
    async for name in headway.track(names(), total=1):
        assert_type(name, str)


def tasks() -> None:
    with headway.task("Import", total=10, steps=["Read", ("Write", 3)], meta={"a": 1}) as task:
        assert_type(task, headway.TaskHandle)
        assert_type(task.id, str)
        assert_type(task.advance(), None)
        assert_type(task.progress(1, 2.5, "half"), None)
        assert_type(task.percent(50, "half"), None)
        assert_type(task.step("Write", weight=2, total=5), None)
        assert_type(task.log("text", "warning"), None)
        assert_type(task.result({"url": "/"}), None)
        assert_type(task.cancelled, bool)
        assert_type(task.paused, bool)
        with headway.task("Part", parent=task) as part:
            assert_type(part, headway.TaskHandle)
    made = headway.create("Later")
    assert_type(made, str)
    with headway.attach(made, attempt=2) as task:
        assert_type(task, headway.TaskHandle)


async def asynchronous_tasks() -> None:
    async with headway.task("Import") as task:
        assert_type(task, headway.TaskHandle)
        assert_type(await task.acheck(), None)


def ambient() -> None:
    assert_type(headway.current(), headway.TaskHandle | None)
    assert_type(headway.progress(1, 2, "cat.png"), None)
    assert_type(headway.step("Resize", weight=3), None)
    assert_type(headway.log("text"), None)
    assert_type(headway.notify("ada", "Ready", severity="success", link="/report"), str)


def process() -> None:
    assert_type(headway.configure(url="http://127.0.0.1:8400", token="t"), None)
    assert_type(headway.flush(timeout=1.0), bool)
    assert_type(headway.stats(), headway.Stats)
    assert_type(headway.__version__, str)


async def decorated() -> None:
    assert_type(double(2), int)
    assert_type(await fetch("a", deep=True), bytes)


@pytest.mark.slow
def test_what_is_wrong_is_said_to_its_author(tmp_path: Path) -> None:
    """As in a project that has installed Headway: its types have to reach the checker there."""
    wrong = {
        "for row in headway.track([1]): row.upper()": '"int" has no attribute "upper"',
        "headway.task()": "Missing positional argument",
        "headway.task('Import', totl=1)": 'Unexpected keyword argument "totl"',
        "headway.progress('half')": "incompatible type",
        "headway.nothing": 'has no attribute "nothing"',
    }
    (tmp_path / "job.py").write_text("\n".join(["import headway", "headway.track([1])", *wrong]))
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "job.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in checked.stdout.splitlines() if line.startswith("job.py")]
    errors = [line for line in lines if ": error: " in line]
    assert len(errors) == len(wrong), checked.stdout
    for number, (error, complaint) in enumerate(zip(errors, wrong.values(), strict=True), start=3):
        assert error.startswith(f"job.py:{number}: ")
        assert complaint in error
