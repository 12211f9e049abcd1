"""What the settings say of webhooks, when it is wrong: at the start, in words, and never with a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headway.errors import ConfigurationError
from headway.onward.signature import make_secret
from headway.server.app import Headway
from headway.server.settings import load_settings
from tests.servers import SECRET

HIDDEN = make_secret(b"h" * 32)
GOOD: dict[str, Any] = {"name": "tickets", "url": "https://example.com/hook", "secret": HIDDEN}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"url": "ftp://example.com"}, "The webhook tickets is not right: A URL begins with https"),
        ({"secret": "short-hidden"}, "The webhook tickets is not right: A secret is"),
        ({"events": ["task.started"]}, "Events are task.succeeded"),
        ({"channels": ["everything"]}, "A channel pattern is"),
        ({"name": "Tickets"}, "webhooks.0.name"),
        ({"url": None}, "webhooks.0.url"),
        ({"colour": "red"}, "webhooks.0.colour"),
    ],
)
def test_a_webhook_that_is_wrong_is_said_in_words(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Headway(load_settings(None, secret=SECRET, data=tmp_path, webhooks=[{**GOOD, **changed}]))
    assert said in refused.value.message
    assert HIDDEN not in refused.value.message
    assert "hidden" not in refused.value.message


def test_two_of_one_name_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="same name"):
        Headway(load_settings(None, secret=SECRET, data=tmp_path, webhooks=[GOOD, GOOD]))


def test_networks_may_be_one_word_and_must_be_networks(tmp_path: Path) -> None:
    settings = load_settings(None, secret=SECRET, webhook_networks="10.0.0.0/8, 127.0.0.1")
    assert settings.webhook_networks == ("10.0.0.0/8", "127.0.0.1")
    with pytest.raises(ConfigurationError, match="webhook_networks"):
        load_settings(None, secret=SECRET, webhook_networks="intranet")
