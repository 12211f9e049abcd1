"""Writes the files of `samples/`: a year of prices of five companies that do not exist.

python -m examples.analysis.write_samples
"""

from __future__ import annotations

import csv
import math
import random
from datetime import date, timedelta
from pathlib import Path

FOLDER = Path(__file__).with_name("samples")
_DAYS = 250
_COMPANIES = {
    # Price on the first day, drift and volatility of a year, shares a day.
    "acorn": (42.0, 0.18, 0.22, 900_000),
    "borealis": (118.0, -0.12, 0.35, 420_000),
    "cobalt": (7.5, 0.45, 0.60, 3_100_000),
    "driftwood": (63.0, 0.02, 0.15, 250_000),
    "ember": (210.0, 0.25, 0.42, 1_200_000),
}


def main() -> None:
    """Write the files; always the same ones."""
    FOLDER.mkdir(exist_ok=True)
    for name, (price, drift, spread, shares) in _COMPANIES.items():
        chance = random.Random(name)  # noqa: S311 - nothing secret
        day = date(2025, 1, 2)
        with (FOLDER / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("date", "open", "high", "low", "close", "volume"))
            for _ in range(_DAYS):
                opened = price * math.exp(chance.gauss(0, spread / 60))
                price = opened * math.exp(
                    (drift - spread**2 / 2) / 252 + chance.gauss(0, spread / math.sqrt(252))
                )
                high = max(opened, price) * (1 + abs(chance.gauss(0, spread / 50)))
                low = min(opened, price) * (1 - abs(chance.gauss(0, spread / 50)))
                volume = round(shares * math.exp(chance.gauss(0, 0.35)) / 100) * 100
                writer.writerow((day, *(f"{value:.2f}" for value in (opened, high, low, price)), volume))
                day += timedelta(days=3 if day.weekday() == 4 else 1)


if __name__ == "__main__":
    main()
