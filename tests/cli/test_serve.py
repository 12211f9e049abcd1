"""`headway serve`: what it prints, the note it leaves, and how it ends."""

from __future__ import annotations

import json
import re
import signal
import stat

import pytest
import urllib3

from headway.cli.flags import _GROUPS
from headway.server.settings import Settings
from tests.cli.programs import Programs

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_says_where_it_is_and_drains(programs: Programs, number: int) -> None:
    server = programs.serve()
    url = server.url
    assert len(server.lines) == 1
    assert server.until("Open ").startswith(f"Open {url}/login#")
    assert urllib3.request("GET", f"{url}/healthz").status == 200
    assert server.end(number) == 0
    assert "Traceback" not in server.errors.read_text()


def test_leaves_a_private_note_and_takes_it_away(programs: Programs) -> None:
    server = programs.serve()
    url = server.url
    path = programs.runtime / "server.json"
    note = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (note["url"], note["pid"], note["data"]) == (url, server.process.pid, str(programs.data))
    me = urllib3.request("GET", f"{url}/api/me", headers={"Authorization": f"Bearer {note['token']}"})
    assert me.json()["user"] == "local"
    assert server.end(signal.SIGTERM) == 0
    assert not path.exists()


def test_a_server_that_ends_leaves_the_note_of_a_newer_one(programs: Programs) -> None:
    old = programs.serve()
    assert old.url
    new = programs.start("serve", "--data", programs.folder / "other", "--port", "0")
    url = new.url
    assert old.end(signal.SIGTERM) == 0
    assert json.loads((programs.runtime / "server.json").read_text())["url"] == url


def test_a_second_server_on_the_same_data_is_refused(programs: Programs) -> None:
    server = programs.serve()
    assert server.url
    second = programs.run("serve", "--data", programs.data, "--port", "0")
    assert second.returncode == 2
    assert second.stdout == ""
    assert second.stderr == (
        f"headway: Another Headway (process {server.process.pid}) already uses the folder {programs.data}; "
        "stop it, or name another folder with --data\n"
    )


def test_a_port_in_use_is_one_sentence(programs: Programs) -> None:
    url = programs.serve().url
    port = url.rpartition(":")[2]
    second = programs.run("serve", "--data", programs.folder / "other", "--port", port)
    assert second.returncode == 2
    assert second.stderr.startswith(f"headway: Cannot listen on 127.0.0.1:{port}")
    assert second.stderr.count("\n") == 1


def test_serves_without_a_note_when_none_can_be_left(programs: Programs) -> None:
    programs.runtime.write_text("a file where the folder should be")
    server = programs.serve()
    assert server.url
    assert server.end(signal.SIGTERM) == 0
    assert "jobs on this machine will not find this server" in server.errors.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "99999"], "port: Input should be less than or equal to 65535"),
        (["--port", "x"], "Invalid value for --port"),
        (["--host", "0.0.0.0"], "needs a secret of your own: set HEADWAY_SECRET"),
        (["--config", "nowhere.toml"], "There is no settings file nowhere.toml"),
        (["--secret", "not in the arguments"], "Unknown option: --secret"),
        (["--data", "/dev/null/x"], "The data folder /dev/null/x cannot be used"),
    ],
)
def test_a_wrong_setting_is_one_sentence(programs: Programs, arguments: list[str], said: str) -> None:
    ended = programs.run("serve", *arguments)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


def test_takes_variables_and_the_file(programs: Programs) -> None:
    (programs.folder / "headway.toml").write_text('host = "localhost"\nport = 1\n')
    server = programs.start("serve", "--port", "0", HEADWAY_PORT="2", HEADWAY_DATA=str(programs.data))
    assert server.url.startswith("http://127.0.0.1:")
    assert (programs.data / "headway.sqlite3").exists()


def test_each_setting_has_a_flag_under_a_heading_and_secrets_have_none(programs: Programs) -> None:
    text = programs.run("serve", "--help").stdout
    assert re.findall(r"^╭─ (.+?) ─", text, re.MULTILINE) == ["Settings file", *_GROUPS.values()]
    assert "[127.0.0.1,::1]" in text
    assert "[7200]" in text
    for name in Settings.model_fields:
        assert (f"--{name.replace('_', '-')} " in text) is (
            # What is or holds a secret: every user of a machine can read flags.
            name not in {"secret", "webhooks", "fallback_targets"}
        )
