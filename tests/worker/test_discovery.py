"""How a job finds the server of this machine."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from headway.errors import ConfigurationError
from headway.worker.discovery import (
    Runtime,
    Settings,
    Target,
    find,
    read_runtime,
    remove_runtime,
    runtime_dir,
    write_runtime,
)

URL = "http://127.0.0.1:8400"


def test_what_is_configured_goes_before_the_environment_and_that_before_the_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert find(Settings()) is None
    write_runtime(URL, "local", os.getpid(), "/data")
    assert find(Settings()) == Target(URL, "local", "runtime")
    monkeypatch.setenv("HEADWAY_URL", "https://env.example")
    monkeypatch.setenv("HEADWAY_TOKEN", "env")
    assert find(Settings()) == Target("https://env.example", "env", "environment")
    assert find(Settings(url="https://set.example", token="set")) == Target(
        "https://set.example", "set", "configured"
    )


def test_a_url_in_the_environment_must_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_URL", "127.0.0.1:8400")
    with pytest.raises(ConfigurationError):
        find(Settings())


def test_the_note_is_private_and_leaves_nothing_else_behind() -> None:
    path = write_runtime(URL, "local", 123, "/data")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert read_runtime() == Runtime(URL, "local", 123, "/data")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_note_that_others_can_read_is_not_believed(mode: int) -> None:
    write_runtime(URL, "local", os.getpid(), "/data").chmod(mode)
    assert read_runtime() is None


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a file away")
def test_a_note_of_another_user_is_not_believed() -> None:
    os.chown(write_runtime(URL, "local", os.getpid(), "/data"), 12345, 12345)
    assert read_runtime() is None


def test_a_note_that_is_a_link_or_nonsense_is_not_believed(tmp_path: Path) -> None:
    path = write_runtime(URL, "local", os.getpid(), "/data")
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    assert read_runtime() is None
    path.unlink()
    path.write_text("{")
    path.chmod(0o600)
    assert read_runtime() is None
    path.unlink()
    path.mkdir()
    assert read_runtime() is None


def test_a_server_that_died_is_not_sent_its_token() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    write_runtime(URL, "local", process.pid, "/data")
    assert read_runtime() is not None
    assert find(Settings()) is None


def test_only_its_own_server_takes_a_note_away() -> None:
    write_runtime(URL, "local", 123, "/data")
    assert not remove_runtime(124)
    assert remove_runtime(123)
    assert not remove_runtime(123)
    assert read_runtime() is None


def test_the_folder_follows_the_usual_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADWAY_RUNTIME_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert runtime_dir() == Path("/state/headway")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    assert runtime_dir() == Path("/home/ada/.local/state/headway")
