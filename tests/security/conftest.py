"""What is answered to whom tries something is what the page says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.docs.texts import read, rows

PAGE = "docs/explanation/what-was-tried.md"
TABLE = {cells[3].strip("`"): cells for cells in rows(read(PAGE), after="for a close.\n\n")}


@pytest.fixture
def answered(request: pytest.FixtureRequest) -> Iterator[set[int]]:
    """What was answered; in the end it is what the page says, no less and no more."""
    codes: set[int] = set()
    yield codes
    name = request.node.originalname
    assert codes == {int(code) for code in re.findall(r"\d+", TABLE[name][2])}, name
