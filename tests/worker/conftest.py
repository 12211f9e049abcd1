"""A courier that hears what was sent, and a process that forgets its tasks between tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import headway
from headway.worker import ambient, delivery
from headway.worker.discovery import Settings
from tests.worker.far_end import FarEnd


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A process that has reported nothing yet, and finds no server that somebody left on this machine."""
    monkeypatch.setenv("HEADWAY_RUNTIME_DIR", str(tmp_path / "runtime"))
    for name in ("HEADWAY_URL", "HEADWAY_TOKEN", "HEADWAY_SPOOL"):
        monkeypatch.delenv(name, raising=False)
    delivery._process = delivery._Process(Settings())
    ambient._current.set(None)
    yield
    delivery._process.settings.enabled = False
    delivery._process.given = None
    delivery._process.courier.hurry()


@pytest.fixture
def far() -> Iterator[FarEnd]:
    """A server that this process is configured to use."""
    end = FarEnd().start()
    headway.configure(url=end.url, token="secret")
    yield end
    end.stop()
