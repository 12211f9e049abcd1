"""Colours: what a prompt's words ask for, else what its seed gives. Pure."""

from __future__ import annotations

import colorsys
import random

import numpy as np
import numpy.typing as npt

from examples.studio.noise import Field

__all__ = ["Palette", "colour", "palette_for"]

Palette = npt.NDArray[np.float64]
"""Stops from dark to light: rows of red, green, blue, 0 to 1."""

_NAMED = {
    ("ink", "mono", "black", "white", "grey", "gray", "水墨", "墨"): ("#0c0c0e", "#3a3b40", "#7d7f86", "#c3c4c7", "#faf9f6"),
    ("sunset", "sunrise", "dusk", "dawn", "日落", "日出", "黄昏"): ("#1d1033", "#6b1f5c", "#d1495b", "#f79256", "#fbd87f"),
    ("sea", "ocean", "water", "lake", "river", "海", "湖", "水"): ("#03142e", "#06436b", "#0e86a8", "#5fc9c8", "#e9fbf4"),
    ("forest", "tree", "leaf", "garden", "jungle", "森林", "树", "草"): ("#08170d", "#14432a", "#2f7d3b", "#93b955", "#eef2c6"),
    ("fire", "lava", "flame", "volcano", "火"): ("#0d0203", "#5c0a0a", "#c8280f", "#ff8a1f", "#fff1a6"),
    ("ice", "snow", "winter", "frost", "冰", "雪"): ("#12263f", "#3d6f9e", "#8fc1e3", "#d6ecf7", "#ffffff"),
    ("desert", "sand", "dune", "沙漠"): ("#2f1509", "#8a4b20", "#d3934a", "#ecc888", "#fbf1d8"),
    ("night", "space", "star", "galaxy", "nebula", "夜", "星", "宇宙"): ("#03020c", "#1b1147", "#5a2a83", "#c060a1", "#ffe3e3"),
    ("rose", "flower", "cherry", "spring", "pink", "花", "樱"): ("#35102c", "#86275c", "#dd5c8d", "#f7b2c4", "#fff3ee"),
    ("neon", "city", "cyber", "霓虹", "城市"): ("#05010f", "#2b0a5e", "#d4145a", "#14d4c8", "#f5f749"),
    ("gold", "amber", "honey", "autumn", "fall", "金", "秋"): ("#1c0d02", "#6b3507", "#b86d10", "#eab13b", "#fff0bd"),
    ("red", "红"): ("#1a0306", "#6d0f1a", "#c1272d", "#ee7a6b", "#ffe5dd"),
    ("blue", "蓝"): ("#050b26", "#16307a", "#2f6fd6", "#86b8f2", "#eef6ff"),
    ("green", "绿"): ("#04170f", "#0f4f35", "#2a9d6a", "#93d8a8", "#f0fbe9"),
}  # fmt: skip


def palette_for(words: list[str], chance: random.Random) -> Palette:
    """Five colours from dark to light."""
    for word in words:
        for names, stops in _NAMED.items():
            if any(
                word == name or word == f"{name}s" or (not name.isascii() and name in word) for name in names
            ):
                return np.array([[int(stop[at : at + 2], 16) / 255 for at in (1, 3, 5)] for stop in stops])
    hue, turn = chance.random(), chance.choice((0.08, 0.15, 0.33, 0.5)) * chance.choice((-1, 1))
    return np.array(
        [
            colorsys.hls_to_rgb((hue + turn * part) % 1, 0.07 + 0.84 * part, 0.75 - 0.3 * part)
            for part in (0, 0.25, 0.5, 0.75, 1)
        ]
    )


def colour(palette: Palette, values: Field) -> npt.NDArray[np.float64]:
    """Colours for values from 0 to 1, between the stops: an array with a last axis of red, green, blue."""
    stops = np.linspace(0, 1, len(palette))
    return np.stack([np.interp(values, stops, palette[:, channel]) for channel in range(3)], axis=-1)
