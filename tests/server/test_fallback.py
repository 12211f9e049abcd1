"""Fallbacks from outside: what nobody read is told elsewhere, also after a kill; addresses are shown nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headway.errors import ConfigurationError
from headway.model.grant import Ability
from headway.server.app import Headway
from headway.server.settings import load_settings
from tests.onward.receiver import receiving
from tests.server.test_rest import error_of
from tests.servers import SECRET, serving

pytestmark = pytest.mark.slow

WORD = "hidden-word"


def test_what_stayed_unread_is_told_also_after_a_kill(tmp_path: Path) -> None:
    with receiving() as receiver:
        settings: dict[str, Any] = {
            "fallback_targets": {"ada": [f"json://user:{WORD}@127.0.0.1:{receiver.port}/ada"]},
            "fallback_after": 2,
            "webhook_networks": "127.0.0.1",
            "log_level": "debug",
        }
        with serving(tmp_path, **settings) as server:
            token = server.token("ada")
            server.ask("POST", "/api/notifications", token, {"id": "seen", "title": "Seen"}, 201)
            server.ask("POST", "/api/notifications/seen/read", token)
            server.ask("POST", "/api/notifications", token, {"id": "unseen", "title": "Unseen"}, 201)
            server.kill()
            output = server.output
        assert receiver.got == []
        with serving(tmp_path, **settings) as server:
            root = server.token("root", Ability.ADMIN)
            (got,) = receiver.until(1)
            assert (got.path.rstrip("/"), got.json["message"]) == ("/ada", "Unseen")
            listed = server.ask("GET", "/api/fallbacks", root)["fallbacks"]
            assert listed == [{"user": "ada", "targets": ["json"], "after": 2.0, "settings": True}]
            error_of(server.request("PUT", "/api/fallbacks/ada", root, {"targets": ["json://x"]}), 403, 105)
            server.stop()
            output += server.output
        # One was read, and the other was told once.
        assert len(receiver.got) == 1
        assert WORD not in output


def test_administrators_set_and_forget_them(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"log_level": "debug", "webhook_networks": "127.0.0.1"}
    with receiving() as receiver, serving(tmp_path, **settings) as server:
        root = server.token("root", Ability.ADMIN)
        body = {"targets": [f"json://user:{WORD}@127.0.0.1:{receiver.port}/bob"], "after": 1}
        answer = server.ask("PUT", "/api/fallbacks/bob", root, body)
        assert answer == {"user": "bob", "targets": ["json"], "after": 1.0, "settings": False}
        server.ask("POST", "/api/notifications", server.token("bob"), {"title": "Ready"}, 201)
        receiver.until(1)
        assert WORD not in json.dumps(server.ask("GET", "/api/fallbacks", root))
        server.ask("DELETE", "/api/fallbacks/bob", root, status=204)
        error_of(server.request("DELETE", "/api/fallbacks/bob", root), 404, 104)
        bad: list[dict[str, Any]] = [{"targets": []}, {"targets": [WORD]}, {**body, "after": 0}]
        for wrong in bad:
            refused = error_of(server.request("PUT", "/api/fallbacks/bob", root, wrong), 400, 102)
            assert WORD not in refused["message"]
        error_of(server.request("PUT", "/api/fallbacks/b%20b", root, body), 400, 102)
        everything_else = server.token("eve", Ability.READ, Ability.CANCEL, Ability.PUBLISH, channels=["*"])
        for method in ("GET", "PUT", "DELETE"):
            path = "/api/fallbacks" + ("" if method == "GET" else "/bob")
            error_of(
                server.request(method, path, everything_else, body if method == "PUT" else None), 403, 105
            )
        assert WORD not in server.output


def test_a_target_of_the_settings_that_is_none_is_said_at_the_start(tmp_path: Path) -> None:
    settings = load_settings(None, secret=SECRET, data=tmp_path, fallback_targets={"ada": [WORD]})
    with pytest.raises(ConfigurationError, match="fallback_targets of ada") as refused:
        Headway(settings)
    assert WORD not in refused.value.message
