"""The table of errors in `spec/wire.md` and the tree in `headway.errors` are one."""

from __future__ import annotations

import re

from headway import errors
from headway.errors import ConfigurationError, HeadwayError
from tests.docs.texts import PAGES, name, read, rows

WIRE = "spec/wire.md"


def _errors() -> list[type[HeadwayError]]:
    found = [getattr(errors, name) for name in errors.__all__]
    return [kind for kind in found if kind.code and not issubclass(kind, ConfigurationError)]


TABLE = {int(cells[0]): cells for cells in rows(read(WIRE), after="a setting) |\n\n")}


def test_every_code_is_in_the_table_and_nothing_else() -> None:
    assert set(TABLE) == {kind.code for kind in _errors()}


def test_codes_are_used_once() -> None:
    codes = [kind.code for kind in _errors()]
    assert len(codes) == len(set(codes))


def test_an_http_status_is_that_of_the_error() -> None:
    for kind in _errors():
        status = TABLE[kind.code][1]
        # Without one, it is never sent over REST.
        assert not status or int(status) == kind.status, kind


def test_a_name_is_that_of_the_class() -> None:
    for kind in _errors():
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__).lower()
        assert TABLE[kind.code][2] == words


def test_a_range_says_what_its_errors_do() -> None:
    for kind in _errors():
        assert kind.retryable is (kind.code // 100 in {2, 3}), kind


def test_close_codes_are_4000_and_the_code_of_an_error_that_ends_the_connection() -> None:
    ending = {4000 + kind.code for kind in _errors() if kind.code >= 300}
    for page in PAGES:
        named = {int(code) for code in re.findall(r"\b(4[1-9]\d\d)\b(?! characters)", page.read_text())}
        assert named & set(range(4100, 4500)) <= ending, name(page)
    # Those of the protocol's own section are all named where it speaks of ends.
    assert {4304, 4401, 4402, 4302} <= {int(code) for code in re.findall(r"\b4[34]\d\d\b", read(WIRE))}
