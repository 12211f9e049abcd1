"""The worker: a process for each run of an analysis. Headway's part of it is the lines with `task.`"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import headway
from examples.dedup.bank import Bank
from examples.dedup.job import Findings, compare, group_questions, statistics
from examples.dedup.questions import Question
from examples.demonstration.board import Board

__all__ = ["analyse"]


def analyse(task: headway.TaskHandle, plan: dict[str, Any], bank: Bank, pace: float = 0.0) -> dict[str, Any]:
    """Compare the questions of each group, and show how far it is.

    Args:
        plan: `{config: {similarity_threshold, groups?}, analysis_type, until, since}`; `until` and `since` number
            uploads, and `groups` names the groups of a custom analysis by any of `type`, `subject` and `channel`.
        pace: seconds that each group takes at least, so that people can watch.

    Returns:
        the statistics.

    Raises:
        headway.Cancelled: somebody cancelled the task.
    """
    threshold = plan["config"]["similarity_threshold"]
    incremental = plan["analysis_type"] == "incremental"
    questions, new = bank.questions(plan["until"], plan["since"] if incremental else 0)
    wanted = plan["config"].get("groups") if plan["analysis_type"] == "custom" else None
    groups = group_questions(question for question in questions if _wanted(question, wanted))
    if incremental:
        groups = [group for group in groups if any(question.id in new for question in group.questions)]
    compared = sum(len(group.questions) for group in groups)
    findings: list[Findings] = []
    for group in groups:
        began = time.monotonic()
        found = compare(group, threshold, new if incremental else None, between=task.check)
        findings.append(found)
        time.sleep(max(0.0, pace - (time.monotonic() - began)))
        counts = statistics(findings, threshold)
        numbers = {name: counts[name] for name in _COUNTS} | {"total_questions": compared}
        task.progress(
            len(findings),
            total=len(groups),
            message=f"{found.exact_pairs} exact and {found.similar_pairs} similar pairs",
            detail={"current_group": group.label, **numbers},
        )
        # One report for each group, even where a group takes less time than a report.
        headway.flush()
    task.check()
    numbers = statistics(findings, threshold)
    results = {
        "exact_groups": [pair for found in findings for pair in found.exact],
        "similar_pairs": [pair for found in findings for pair in found.similar],
        "statistics": numbers,
    }
    bank.keep_results(task.id, results)
    task.result({name: numbers[name] for name in ("total_groups", *_COUNTS)})
    return numbers


_COUNTS = ("total_questions", "exact_duplicate_groups", "exact_duplicate_pairs", "similar_duplicate_pairs")


def _wanted(question: Question, wanted: list[dict[str, str]] | None) -> bool:
    return not wanted or any(
        all(getattr(question, name) == value for name, value in group.items()) for group in wanted
    )


def main(task_id: str, attempt: int) -> int:
    """Run one analysis; 0 also when it was cancelled."""
    record = Board(os.environ["HEADWAY_URL"]).task(task_id, os.environ["HEADWAY_TOKEN"])
    bank = Bank(Path(os.environ["EXAMPLE_DATA"]), record["channel"].partition(":")[2])
    try:
        with headway.attach(task_id, attempt=attempt) as task:
            analyse(task, record["meta"], bank, float(os.environ.get("EXAMPLE_PACE", "0.2")))
    except headway.Cancelled:
        return 0
    finally:
        headway.flush(30)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
