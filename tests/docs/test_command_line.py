"""The command line's reference has every command and flag, and nothing else."""

from __future__ import annotations

import importlib
import inspect
import re

import pytest

from headway import cli
from headway.cli import watch
from headway.cli.duplicates.corpus import FILES
from tests.docs.texts import PAGES, codes_in, headings, read, rows

PAGE = "docs/reference/command-line.md"
TEXT = read(PAGE)
COMMANDS = tuple(cli._COMMANDS)


def test_every_command_is_described_and_nothing_else() -> None:
    assert re.findall(r"`headway (\w+)`", " ".join(headings(TEXT))) == list(COMMANDS)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "serve"])
def test_every_flag_is_described_and_nothing_else(command: str) -> None:
    function = getattr(importlib.import_module(f"headway.cli.{command}"), command)
    flags = [
        f"--{name}"
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    table = rows(TEXT, after=f"## `headway {command}`")
    assert [codes_in(cells[0])[0] for cells in table] == flags


def test_the_demo_compares_as_many_files_as_the_reference_says() -> None:
    table = rows(TEXT, after="## `headway demo`")
    assert [cells[2] for cells in table if cells[0] == "`--files`"] == [str(FILES)]


def test_exit_codes_of_watch_are_those_of_the_code() -> None:
    section = TEXT[TEXT.index("## `headway watch`") : TEXT.index("## `headway doctor`")]
    described = {int(cells[0]) for cells in rows(section) if cells[0].isdigit()}
    assert described == {*watch._EXIT_CODES.values(), 2, 130}


def test_pages_show_only_commands_that_exist() -> None:
    for page in PAGES:
        for line in re.findall(
            r"^(?:    )?(?:export \w+=\$\()?headway (\w+)", page.read_text(), re.MULTILINE
        ):
            assert line in COMMANDS, page
