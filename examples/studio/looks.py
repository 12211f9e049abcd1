"""What pictures can look like. Each look gives the colour of any point by itself, so tiles fit together. Pure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from examples.studio.noise import Field, cells, fractal, lattice, noise
from examples.studio.palettes import Palette, colour

__all__ = ["LOOKS", "Look", "look_for"]

Look = Callable[[Field, Field, Palette, int], npt.NDArray[np.float64]]
"""From places (the picture is about two units wide, its middle is 0, 0), colours and a seed to red, green, blue."""


def silk(x: Field, y: Field, palette: Palette, seed: int) -> npt.NDArray[np.float64]:
    """Folds of cloth: noise that bends the noise that bends the noise."""
    u, v = fractal(x * 1.6, y * 1.6, seed), fractal(x * 1.6 + 5.2, y * 1.6 + 1.3, seed + 1)
    p, q = fractal(x + 3 * u, y + 3 * v, seed + 2), fractal(x + 3 * u + 8.3, y + 3 * v + 2.8, seed + 3)
    folds = fractal(x + 3.5 * p, y + 3.5 * q, seed + 4)
    return colour(palette, np.clip((folds - 0.22) * 1.7, 0, 1)) * (0.75 + 0.5 * p[..., None])


def waves(x: Field, y: Field, palette: Palette, seed: int) -> npt.NDArray[np.float64]:
    """Water under a bright sky: crests that get closer towards the horizon."""
    horizon = -0.25
    depth = np.maximum(y - horizon, 0.004)
    swell = fractal(x * 1.4 / depth * 0.35, np.log(depth) * 7, seed, 4)
    light = np.exp(-((x - 0.3 * (noise(np.zeros_like(x), y * 60, seed) - 0.5)) ** 2) / (0.02 + 0.25 * depth))
    water = 0.12 + 0.55 * swell**1.6 + 0.5 * light * (swell > 0.47)
    sky = 0.55 + 0.4 * (y + 1) / (1 + horizon) * 0.8 + 0.12 * fractal(x * 1.5, y * 5, seed + 9)
    sun = np.exp(-(x**2 + (y - horizon + 0.22) ** 2) * 60)
    return colour(palette, np.clip(np.where(y > horizon, water, sky + sun), 0, 1))


def ridges(x: Field, y: Field, palette: Palette, seed: int) -> npt.NDArray[np.float64]:
    """Mountains one behind the other, paler the further away."""
    value = 0.72 + 0.28 * np.clip(-y, 0, 1) * -0.6 + 0.08 * fractal(x * 1.2, y * 3, seed + 40)
    value += 0.5 * np.exp(
        -((x - (lattice(np.array(1), np.array(2), seed) - 0.5)) ** 2 + (y + 0.45) ** 2) * 220
    )
    layers = 7
    for layer in range(layers):
        near = layer / (layers - 1)
        line = fractal(x * (1.3 + near) + layer * 13.7, np.full_like(x, layer * 3.1), seed + layer, 6)
        edge = -0.45 + 0.95 * near - (line - 0.5) * (0.9 - 0.35 * near)
        shade = 0.62 * (1 - near) + 0.03 + 0.14 * np.clip((y - edge) * 1.5, 0, 1) * (1 - near)
        value = np.where(y > edge, shade, value)
    return colour(palette, np.clip(value, 0, 1))


def nebula(x: Field, y: Field, palette: Palette, seed: int) -> npt.NDArray[np.float64]:
    """Glowing clouds and stars."""
    bend = fractal(x * 1.3, y * 1.3, seed)
    cloud = (
        np.clip(fractal(x * 1.5 + 2.2 * bend, y * 1.5 - 1.7 * bend, seed + 5, 6) * 2.1 - 0.72, 0, 1) ** 1.4
    )
    picture = colour(palette, cloud) * (0.25 + 0.9 * cloud[..., None])
    for size, share, brightness in ((90, 0.012, 0.8), (34, 0.02, 1.0)):
        column, row = np.floor(x * size).astype(np.int64), np.floor(y * size).astype(np.int64)
        there = lattice(column, row, seed + size) < share
        away = np.hypot(x * size - column - 0.5, y * size - row - 0.5)
        picture = picture + (there * brightness * np.exp(-((away * 3.2) ** 2)))[..., None]
    return picture


def glass(x: Field, y: Field, palette: Palette, seed: int) -> npt.NDArray[np.float64]:
    """Panes of stained glass between leads."""
    u, v = x * 5 + 0.6 * noise(x * 3, y * 3, seed), y * 5 + 0.6 * noise(x * 3 + 9, y * 3, seed)
    first, second, which = cells(u, v, seed)
    lead = np.clip((second - first - 0.05) * 14, 0, 1)
    shine = 0.75 + 0.35 * fractal(x * 9, y * 9, seed + 6, 3)
    return colour(palette, 0.18 + 0.8 * which) * (lead * shine)[..., None]


def julia(x: Field, y: Field, palette: Palette, seed: int) -> npt.NDArray[np.float64]:
    """A Julia set, of the number that the seed picks."""
    constant = _JULIA[seed % len(_JULIA)] * np.exp(0.004j * (seed // len(_JULIA) % 7))
    point = (x + 1j * y) * 1.35
    escaped = np.zeros_like(x)
    alive = np.ones(x.shape, dtype=bool)
    for step in range(90):
        point[alive] = point[alive] ** 2 + constant
        gone = alive & (np.abs(point) > 4)
        escaped[gone] = step + 1 - np.log2(np.log2(np.abs(point[gone])))
        alive &= ~gone
    value = np.where(alive, 0.02, np.clip(np.sqrt(np.maximum(escaped, 0) / 55), 0, 1))
    return colour(palette, value)


def marble(x: Field, y: Field, palette: Palette, seed: int) -> npt.NDArray[np.float64]:
    """Veins through stone."""
    bent = x * 2.2 + y * 1.1 + 3.2 * fractal(x * 1.4, y * 1.4, seed, 6)
    vein = 1 - np.abs(np.sin(bent * 2.4)) ** 0.35
    grain = fractal(x * 6, y * 6, seed + 3)
    return colour(palette, np.clip(0.86 - 0.8 * vein - 0.25 * (0.5 - grain), 0, 1))


def rings(x: Field, y: Field, palette: Palette, seed: int) -> npt.NDArray[np.float64]:
    """Circles around a few centres that cross each other."""
    total = np.zeros_like(x)
    for number in range(4):
        at = np.array(number)
        left, top = (float(lattice(at, at + 5 * part, seed)) * 2 - 1 for part in (1, 2))
        total += np.sin(np.hypot(x - left, y - top) * (18 + 9 * number))
    return colour(palette, np.clip(0.5 + total / 7 + 0.1 * (fractal(x * 3, y * 3, seed) - 0.5), 0, 1))


LOOKS: dict[str, Look] = {
    "silk": silk,
    "waves": waves,
    "ridges": ridges,
    "nebula": nebula,
    "glass": glass,
    "julia": julia,
    "marble": marble,
    "rings": rings,
}

_JULIA = (
    -0.8 + 0.156j, -0.4 + 0.6j, 0.285 + 0.01j, -0.70176 - 0.3842j, -0.835 - 0.2321j, -0.7269 + 0.1889j, 0.355 + 0.355j,
    -0.54 + 0.54j, 0.37 + 0.1j, -0.194 + 0.6557j,
)  # fmt: skip
"""Numbers whose sets are neither dust nor a plain disc."""

_WORDS = {
    "waves": (
        "sea",
        "ocean",
        "wave",
        "water",
        "lake",
        "beach",
        "sunset",
        "sunrise",
        "海",
        "浪",
        "湖",
        "日落",
    ),
    "ridges": (
        "mountain",
        "hill",
        "valley",
        "landscape",
        "fog",
        "forest",
        "winter",
        "森林",
        "ink",
        "alps",
        "peak",
        "山",
        "水墨",
        "峰",
    ),
    "nebula": ("space", "star", "galaxy", "nebula", "night", "universe", "星", "宇宙", "夜"),
    "glass": ("glass", "mosaic", "window", "cathedral", "crystal", "city", "cell", "玻璃", "城市"),
    "julia": ("fractal", "julia", "spiral", "infinite", "mathematics", "dragon", "分形", "龙"),
    "marble": ("marble", "stone", "rock", "vein", "gold", "石"),
    "rings": ("ring", "circle", "ripple", "music", "sound", "rain", "圆", "雨"),
    "silk": ("silk", "smoke", "cloth", "dream", "fire", "flower", "abstract", "flow", "丝", "梦", "花", "火"),
}


def look_for(words: list[str], seed: int) -> str:
    """The name of the look that the words ask for, else of the one that the seed gives."""
    for word in words:
        for look, names in _WORDS.items():
            if any(
                word == name or word == f"{name}s" or (not name.isascii() and name in word) for name in names
            ):
                return look
    return list(LOOKS)[seed % len(LOOKS)]
