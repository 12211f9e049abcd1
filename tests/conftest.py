"""What all tests may be told."""

from __future__ import annotations

import os
import random

import pytest

# Each of the programs that the tests start would compile Headway anew, for half a second.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--seed", type=int, help="What chance begins with in a storm; printed by one that failed."
    )


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What chance begins with; printed, so that a failure can be had again."""
    chosen = request.config.getoption("--seed")
    seed = int(chosen) if chosen is not None else random.SystemRandom().randrange(2**32)
    print(f"--seed {seed}")
    return seed
