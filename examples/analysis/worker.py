"""The worker: a process for each batch. Headway's part of it is the lines with `task.` and `headway.`"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import headway
from examples.analysis.chart import draw_chart
from examples.analysis.indicators import add_indicators, summary
from examples.analysis.prices import read_prices
from examples.demonstration.board import Board

__all__ = ["analyse", "tell"]

_PARTS = 3
"""Of each file: read, compute, draw."""


def analyse(
    task: headway.TaskHandle, files: Sequence[Path], report: Path, pace: float = 0.0
) -> dict[str, Any]:
    """Analyse files of prices, and write a report of them.

    Args:
        report: a folder for `report.json` and a chart of each file.
        pace: seconds that each part takes at least, so that people can watch.

    Returns:
        `{report, analysed, failed, symbols: {name: {close, change, rsi, signals}}}`.

    Raises:
        ValueError: not one of the files could be used.
        headway.Cancelled: somebody cancelled the task.
    """
    total = _PARTS * len(files)
    done = 0
    symbols: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []

    def part(message: str) -> None:
        nonlocal done
        done += 1
        time.sleep(pace)
        task.progress(done, total=total, message=message)

    report.mkdir(parents=True, exist_ok=True)
    for file in files:
        name = file.stem
        try:
            prices, unusable = read_prices(file.read_bytes())
        except ValueError as error:
            failed.append({"symbol": name, "error": str(error)})
            task.log(f"{name}: {error}", level="warning")
            done += _PARTS - 1
            part(f"{name} cannot be used")
            continue
        part(f"{name}: {len(prices)} days read")
        prices = add_indicators(prices)
        found = {"symbol": name, **summary(prices), "unusable_rows": unusable, "chart": f"{name}.png"}
        symbols.append(found)
        part(f"{name}: indicators computed")
        draw_chart(name, prices).save(report / found["chart"], optimize=True)
        part(f"{name}: chart drawn")
    if not symbols:
        raise ValueError(
            "None of the files could be used: "
            + "; ".join(f"{bad['symbol']}: {bad['error']}" for bad in failed)
        )
    task.check()
    (report / "report.json").write_text(json.dumps({"symbols": symbols, "failed": failed}), encoding="utf-8")
    shown = ("close", "change", "rsi", "volatility", "signals")
    result = {
        "report": f"/reports/{task.id}",
        "analysed": len(symbols),
        "failed": len(failed),
        "symbols": {found["symbol"]: {name: found[name] for name in shown} for found in symbols},
    }
    task.result(result)
    return result


def tell(user: str, task: str, title: str, result: dict[str, Any] | None, error: str = "") -> None:
    """Put the end of it into the inbox. The same task tells once, however often it is told."""
    if result is None:
        headway.notify(
            user,
            f"{title} failed",
            error,
            kind="alert",
            severity="error",
            source="analysis",
            task=task,
            id=f"{task}-failed",
        )
        return
    best = max(result["symbols"].items(), key=lambda symbol: symbol[1]["change"])
    unusable = f", {result['failed']} could not be used" if result["failed"] else ""
    headway.notify(
        user,
        f"{title} is ready",
        f"{result['analysed']} analysed{unusable}. Best: {best[0]} with {best[1]['change']:+.1%}",
        kind="analysis",
        severity="success",
        source="analysis",
        link=result["report"],
        task=task,
        id=f"{task}-ready",
    )


def main(task_id: str, attempt: int) -> int:
    """Carry out one batch; 0 also when it was cancelled."""
    record = Board(os.environ["HEADWAY_URL"]).task(task_id, os.environ["HEADWAY_TOKEN"])
    user = record["channel"].partition(":")[2]
    data = Path(os.environ["EXAMPLE_DATA"])
    files = sorted((data / "uploads" / task_id).glob("*.csv"))
    try:
        with headway.attach(task_id, attempt=attempt) as task:
            try:
                pace = float(os.environ.get("EXAMPLE_PACE", "0.15"))
                result = analyse(task, files, data / "reports" / task_id, pace)
            except ValueError as error:
                task.fail(str(error))
                tell(user, task_id, record["title"], None, str(error))
                return 0
        tell(user, task_id, record["title"], result)
    except headway.Cancelled:
        pass
    finally:
        headway.flush(30)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
