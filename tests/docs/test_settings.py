"""The table of settings has every setting as it is, and nothing else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from headway.cli.serve import serve
from headway.server.settings import Settings, load_settings
from tests.docs.texts import PAGES, ROOT, codes_in, read, rows, snippets

PAGE = "docs/reference/settings.md"
TABLE = {codes_in(cells[0])[0]: cells for cells in rows(read(PAGE), after="# Settings")}


def test_every_setting_is_in_the_table_in_order_and_nothing_else() -> None:
    assert list(TABLE) == list(Settings.model_fields), "run docs/write_settings.py"


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_a_row_says_what_the_code_says(setting: str) -> None:
    field = Settings.model_fields[setting]
    _, _, variable, default, meaning = TABLE[setting]

    assert codes_in(variable) == [f"HEADWAY_{setting.upper()}"]
    assert _value(default) == _default(field)
    assert meaning.startswith(field.description or "?"), "run docs/write_settings.py"


def test_the_flags_are_those_of_serve() -> None:
    flags = {name for name in serve.__annotations__ if name != "config"}
    documented = {name for name, cells in TABLE.items() if codes_in(cells[1]) == [_flag(name)]}
    assert documented == flags


def test_every_variable_of_the_code_is_described() -> None:
    used = set()
    for path in (ROOT / "src" / "headway").rglob("*.py"):
        used |= set(re.findall(r"HEADWAY_[A-Z_]*[A-Z]", path.read_text()))

    described = set(re.findall(r"`(HEADWAY_\w+)`", read(PAGE)))

    assert used <= described


def test_the_settings_file_of_the_page_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in Settings.model_fields:
        monkeypatch.delenv(f"HEADWAY_{setting.upper()}", raising=False)
    file = tmp_path / "headway.toml"
    (snippet,) = snippets(ROOT / PAGE, "toml")
    file.write_text(snippet.code)

    settings = load_settings(file)

    for name, value in tomllib.loads(snippet.code).items():
        assert getattr(settings, name) == type(getattr(settings, name))(value)


def test_pages_name_only_variables_that_exist() -> None:
    known = set(re.findall(r"`(HEADWAY_\w+)`", read(PAGE)))
    for page in PAGES:
        assert set(re.findall(r"\bHEADWAY_[A-Z_]*[A-Z]\b", page.read_text())) <= known, page


def _flag(setting: str) -> str:
    return f"--{setting.replace('_', '-')}"


def _value(cell: str) -> str:
    return codes_in(cell)[0] if codes_in(cell) else cell


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
