"""A chart as a picture: candles with averages, volume, and relative strength. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

__all__ = ["draw_chart"]

_WIDTH, _HEIGHT = 960, 540
_LEFT, _RIGHT = 20, 70
_PANELS = {"price": (46, 350), "volume": (362, 420), "rsi": (436, 508)}
_MOST_CANDLES = 260
_PAPER, _INK, _SOFT, _LINE = "#ffffff", "#1b2330", "#5d6878", "#e4e8ee"
_UP, _DOWN, _FAST, _SLOW, _RSI = "#12805c", "#c0362c", "#e08a1e", "#2456d6", "#7a3fc4"


def draw_chart(title: str, prices: pd.DataFrame) -> Image.Image:
    """Draw the newest days of a frame with indicators; at most 260 of them."""
    prices = prices.tail(_MOST_CANDLES)
    picture = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    pen = ImageDraw.Draw(picture)
    font, small = ImageFont.load_default(17), ImageFont.load_default(12)
    pen.text((_LEFT, 14), title, _INK, font)
    for name, colour, right in (("SMA 20", _FAST, 230), ("SMA 50", _SLOW, 160)):
        pen.line((_WIDTH - right, 24, _WIDTH - right + 18, 24), colour, 3)
        pen.text((_WIDTH - right + 22, 17), name, _SOFT, small)
    low = float(np.nanmin(prices[["low", "sma20", "sma50"]].to_numpy()))
    high = float(np.nanmax(prices[["high", "sma20", "sma50"]].to_numpy()))
    price = _Panel(pen, "price", low, high if high > low else low + 1)
    places = [
        _LEFT + (number + 0.5) * (_WIDTH - _LEFT - _RIGHT) / len(prices) for number in range(len(prices))
    ]
    for value in price.ticks():
        price.rule(value, f"{value:,.2f}", small)
    _months(pen, prices.index, places, small)
    volume = _Panel(pen, "volume", 0.0, float(prices["volume"].max()) or 1.0)
    strength = _Panel(pen, "rsi", 0.0, 100.0)
    for value in (30.0, 70.0):
        strength.rule(value, f"RSI {value:.0f}", small)
    half = max(0.5, 0.35 * (_WIDTH - _LEFT - _RIGHT) / len(prices))
    rows = prices[["open", "high", "low", "close", "volume"]].itertuples(index=False, name=None)
    for x, (opened, highest, lowest, closed, traded) in zip(places, rows, strict=True):
        colour = _UP if closed >= opened else _DOWN
        pen.line((x, price.y(highest), x, price.y(lowest)), colour)
        top, bottom = price.y(max(opened, closed)), price.y(min(opened, closed))
        pen.rectangle((x - half, top, x + half, max(bottom, top + 1)), colour)
        pen.rectangle((x - half, volume.y(traded), x + half, volume.y(0)), colour)
    price.curve(places, prices["sma20"], _FAST)
    price.curve(places, prices["sma50"], _SLOW)
    strength.curve(places, prices["rsi"], _RSI)
    return picture


class _Panel:
    """A part of the picture with a scale of its own."""

    def __init__(self, pen: ImageDraw.ImageDraw, name: str, low: float, high: float) -> None:
        self._pen = pen
        self._top, self._bottom = _PANELS[name]
        self._low, self._high = low, high

    def y(self, value: float) -> float:
        return self._bottom - (value - self._low) / (self._high - self._low) * (self._bottom - self._top)

    def ticks(self) -> list[float]:
        """Round numbers, about five of them."""
        rough = (self._high - self._low) / 5
        size = 10.0 ** np.floor(np.log10(rough))
        step = size * next(factor for factor in (1, 2, 5, 10) if factor * size >= rough)
        return [float(value) for value in np.arange(np.ceil(self._low / step) * step, self._high, step)]

    def rule(self, value: float, label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> None:
        y = self.y(value)
        self._pen.line((_LEFT, y, _WIDTH - _RIGHT, y), _LINE)
        self._pen.text((_WIDTH - _RIGHT + 6, y - 7), label, _SOFT, font)

    def curve(self, places: Sequence[float], values: pd.Series, colour: str) -> None:
        points = [(x, self.y(value)) for x, value in zip(places, values, strict=True) if not pd.isna(value)]
        if len(points) > 1:
            self._pen.line(points, colour, 2, joint="curve")


def _months(
    pen: ImageDraw.ImageDraw,
    days: pd.Index,
    places: Sequence[float],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    last_month, free = None, 0.0
    for x, day in zip(places, days, strict=True):
        month = (day.year, day.month)
        if month != last_month and last_month is not None and x >= free:
            pen.line((x, _PANELS["price"][0], x, _PANELS["rsi"][1]), _LINE)
            pen.text((x + 3, _PANELS["rsi"][1] + 4), f"{day:%b %Y}", _SOFT, font)
            free = x + 62
        last_month = month
