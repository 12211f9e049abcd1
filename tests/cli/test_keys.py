"""`headway keys`: worker keys of the server that runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from headway.cli import main
from headway.model.grant import Ability
from tests.cli.programs import Programs
from tests.servers import SECRET, serving

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADWAY_RUNTIME_DIR", str(tmp_path / "runtime"))
    for name in ("HEADWAY_DATA", "HEADWAY_URL", "HEADWAY_TOKEN", "HEADWAY_SECRET"):
        monkeypatch.delenv(name, raising=False)


def test_a_key_is_made_listed_and_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path / "data", "fast") as server:
        monkeypatch.setenv("HEADWAY_URL", server.url)
        monkeypatch.setenv("HEADWAY_SECRET", SECRET)
        assert main(["keys", "create", "import", "--channels", "project:7, user:*", "--ttl", "7d"]) == 0
        said = capsys.readouterr()
        key = said.out.removesuffix("\n")
        key_id = key[4:20]
        assert f"headway keys revoke {key_id}" in said.err
        assert server.request("POST", "/api/tasks", key, {"title": "x", "channel": "project:7"}).status == 201
        assert main(["keys", "list"]) == 0
        (line,) = capsys.readouterr().out.splitlines()
        assert line.startswith(f"{key_id}  import  project:7,user:*  publish  since ")
        assert key not in line
        assert main(["keys", "revoke", key_id]) == 0
        assert server.request("POST", "/api/tasks", key, {"title": "x", "channel": "project:7"}).status == 401
        assert main(["keys", "revoke", key_id]) == 1
        # A token that is no administrator's is told so.
        assert main(["keys", "list", "--token", server.token("ada")]) == 2
        assert "admin" in capsys.readouterr().err


def test_a_worker_reports_with_a_key(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "fast") as server:
        admin = server.tokens.make("root", can=(Ability.ADMIN,))
        made = server.ask("POST", "/api/keys", admin, {"name": "w", "channels": ["project:7"]})
        script = tmp_path / "job.py"
        script.write_text(
            "import headway\n"
            "for _ in headway.track(range(3), 'Three', channel='project:7'):\n    pass\n"
            "headway.flush(10)\n"
        )
        environment = Programs(tmp_path).environment | {
            "HEADWAY_URL": server.url,
            "HEADWAY_TOKEN": made["key"],
        }
        subprocess.run([sys.executable, script], env=environment, check=True, timeout=30)
        (task,) = server.ask("GET", "/api/tasks", admin)["tasks"]
        assert (task["title"], task["channel"], task["state"]) == ("Three", "project:7", "succeeded")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["keys"], "what"),
        (["keys", "steal"], "what"),
        (["keys", "create"], "headway keys create NAME"),
        (["keys", "list", "x"], "headway keys list"),
        (["keys", "create", "x", "--url", "http://127.0.0.1:9", "--token", "t"], "--channels"),
        (
            ["keys", "create", "x", "--channels", "*", "--url", "http://127.0.0.1:9", "--token", "t"],
            "No server",
        ),
        (["keys", "list", "--url", "http://127.0.0.1:9"], "administrator's token"),
        (["keys", "revoke", "a/../b", "--url", "http://127.0.0.1:9", "--token", "t"], "by its id"),
        (["revoke"], "headway revoke"),
        (["revoke", "x", "--user", "ada"], "headway revoke"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said.lower() in capsys.readouterr().err.lower()
