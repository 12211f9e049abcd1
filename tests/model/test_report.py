"""Reports: every kind reads back as it was, and no number or text gets in that a store cannot hold."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgspec
import pytest

from headway.model import report as r
from headway.model.notification import Severity
from headway.model.progress import StepPlan

REPORTS: list[r.Report] = [
    r.Create(
        "t1",
        "T",
        "k",
        "user:ada",
        10,
        "rows",
        ("a",),
        {"m": 1},
        "t0",
        2,
        (StepPlan("s", 2.0),),
        5.5,
        "key",
        start=True,
    ),
    r.TickReport(
        task="t1",
        done=1,
        total=2.5,
        unit="rows",
        percent=5.0,
        message="m",
        step="s",
        detail={"d": 1},
        weight=3.0,
    ),
    r.Start("t1"),
    r.Pause("t1", 2),
    r.Resume("t1"),
    r.Cancel("t1"),
    r.Retry("t1"),
    r.Beat("t1"),
    r.Stopped("t1"),
    r.Succeed("t1", result={"a": [1]}),
    r.Fail("t1", error="e"),
    r.Result(task="t1", result=None),
    r.Log(task="t1", lines=(r.LogLine("one", 5, "error"),), source="w1", seq=0),
    r.Notify("n1", "N", "ada", None, "c", "k", Severity.WARNING, "/a", "s", "t1", {"d": 1}),
]


def read(*reports: object) -> r.Batch:
    return msgspec.json.decode(json.dumps({"reports": reports}), type=r.Batch)


def test_every_kind_reads_back_as_it_was() -> None:
    assert {type(report) for report in REPORTS} == set(get_args(r.Report))
    batch = r.Batch(REPORTS)
    assert msgspec.json.decode(msgspec.json.encode(batch), type=r.Batch) == batch


def test_types_are_those_of_the_contract() -> None:
    assert [msgspec.to_builtins(report)["type"] for report in REPORTS] == [
        "create", "progress", "start", "pause", "resume", "cancel", "retry", "heartbeat", "stopped", "succeed", "fail",
        "result", "log", "notify",
    ]  # fmt: skip


def test_unknown_fields_are_ignored() -> None:
    assert read({"type": "start", "task": "t1", "colour": "red"}).reports == [r.Start("t1")]


LOG: dict[str, Any] = {"type": "log", "task": "t1"}
CREATE: dict[str, Any] = {"type": "create", "task": "t1", "title": "T"}


@pytest.mark.parametrize(
    "report",
    [
        {"type": "begin", "task": "t1"}, {"task": "t1"}, {"type": "start"}, {"type": "start", "task": "t" * 65}, 5,
        {"type": "result", "task": "t1"},
        {**LOG, "lines": [{"text": "a", "at": 2**53}]}, {**LOG, "lines": [{"text": "a", "at": -1}]},
        {**LOG, "lines": [{"text": "a", "at": 10**400}]}, {**LOG, "lines": [{"text": "a"}] * 501},
        {**LOG, "lines": [], "seq": 2**53}, {**LOG, "lines": [], "seq": -1}, {**LOG, "lines": [], "seq": 10**400},
        {**LOG, "lines": [], "source": "a\0"}, {**LOG, "lines": [], "source": "x" * 65},
        {**CREATE, "idempotency_key": ""}, {**CREATE, "idempotency_key": "a\0b"}, {**CREATE, "idempotency_key": "x" * 201},
        {**CREATE, "weight": 1.5}, {**CREATE, "weight": True}, {**CREATE, "meta": []}, {**CREATE, "steps": ["a"]},
        {**CREATE, "total": True}, {**CREATE, "total": "5"},
        {"type": "progress", "task": "t1", "percent": "50"}, {"type": "progress", "task": "t1", "done": True},
        {"type": "progress", "task": "t1", "detail": [1]}, {"type": "notify", "id": "n", "title": "N", "severity": "loud"},
    ],
)  # fmt: skip
def test_no_reports(report: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(report)


def test_a_batch_has_a_limit() -> None:
    assert len(read(*[{"type": "start", "task": "t"}] * r.MAX_REPORTS).reports) == r.MAX_REPORTS
    with pytest.raises(msgspec.ValidationError):
        read(*[{"type": "start", "task": "t"}] * (r.MAX_REPORTS + 1))


def test_the_answer() -> None:
    answer = r.BatchAnswer(3, [r.Rejected(1, 102, "No.")], {"t1": ("cancelled", 1)})
    assert json.loads(msgspec.json.encode(answer)) == {
        "accepted": 3,
        "rejected": [{"index": 1, "code": 102, "message": "No.", "retryable": False}],
        "tasks": {"t1": ["cancelled", 1]},
    }
