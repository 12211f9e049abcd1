"""What a check found."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Finding", "Verdict", "fail", "ok", "warn"]


class Verdict(StrEnum):
    """How bad it is: `fail` keeps a server from its work, `warn` surprises somebody."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True):
    """One line of the answer; what is not ok also says what to do."""

    verdict: Verdict
    what: str
    text: str


def ok(what: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding(Verdict.OK, what, text)


def warn(what: str, text: str) -> Finding:
    """It works, and may not do what is expected."""
    return Finding(Verdict.WARN, what, text)


def fail(what: str, text: str) -> Finding:
    """It does not work."""
    return Finding(Verdict.FAIL, what, text)
