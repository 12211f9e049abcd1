"""The page of the audit and the audit have the same events and fields."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest

from headway.errors import NotFound
from headway.hub.audit import Audit, audit_log
from tests.docs.texts import codes_in, read, rows

PAGE = read("docs/reference/audit.md")
EVENTS = {
    event: codes_in(cells[1]) for cells in rows(PAGE, after="\n```\n\n") for event in codes_in(cells[0])
}
FIELDS = {
    field for cells in rows(PAGE, after="does not count any more |\n\n") for field in codes_in(cells[0])
}


@pytest.fixture
def said() -> Iterator[dict[str, list[str]]]:
    """The fields of each event, as they were said."""
    standard = {*vars(logging.makeLogRecord({})), "message", "audited"}
    found: dict[str, list[str]] = {}

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found[record.getMessage()] = [name for name in vars(record) if name not in standard]

    handler = Lines()
    audit_log.addHandler(handler)
    audit_log.setLevel(logging.INFO)
    yield found
    audit_log.removeHandler(handler)
    audit_log.setLevel(logging.NOTSET)


def test_each_event_is_described_with_its_fields(said: dict[str, list[str]]) -> None:
    audit = Audit()
    audit.connected("rest", "192.0.2.7")
    audit.authenticated("ada", "rest", "192.0.2.7", ["read"])
    audit.renewed("ada", "rest", "192.0.2.7", 1.0)
    audit.refused(
        NotFound(), user="ada", door="rest", address="192.0.2.7", action="read", channel="public", task="t"
    )
    audit.subscribed("ada", "public", "t")
    audit.published("ada", "task", "t", "public")
    for command in ("cancel", "pause", "resume", "retry"):
        audit.commanded("ada", command, "public", "t")
    audit.removed("ada", "public", "t")
    audit.shared("ada", "s", channel="public", task="t", expires_at=1.0)
    audit.revoked("ada", "share", "s")
    assert said == {event: list(fields) for event, fields in EVENTS.items()}


def test_each_method_of_the_audit_is_an_event_of_the_page() -> None:
    methods = {name for name in vars(Audit) if not name.startswith("_")} - {"of"}
    # The four commands are one method.
    assert len(methods) == len(EVENTS) - 3


def test_each_field_is_described() -> None:
    assert {field for fields in EVENTS.values() for field in fields} == FIELDS
    assert re.search(r'"event":"authenticate"', PAGE)
