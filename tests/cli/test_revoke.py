"""`headway revoke`: a token or a user's tokens, on the server that runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.cli import main
from tests.servers import SECRET, serving

pytestmark = pytest.mark.slow


def test_tokens_are_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADWAY_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.delenv("HEADWAY_TOKEN", raising=False)
    with serving(tmp_path / "data", "fast") as server:
        monkeypatch.setenv("HEADWAY_URL", server.url)
        monkeypatch.setenv("HEADWAY_SECRET", SECRET)
        first, second, third = server.token("ada"), server.token("ada"), server.token("ada")
        named = server.tokens.make("bob", token_id="t-1")
        assert main(["revoke", first]) == 0
        assert main(["revoke", "t-1"]) == 0
        assert [server.request("GET", "/api/me", token).status for token in (first, second, named)] == [
            401,
            200,
            401,
        ]
        assert main(["revoke", "--user", "ada"]) == 0
        assert [server.request("GET", "/api/me", token).json()["code"] for token in (second, third)] == [
            404,
            404,
        ]
        assert server.request("GET", "/api/me", server.token("ada")).status == 200
    assert capsys.readouterr().out == ""
