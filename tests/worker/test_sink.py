"""Where batches go, and what the answers mean."""

from __future__ import annotations

import pytest

from headway.errors import (
    BadMessage,
    Forbidden,
    HeadwayError,
    InternalError,
    NotFound,
    Overloaded,
    TooLarge,
    Unauthenticated,
)
from headway.model.report import Batch, Start
from headway.worker.sink import HttpSink
from tests.worker.far_end import FarEnd

BATCH = Batch([Start("a")])


def test_a_batch_is_posted_and_the_answer_read(far: FarEnd) -> None:
    sink = HttpSink(far.url + "/", "secret")

    answer = sink(BATCH)

    assert answer.tasks == {"a": ("running", 1)}
    assert far.batches == [BATCH]
    assert far.tokens == ["Bearer secret"]
    sink.close()


def test_one_connection_is_kept(far: FarEnd) -> None:
    sink = HttpSink(far.url, None)
    for _ in range(3):
        sink(BATCH)
    assert len(far._connections) == 1
    assert far.tokens == [None] * 3
    sink.close()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadMessage),
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (413, TooLarge),
        (429, Overloaded),
        (500, InternalError),
        (503, Overloaded),
        (302, InternalError),
    ],
)
def test_the_status_says_what_to_do(far: FarEnd, status: int, error: type[HeadwayError]) -> None:
    far.status = status
    sink = HttpSink(far.url, None)
    with pytest.raises(error, match="as told"):
        sink(BATCH)
    sink.close()
