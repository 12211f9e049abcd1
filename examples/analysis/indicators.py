"""Indicators of a series of prices. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["add_indicators", "ema", "macd", "max_drawdown", "rsi", "sma", "summary", "volatility"]

_YEAR = 252
"""Trading days."""


def sma(prices: pd.Series, days: int) -> pd.Series:
    """Mean of the last so many days; nothing for the first ones."""
    return prices.rolling(days).mean()


def ema(prices: pd.Series, days: int) -> pd.Series:
    """Mean that weighs a day by `2 / (days + 1)` and those before it by the rest; begins with the first price."""
    return prices.ewm(span=days, adjust=False).mean()


def rsi(prices: pd.Series, days: int = 14) -> pd.Series:
    """Relative strength as Wilder smooths it, 0 to 100: 50 where nothing moved."""
    change = prices.diff()
    gain = change.clip(lower=0).ewm(alpha=1 / days, adjust=False, min_periods=days).mean()
    loss = (-change.clip(upper=0)).ewm(alpha=1 / days, adjust=False, min_periods=days).mean()
    total = gain + loss
    return (100 * gain / total).where(total != 0, 50.0).where(total.notna())


def macd(prices: pd.Series) -> pd.DataFrame:
    """`macd` (12 less 26 days), its `signal` (9 days) and `histogram`."""
    line = ema(prices, 12) - ema(prices, 26)
    signal = ema(line, 9)
    return pd.DataFrame({"macd": line, "signal": signal, "histogram": line - signal})


def max_drawdown(prices: pd.Series) -> dict[str, Any]:
    """The deepest fall from a peak: `{depth, peak, trough}`; depth as a share, 0 to 1."""
    fall = 1 - prices / prices.cummax()
    trough = fall.idxmax()
    return {
        "depth": round(float(fall.max()), 4),
        "peak": _day(prices[:trough].idxmax()),
        "trough": _day(trough),
    }


def volatility(prices: pd.Series) -> float:
    """Standard deviation of the logarithmic returns of a year, as a share."""
    returns = np.log(prices).diff().dropna()
    return float(returns.std() * np.sqrt(_YEAR))


def add_indicators(prices: pd.DataFrame) -> pd.DataFrame:
    """The same frame with `sma20`, `sma50`, `ema20`, `rsi`, `macd`, `signal` and `histogram` beside it."""
    close = prices["close"]
    return prices.assign(
        sma20=sma(close, 20), sma50=sma(close, 50), ema20=ema(close, 20), rsi=rsi(close)
    ).join(macd(close))


def summary(prices: pd.DataFrame) -> dict[str, Any]:
    """What a frame with indicators says, in numbers and words."""
    close, last = prices["close"], prices.iloc[-1]
    first = float(close.iloc[0])
    return {
        "days": len(prices),
        "from": _day(prices.index[0]),
        "to": _day(prices.index[-1]),
        "close": round(float(last["close"]), 4),
        "change": round(float(last["close"]) / first - 1, 4),
        "sma20": _round(last["sma20"]),
        "sma50": _round(last["sma50"]),
        "ema20": _round(last["ema20"]),
        "rsi": _round(last["rsi"], 2),
        "macd": _round(last["macd"]),
        "macd_signal": _round(last["signal"]),
        "volatility": round(volatility(close), 4),
        "max_drawdown": max_drawdown(close),
        "signals": _signals(prices),
    }


def _signals(prices: pd.DataFrame) -> list[str]:
    found = []
    above = (prices["sma20"] > prices["sma50"])[prices["sma50"].notna()].astype(int).diff()
    crossed = above[above != 0].dropna()
    if len(crossed):
        name = "golden" if crossed.iloc[-1] > 0 else "death"
        found.append(f"{name} cross on {_day(crossed.index[-1])}")
    strength = prices["rsi"].iloc[-1]
    if strength >= 70:
        found.append(f"overbought (RSI {strength:.0f})")
    if strength <= 30:
        found.append(f"oversold (RSI {strength:.0f})")
    return found


def _day(moment: Any) -> str:
    return str(pd.Timestamp(moment).date())


def _round(value: float, digits: int = 4) -> float | None:
    return None if pd.isna(value) else round(float(value), digits)
