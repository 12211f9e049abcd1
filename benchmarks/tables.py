"""Measurements as tables: for the terminal, and for the README, where each has a place of its own between two marks."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

__all__ = ["README", "Machine", "markdown", "plain", "rows_of", "write"]

README = Path(__file__).with_name("README.md")


class Machine:
    """What else this machine does during a measurement: nobody who reads a figure knows it otherwise."""

    def __init__(self) -> None:
        """Begin to look."""
        self.date = time.strftime("%Y-%m-%d %H:%M")
        self._began = time.monotonic()
        self._before = _busy()

    def report(self) -> str:
        """Date, interpreter and cores, how long it took, and what share of the processors others had meanwhile."""
        cores = os.cpu_count() or 1
        took = time.monotonic() - self._began
        others = max(0.0, _busy() - self._before) / cores / took
        return (
            f"{self.date}, Python {platform.python_version()}, uvloop {version('uvloop')}, {cores} cores, "
            f"{took:.0f} s; other work had {others:.0%} of the machine"
        )


def rows_of(module: ModuleType) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Measure, as the names of columns and rows.

    A module has `measure()`, which returns figures by what they are of, `AIMS` for some of them, and `COLUMNS` when a figure
    is a tuple.
    """
    aims: dict[str, str] = getattr(module, "AIMS", {})
    columns: tuple[str, ...] = getattr(module, "COLUMNS", ("what", "figure"))
    rows: list[Sequence[str]] = []
    for what, figure in module.measure().items():
        cells = [_text(cell) for cell in (figure if isinstance(figure, tuple) else (figure,))]
        cells += [""] * (len(columns) - 1 - len(cells))
        rows.append([what, *cells, *([aims.get(what, "")] if aims else [])])
    return (*columns, *(["aim"] if aims else [])), rows


def plain(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """For a terminal."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in [columns, ["-" * width for width in widths], *rows]
    ]
    return "\n".join(f"  {line.rstrip()}" for line in lines)


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """For the README."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [columns, ["---"] * len(columns), *rows])


def write(name: str, text: str) -> None:
    """Put a table where the README has a place for it."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, _, rest = README.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{README} has no place for {name}")
    README.write_text(f"{before}{begin}{text}\n{end}{after}")


def _text(figure: object) -> str:
    if not isinstance(figure, float):
        return str(figure)
    return f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:.4g}"


def _busy() -> float:
    """Seconds of all processors that went to neither idleness nor our children, since the machine began."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = fields[3] + fields[4]
    ours = os.times()
    return (
        (sum(fields) - idle) / os.sysconf("SC_CLK_TCK")
        - ours.user
        - ours.system
        - ours.children_user
        - (ours.children_system)
    )
