"""The page on webhooks: its receiver's lines verify what a server really sends, and its settings are settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headway.onward.backoff import Backoff
from headway.onward.signature import make_secret
from headway.server.settings import load_settings
from tests.docs.texts import ROOT, read, snippets
from tests.onward.receiver import Received, receiving
from tests.servers import serving

PAGE = ROOT / "docs/how-to/send-webhooks.md"


@pytest.fixture(scope="module")
def verify() -> Callable[[str, dict[str, str], bytes], None]:
    (snippet,) = (one for one in snippets(PAGE, "python") if one.note == "test: receiver")
    names: dict[str, Any] = {}
    exec(compile(snippet.code, str(PAGE), "exec"), names)
    found: Callable[[str, dict[str, str], bytes], None] = names["verify"]
    return found


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Received]:
    """What a server sent, and the secret."""
    secret = make_secret(b"d" * 32)
    with receiving() as receiver:
        webhooks = [{"name": "docs", "url": receiver.url, "secret": secret, "events": ["task.failed"]}]
        with serving(
            tmp_path_factory.mktemp("docs"), webhooks=webhooks, webhook_networks="127.0.0.1"
        ) as server:
            server.report(
                server.token(),
                {"type": "create", "task": "job", "title": "Import", "start": True},
                {"type": "fail", "task": "job", "error": "no"},
            )
            (got,) = receiver.until(1)
    return secret, got


@pytest.mark.slow
def test_what_arrives_is_verified_by_the_lines_of_the_page(
    verify: Any, received: tuple[str, Received]
) -> None:
    secret, got = received
    verify(secret, got.headers, got.body)
    assert got.json["data"]["error"] == "no"


@pytest.mark.slow
def test_what_was_changed_or_is_old_or_of_another_is_not(verify: Any, received: tuple[str, Received]) -> None:
    secret, got = received
    for wrong in (
        (make_secret(b"x" * 32), got.headers, got.body),
        (secret, got.headers, got.body.replace(b"failed", b"worked")),
        (secret, {**got.headers, "webhook-id": "msg_other"}, got.body),
        (secret, {**got.headers, "webhook-timestamp": "1"}, got.body),
    ):
        with pytest.raises(ValueError, match=r"too old|not signed"):
            verify(*wrong)


def test_the_settings_of_the_page_are_read(tmp_path: Path) -> None:
    for snippet in snippets(PAGE, "toml"):
        file = tmp_path / "headway.toml"
        file.write_text(snippet.code)
        settings = load_settings(file)
        assert settings.webhooks or settings.webhook_networks


def test_the_waits_are_those_of_the_code() -> None:
    began = 1_700_000_000_000
    at, waits = began, []
    for number in (1, 2, 3):
        after = Backoff().next_try(began, number, at, 0.0)
        assert after is not None
        waits.append((after - at) // 1000)
        at = after
    assert waits == [5, 15, 45]
    assert "after 5 seconds, 15, 45" in read("docs/how-to/send-webhooks.md")
