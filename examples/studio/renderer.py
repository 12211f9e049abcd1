"""The job: a picture from a prompt and a seed, tile by tile. Pure: the same request gives the same picture."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from examples.studio.looks import LOOKS, look_for
from examples.studio.palettes import palette_for

__all__ = ["TILE", "Sheet"]

TILE = 128
"""Pixels along the edge of a tile."""

_SMOOTH = 2
"""Points along the edge of a pixel that are averaged, so that edges are not jagged."""


class Sheet:
    """One picture while it is painted.

    Attributes:
        look: the name of what it looks like.
        tiles: how many there are.
        picture: what is painted; black where nothing is yet.
    """

    def __init__(self, prompt: str, seed: int, width: int, height: int) -> None:
        """Choose look and colours; nothing is painted yet."""
        words = re.findall(r"\w+", prompt.casefold())
        # The words count beside the seed, so that another prompt with the same seed is another picture.
        self._seed = (zlib.crc32(prompt.casefold().encode()) ^ (seed * 0x9E3779B1)) & 0x7FFFFFFF
        chance = random.Random(self._seed)  # noqa: S311 - nothing secret
        self.look = look_for(words, self._seed)
        self._palette = palette_for(words, chance)
        self._zoom = chance.uniform(0.8, 1.35)
        self._size = (width, height)
        self._corners = [(left, top) for top in range(0, height, TILE) for left in range(0, width, TILE)]
        self.tiles = len(self._corners)
        self.picture = Image.new("RGB", self._size)

    def paint(self) -> Iterator[int]:
        """Paint one tile after the other; gives how many are painted each time."""
        width, height = self._size
        for done, (left, top) in enumerate(self._corners, 1):
            right, bottom = min(left + TILE, width), min(top + TILE, height)
            self.picture.paste(Image.fromarray(self._tile(left, top, right, bottom)), (left, top))
            yield done

    def _tile(self, left: int, top: int, right: int, bottom: int) -> npt.NDArray[np.uint8]:
        width, height = self._size
        scale = 2 * self._zoom / max(width, height)
        across = (np.arange(left * _SMOOTH, right * _SMOOTH) + 0.5) / _SMOOTH - width / 2
        down = (np.arange(top * _SMOOTH, bottom * _SMOOTH) + 0.5) / _SMOOTH - height / 2
        x, y = np.meshgrid(across * scale, down * scale)
        colours = np.clip(LOOKS[self.look](x, y, self._palette, self._seed), 0, 1)
        points = colours.reshape(bottom - top, _SMOOTH, right - left, _SMOOTH, 3).mean(axis=(1, 3))
        # Towards the corners a little darker, as through a lens.
        edge = np.hypot(
            *np.meshgrid(
                (np.arange(left, right) + 0.5) / width - 0.5, (np.arange(top, bottom) + 0.5) / height - 0.5
            )
        )
        shaded = points * (1 - 0.35 * np.clip(edge - 0.35, 0, 1))[..., None]
        tile: npt.NDArray[np.uint8] = (shaded * 255 + 0.5).astype(np.uint8)
        return tile
