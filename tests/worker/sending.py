"""Short ways to say things in tests of the reporter: reports, what is taken of them, and what the server answers."""

from __future__ import annotations

from headway.model.report import (
    BatchAnswer,
    Log,
    LogLine,
    Rejected,
    Report,
    TickReport,
)
from headway.worker.limits import Limits
from headway.worker.reporter import Flight, Reporter

__all__ = ["accepts", "fed", "lines", "refuses", "taken", "tick"]


def tick(task: str = "a", **fields: object) -> TickReport:
    return TickReport(task=task, **fields)  # type: ignore[arg-type]


def lines(*texts: str, task: str = "a") -> Log:
    return Log(task, lines=tuple(LogLine(text) for text in texts))


def fed(*reports: Report, limits: Limits | None = None) -> Reporter:
    reporter = Reporter(limits, source="s")
    for report in reports:
        reporter.report(report, 0.0)
    return reporter


def taken(reporter: Reporter, most: int = 100, now: float = 0.0) -> Flight:
    flight = reporter.take(most, now)
    assert flight is not None
    return flight


def accepts(flight: Flight, **tasks: tuple[str, int]) -> BatchAnswer:
    return BatchAnswer(len(flight.batch.reports), [], tasks)


def refuses(flight: Flight, code: int, *, retryable: bool = False) -> BatchAnswer:
    rejected = [Rejected(i, code, "no", retryable) for i in range(len(flight.batch.reports))]
    return BatchAnswer(0, rejected, {})
