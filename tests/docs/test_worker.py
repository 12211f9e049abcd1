"""The worker's reference has every public name, with the arguments that it really takes."""

from __future__ import annotations

import inspect
import re

import pytest

import headway
from headway.worker.counts import Counts
from headway.worker.creation import describe
from tests.docs.texts import codes_in, headings, read, rows

PAGE = "docs/reference/worker.md"
TEXT = read(PAGE)
SIGNATURES = {
    found[1]: found[2]
    for code in re.findall(r"`([^`\n]+)`", TEXT)
    if (found := re.fullmatch(r"(?:headway\.)?(\w+)\((.*)\)", code)) and found[1] not in {"len", "exit"}
}


def _named() -> set[str]:
    return set(re.findall(r"\bheadway\.(\w+)", " ".join(headings(TEXT)))) | {
        name for cells in rows(TEXT) for name in re.findall(r"`headway\.(\w+)", cells[0])
    }


def test_every_public_name_is_described_and_nothing_else() -> None:
    # The server is told of apart: a base install does not have it, so it is not among what `import *` gives.
    assert _named() == {*headway.__all__, "Headway"}


def test_every_member_of_a_handle_is_described_and_nothing_else() -> None:
    table = rows(TEXT, after="around it, was cancelled.")
    described = {code.partition("(")[0] for cells in table for code in codes_in(cells[0])}
    made = headway.TaskHandle("x", None)
    # What the worker's own modules use of it is theirs.
    members = {name for name in (*dir(headway.TaskHandle), *vars(made)) if not name.startswith("_")} - {
        "live"
    }
    assert described == members


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_a_signature_is_the_real_one(name: str) -> None:
    function = getattr(headway, name, None) or getattr(headway.TaskHandle, name)
    parameters = [
        parameter for parameter in inspect.signature(function).parameters.values() if parameter.name != "self"
    ]
    written = [part.strip() for part in SIGNATURES[name].split(",") if part.strip()]
    if "**options" in written:
        # The rest is in the table of options, which another test compares.
        written = written[: written.index("**options")]
        parameters = parameters[: len(written)]
    assert [part for part in written if part != "*"] == [_shown(parameter) for parameter in parameters]


def test_the_options_of_a_task_are_those_that_it_takes() -> None:
    table = rows(TEXT, after="### `headway.task(title, **options)`")
    described = {code for cells in table for code in codes_in(cells[0])}
    assert described == set(inspect.signature(headway.task).parameters) - {"title"}
    assert set(inspect.signature(describe).parameters) - {"start", "title"} == described - {"attempt"}


def test_the_options_of_a_notification_are_those_that_it_takes() -> None:
    table = rows(TEXT, after="### `headway.notify")
    described = {code for cells in table for code in codes_in(cells[0])}
    assert described == set(inspect.signature(headway.notify).parameters) - {"user", "title", "content"}


def test_what_is_counted_is_described() -> None:
    table = {codes_in(cells[0])[0]: cells[1] for cells in rows(TEXT, after="### `headway.stats")}
    assert set(table) == set(headway.Stats.__struct_fields__)
    assert codes_in(table["counts"]) == list(Counts.__struct_fields__)


def _shown(parameter: inspect.Parameter) -> str:
    if parameter.default is inspect.Parameter.empty:
        return parameter.name
    default = f'"{parameter.default}"' if isinstance(parameter.default, str) else repr(parameter.default)
    return f"{parameter.name}={default}"
