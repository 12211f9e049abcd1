"""`headway token`: a token on standard output, signed with the secret that the server uses."""

from __future__ import annotations

from pathlib import Path

import pytest
import urllib3

from headway.cli import main
from headway.cli.token import parse_ttl
from headway.errors import ConfigurationError
from headway.model.grant import Ability
from headway.server.tokens import Tokens, kept_secret
from headway.worker.discovery import write_runtime
from tests.cli.programs import Programs

SECRET = "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADWAY_RUNTIME_DIR", str(tmp_path / "runtime"))
    for name in ("HEADWAY_SECRET", "HEADWAY_DATA", "HEADWAY_URL", "HEADWAY_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["token", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out.removesuffix("\n")


def test_says_what_was_asked_for(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_SECRET", SECRET)
    text = printed(
        capsys, "--user", "ada", "--channels", "project:7, project:*", "--tasks", "t1", "--can", "read,publish",
        "--ttl", "never",
    )  # fmt: skip
    grant = Tokens(SECRET).verify(text)
    assert grant.user == "ada"
    assert grant.channels == ("project:7", "project:*")
    assert grant.tasks == ("t1",)
    assert grant.can == {Ability.READ, Ability.PUBLISH}
    assert grant.expires_at is None


def test_is_good_for_a_day_and_for_little_unless_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_SECRET", SECRET)
    grant = Tokens(SECRET).verify(printed(capsys, "--user", "ada"))
    assert grant.can == {Ability.READ, Ability.CANCEL}
    assert grant.channels == ()
    assert grant.expires_at is not None
    assert grant.issued_at is not None
    # Its end is a whole second.
    assert 86_399 <= grant.expires_at - grant.issued_at <= 86_400


def test_uses_the_secret_of_the_data_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    secret = kept_secret(tmp_path / "here")
    write_runtime("http://127.0.0.1:1", "x", 1, str(tmp_path / "running"))
    kept_secret(tmp_path / "running")
    assert Tokens(secret).verify(printed(capsys, "--user", "ada", "--data", "here")).user == "ada"


def test_else_that_of_the_running_server(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    secret = kept_secret(tmp_path / "running")
    write_runtime("http://127.0.0.1:1", "x", 1, str(tmp_path / "running"))
    assert Tokens(secret).verify(printed(capsys, "--user", "ada")).user == "ada"
    assert not (tmp_path / ".headway").exists()


def test_else_makes_the_one_that_a_server_will_find(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = printed(capsys, "--user", "ada")
    assert Tokens(kept_secret(tmp_path / ".headway")).verify(text).user == "ada"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--user requires an argument"),
        (["--user", "a b"], "--user 'a b' is no user's name"),
        (["--user", "ada", "--can", "fly"], "'fly' is no ability; there are read, cancel, publish, admin"),
        (["--user", "ada", "--channels", "nonsense"], "A channel pattern is"),
        (["--user", "ada", "--tasks", "a/b"], "A"),
        (["--user", "ada", "--ttl", "soon"], "--ttl 'soon' is no time"),
        (["--user", "ada", "--data", "/dev/null/x"], "cannot be used"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["token", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("headway: ")
    assert said in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45", 45), ("30s", 30), ("10m", 600), ("1h", 3600), ("7d", 604_800), (" 1H ", 3600), ("never", None)],
)
def test_reads_times(text: str, seconds: float | None) -> None:
    assert parse_ttl(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "-1h", "1.5h", "h", "1w", "٣h", "9999999d"])
def test_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_ttl(text)


@pytest.mark.slow
def test_a_running_server_takes_it(programs: Programs) -> None:
    url = programs.serve().url
    ended = programs.run("token", "--user", "ada", "--ttl", "1h")
    assert ended.returncode == 0
    answer = urllib3.request(
        "GET", f"{url}/api/me", headers={"Authorization": f"Bearer {ended.stdout.strip()}"}
    )
    assert answer.json()["user"] == "ada"
