"""`headway doctor`: what is right, what is not, and nothing that is secret."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest

from headway.cli import main
from headway.cli.checks.network import Answer, check_clock
from headway.server.app import DATABASE
from headway.server.tokens import Tokens, kept_secret
from headway.worker.discovery import write_runtime
from tests.cli.programs import Programs

SECRET = "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADWAY_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("HEADWAY_PORT", "0")
    for name in ("HEADWAY_SECRET", "HEADWAY_DATA", "HEADWAY_URL", "HEADWAY_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def looked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, str]]:
    """The exit code, and each check's verdict and text by name."""
    code = main(["doctor", *arguments])
    lines = capsys.readouterr().out.splitlines()
    findings = {}
    for line in lines:
        verdict, rest = line.split(maxsplit=1)
        name, _, text = rest.partition(":")
        findings[name] = f"{verdict} {text.strip()}"
    return code, findings


def test_all_is_well_where_nothing_is_yet(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, findings = looked(capsys)
    assert code == 0
    assert list(findings) == [
        "settings", "data folder", "store", "port", "clock", "tokens", "runtime file", "web pages", "descriptors",
    ]  # fmt: skip
    del findings["web pages"], findings["descriptors"]
    assert all(text.startswith("ok ") for text in findings.values()), findings
    assert list(tmp_path.iterdir()) == []


def test_wrong_settings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_HEARTBEAT", "0")
    code, findings = looked(capsys)
    assert code == 1
    assert findings["settings"].startswith("fail The settings are not right: heartbeat")


def test_a_data_folder_that_cannot_be(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for data in ("file", "file/below"):
        code, findings = looked(capsys, "--data", data)
        assert code == 1
        assert findings["data folder"].startswith("fail ")
        assert "--data" in findings["data folder"]


def test_a_database_that_is_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_text("this is no database, but it is long enough to look at" * 100)
    code, findings = looked(capsys, "--data", ".")
    assert code == 1
    assert "cannot be read" in findings["store"]


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["CREATE TABLE t (x)"], "fail"),
        (
            ["CREATE TABLE headway_version (version_num)", "INSERT INTO headway_version VALUES ('9999')"],
            "newer Headway",
        ),
        (
            ["CREATE TABLE headway_version (version_num)", "INSERT INTO headway_version VALUES ('0000')"],
            "the next start",
        ),
    ],
)
def test_a_database_of_another_time(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, statements: list[str], said: str
) -> None:
    database = sqlite3.connect(tmp_path / DATABASE)
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()
    assert said in looked(capsys, "--data", ".")[1]["store"]


def test_a_port_that_somebody_else_has(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        code, findings = looked(capsys, "--port", str(other.getsockname()[1]))
    assert code == 1
    assert "choose another with --port" in findings["port"]


def test_a_token_is_never_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_SECRET", SECRET)
    for ttl, said in (
        (None, "ok HEADWAY_TOKEN: good for ada, and does not expire"),
        (600, "warn HEADWAY_TOKEN: good for ada until"),
        (86_400, "ok HEADWAY_TOKEN: good for ada until"),
        (-5, "fail HEADWAY_TOKEN: it has expired"),
    ):
        token = Tokens(SECRET).make("ada", ttl=ttl)
        monkeypatch.setenv("HEADWAY_TOKEN", token)
        code = main(["doctor"])
        text = capsys.readouterr().out
        assert said in " ".join(text.split())
        assert token not in text
        assert SECRET not in text
        assert code == (1 if said.startswith("fail") else 0)


def test_a_token_of_elsewhere(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_TOKEN", Tokens(SECRET).make("ada"))
    code, findings = looked(capsys)
    assert (code, findings["HEADWAY_TOKEN"][:4]) == (0, "warn")


def test_a_secret_that_others_can_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    kept_secret(tmp_path / "data")
    (tmp_path / "data" / "secret").chmod(0o644)
    assert "chmod 600" in looked(capsys, "--data", "data")[1]["tokens"]


def test_a_note_that_others_can_read(capsys: pytest.CaptureFixture[str]) -> None:
    path = write_runtime("http://127.0.0.1:9", "x", 1, "/nowhere")
    path.chmod(0o644)
    code, findings = looked(capsys)
    assert code == 1
    assert "others can read" in findings["runtime file"]


def test_a_note_of_a_server_that_has_gone(capsys: pytest.CaptureFixture[str]) -> None:
    write_runtime("http://127.0.0.1:9", "x", 2**22 + 1, "/nowhere")
    code, findings = looked(capsys)
    assert (code, findings["runtime file"][:4]) == (0, "warn")


def test_a_server_that_does_not_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_URL", "http://127.0.0.1:9")
    code, findings = looked(capsys)
    assert code == 1
    assert findings["server"].startswith("fail no Headway answers at http://127.0.0.1:9")


@pytest.mark.parametrize(("ahead", "verdict"), [(1.0, "ok"), (-60.0, "warn"), (60.0, "warn"), (None, "ok")])
def test_clocks_that_differ(ahead: float | None, verdict: str) -> None:
    finding = check_clock(Answer("http://there", ahead))
    assert finding.verdict == verdict
    if verdict == "warn":
        assert ("behind" if (ahead or 0) > 0 else "ahead of") in finding.text


@pytest.mark.slow
def test_looks_at_a_running_server(programs: Programs) -> None:
    server = programs.serve()
    url = server.url
    token = programs.run("token", "--user", "ada").stdout.strip()
    ended = programs.run(
        "doctor", "--data", programs.data, "--port", url.rpartition(":")[2], HEADWAY_TOKEN=token
    )
    assert ended.returncode == 0, ended.stdout
    assert f"process {server.process.pid} serves it" in ended.stdout
    assert f"a Headway answers at {url}" in ended.stdout
    assert f"as at {url}" in ended.stdout
    assert "sound, of schema" in ended.stdout
    assert "good for ada until" in ended.stdout
    assert f"of process {server.process.pid} at {url}" in ended.stdout
    assert token not in ended.stdout
    assert (programs.data / "secret").read_text() not in ended.stdout

    # A token of that server is good even where its secret is not known.
    elsewhere = programs.run(
        "doctor", "--data", programs.folder / "other", "--port", "0", HEADWAY_TOKEN=token, HEADWAY_URL=url,
        HEADWAY_SECRET=SECRET,
    )  # fmt: skip
    assert "good for ada until" in elsewhere.stdout
