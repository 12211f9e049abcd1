"""Reading a file of prices as people have them. Pure."""

from __future__ import annotations

import csv
from io import BytesIO

import pandas as pd

__all__ = ["MOST_ROWS", "read_prices"]

MOST_ROWS = 50_000
_NAMES = {
    "date": ("date", "time", "timestamp", "datetime", "day", "日期"),
    "open": ("open", "开盘"),
    "high": ("high", "最高"),
    "low": ("low", "最低"),
    "close": ("close", "adj close", "price", "收盘"),
    "volume": ("volume", "vol", "成交量"),
}
_FEWEST_ROWS = 30


def read_prices(content: bytes) -> tuple[pd.DataFrame, int]:
    """Prices by day, oldest first, and how many rows could not be used.

    Returns:
        a frame with `open`, `high`, `low`, `close`, `volume` (numbers) on an index of days without a day twice.

    Raises:
        ValueError: there is no column of dates or of closing prices, or there are fewer than 30 days.
    """
    try:
        raw = pd.read_csv(
            BytesIO(content),
            nrows=MOST_ROWS,
            encoding_errors="replace",
            encoding="utf-8-sig",
            sep=None,
            engine="python",
            on_bad_lines="skip",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, ValueError) as error:
        raise ValueError(f"The file is not CSV: {error}") from None
    known = {str(name).strip().lower(): name for name in raw.columns}
    columns = {
        field: next((known[name] for name in names if name in known), None) for field, names in _NAMES.items()
    }
    if columns["date"] is None or columns["close"] is None:
        raise ValueError("The file needs a column date and a column close")
    days = pd.to_datetime(raw[columns["date"]], errors="coerce", format="mixed")
    made = pd.DataFrame(index=days)
    for field in ("close", "open", "high", "low", "volume"):
        given = columns[field]
        if given is None:
            made[field] = 0.0 if field == "volume" else made["close"]
        else:
            made[field] = pd.to_numeric(raw[given], errors="coerce").to_numpy(dtype=float)
    usable = made.index.notna() & made["close"].notna() & (made["close"] > 0)
    prices = made[usable].sort_index()
    prices = prices[~prices.index.duplicated(keep="last")]
    for field in ("open", "high", "low"):
        prices[field] = prices[field].fillna(prices["close"])
    prices["volume"] = prices["volume"].fillna(0.0)
    if len(prices) < _FEWEST_ROWS:
        raise ValueError(f"The file has {len(prices)} usable days; {_FEWEST_ROWS} are needed")
    return prices, len(raw) - len(prices)
