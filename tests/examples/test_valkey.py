"""The place of the queues says what is wrong, and no password."""

from __future__ import annotations

from pathlib import Path

import pytest
from examples.demonstration.valkey import queue_store

from headway.errors import ConfigurationError


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("REDIS_URL", "redis://:hunter2@127.0.0.1:1", "REDIS_URL names no Redis that answers"),
        ("REDIS_URL", "hunter2", "REDIS_URL names no Redis that answers"),
        ("VALKEY_SERVER", "/nowhere/valkey-server", "see VALKEY_SERVER"),
    ],
)
def test_what_is_not_there_is_said(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=said) as raised, queue_store(tmp_path):
        pass
    assert "hunter2" not in raised.value.message
