"""The vectors of the wire, from outside: a client that was written from `spec/wire.md` alone satisfies them, and an
implementation that is changed does not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
CASES: list[dict[str, Any]] = json.loads((ROOT / "spec/vectors/view.json").read_text(encoding="utf-8"))


class View:
    """What a client keeps for a subscription (`spec/wire.md` §1 and §4): records by id and the newest cursor."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.tasks: dict[str, dict[str, Any]] = {}
        self.notifications: dict[str, dict[str, Any]] = {}

    def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "snapshot":
            if message["reset"]:
                self.tasks.clear()
                self.notifications.clear()
            for task in message["tasks"]:
                _put(self.tasks, task)
            for notification in message["notifications"]:
                _put(self.notifications, notification)
            for gone in message["removed"]:
                self._remove(gone)
        elif message["type"] != "change":
            return
        elif "removed" in message:
            self._remove(message["removed"])
        elif ("task" in message and not _put(self.tasks, message["task"])) or (
            "notification" in message and not _put(self.notifications, message["notification"])
        ):
            return
        self.cursor = message["cursor"]

    def _remove(self, gone: str) -> None:
        self.tasks.pop(gone, None)
        self.notifications.pop(gone, None)

    def revisions(self) -> dict[str, Any]:
        return {
            "cursor": self.cursor,
            "tasks": {name: task["rev"] for name, task in self.tasks.items()},
            "notifications": {name: one["rev"] for name, one in self.notifications.items()},
        }


def _put(held: dict[str, dict[str, Any]], record: dict[str, Any]) -> bool:
    if record["id"] in held and held[record["id"]]["rev"] >= record["rev"]:
        return False
    held[record["id"]] = record
    return True


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_a_client_written_from_the_text_sees_the_same(case: dict[str, Any]) -> None:
    view = View()
    for message in case["messages"]:
        view.take(message)
    assert view.revisions() == case["expect"]


def test_the_vectors_tell_a_client_that_ignores_revisions(monkeypatch: pytest.MonkeyPatch) -> None:
    def put(held: dict[str, dict[str, Any]], record: dict[str, Any]) -> bool:
        held[record["id"]] = record
        return True

    monkeypatch.setattr(f"{__name__}._put", put)
    wrong = 0
    for case in CASES:
        view = View()
        for message in case["messages"]:
            view.take(message)
        wrong += view.revisions() != case["expect"]
    assert wrong >= 3


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package, its vectors and their test, to break."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copytree(ROOT / "spec", tmp_path / "spec")
    (tmp_path / "tests/wire").mkdir(parents=True)
    shutil.copy(ROOT / "tests/wire/test_native.py", tmp_path / "tests/wire")
    return tmp_path


def plant(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{before!r} is not once in {path.name}: plant something else"
    path.write_text(text.replace(before, after), encoding="utf-8")


def run_python(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", folder, "tests"],
        env={**os.environ, "PYTHONPATH": str(folder / "src")},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_python_passes_its_vectors_in_a_copy(copy: Path) -> None:
    tested = run_python(copy)
    assert tested.returncode == 0, tested.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        ('"code": err.code,\n        "message": err.message,', '"message": err.message,\n        "code": err.code,', "error"),
        ('"can": sorted(can)', '"can": list(can)', "welcome"),
    ],
)  # fmt: skip
def test_a_changed_codec_fails_them_in_python(copy: Path, before: str, after: str, seen: str) -> None:
    plant(copy / "src/headway/wire/server_messages.py", before, after)
    tested = run_python(copy)
    assert tested.returncode == 1, tested.stdout
    failed = [line for line in tested.stdout.splitlines() if line.startswith("FAILED")]
    assert failed
    assert all("test_server_message" in line and seen in line for line in failed), failed


@pytest.mark.slow
def test_a_changed_client_fails_them_in_typescript(tmp_path: Path) -> None:
    modules = ROOT / "web/node_modules"
    if not modules.is_dir():
        pytest.fail("The web tools are not installed: run scripts/setup npm")
    web = tmp_path / "web"
    shutil.copytree(ROOT / "web", web, ignore=shutil.ignore_patterns("node_modules"))
    shutil.copytree(ROOT / "spec", tmp_path / "spec")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/npm", tmp_path / "scripts")
    (web / "node_modules").symlink_to(modules)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    plant(web / "src/client/records.ts", "before.rev >= record.rev", "before.rev > record.rev + 1_000_000")
    tested = subprocess.run(
        [
            tmp_path / "scripts/npm",
            "test",
            "--silent",
            "--",
            "--reporter=json",
            "test/client/records.test.ts",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 1, tested.stderr
    results = json.loads(tested.stdout)["testResults"][0]["assertionResults"]
    failed = {result["title"] for result in results if result["status"] == "failed"}
    passed = {result["title"] for result in results if result["status"] == "passed"}
    assert "'an older notification is ignored'" in failed
    # Those that pass say that it was the change and nothing else.
    assert "'a removed task is gone'" in passed
    assert len(passed) + len(failed) > len(CASES)
