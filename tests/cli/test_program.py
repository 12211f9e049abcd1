"""The program as a whole: help, unknown commands, missing parts, and what is loaded for them."""

from __future__ import annotations

import subprocess
import sys

import pytest

import headway
from headway.cli import main


def test_help_names_each_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for command in ("serve", "token", "keys", "revoke", "watch", "doctor", "demo"):
        assert f" {command} " in text


def test_an_unknown_command_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fly"]) == 2
    assert capsys.readouterr().err == (
        "headway: There is no command 'fly'; there are serve, token, keys, revoke, watch, doctor, demo\n"
    )


def test_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == headway.__version__


@pytest.mark.parametrize("missing", ["cyclopts", "litestar", "pydantic_settings"])
def test_names_the_extra_when_a_part_is_missing(missing: str) -> None:
    # None in sys.modules makes importing it fail as if it were not installed.
    code = f"import sys; sys.modules[{missing!r}] = None; from headway.cli import main; sys.exit(main(['serve']))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == (
        f'headway: This needs {missing}, which is not installed here: pip install "headway[server]"\n'
    )


def test_help_loads_nothing_of_the_server() -> None:
    code = (
        "import sys; from headway.cli import main; main(['--help']); "
        "print([name for name in ('pydantic', 'litestar', 'sqlalchemy', 'numpy') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.endswith("[]\n")
