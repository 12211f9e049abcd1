"""What a form asks for, checked. Forms are written by clients of all kinds, so whatever says clearly what is wanted is taken. Pure."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

__all__ = ["MOST_EDGE", "MOST_IMAGES", "Order", "read_order"]

MOST_IMAGES = 8
MOST_EDGE = 4096
"""Pixels along the longer edge."""
_LEAST_EDGE = 64
_EDGE = 512
_MOST_RATIO = 8
_PROMPT_CHARS = 2000
_HIGHEST_SEED = 2**53 - 1
_AS_YOU_LIKE = -1
"""The seed of who wants another picture each time."""
_NUMBER = re.compile(r"-?\d{1,16}", re.ASCII)
_ONE_EDGE = re.compile(r"(\d{1,5}) ?(k|px)?", re.ASCII | re.IGNORECASE)
_SIDES = re.compile(r"(\d{1,5}) ?[x×*:] ?(\d{1,5})", re.ASCII | re.IGNORECASE)


class Order(NamedTuple):
    """What is to be painted.

    Attributes:
        seeds: one for each picture.
        width, height: in pixels.
    """

    prompt: str
    seeds: tuple[int, ...]
    width: int
    height: int


def read_order(form: dict[str, Any], chance: int) -> Order:
    """The order of a form `{prompt, resolution?, ratio?, seed?, numImages?}`.

    Args:
        chance: the seed when the form has none, or -1.

    Raises:
        ValueError: a field is wrong; the message says which.
    """
    prompt = form.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip() or len(prompt) > _PROMPT_CHARS:
        raise ValueError(f"The prompt is a text of 1 to {_PROMPT_CHARS} signs")
    count = _whole(form.get("numImages"), 1)
    if count is None or not 1 <= count <= MOST_IMAGES:
        raise ValueError(f"numImages is a number from 1 to {MOST_IMAGES}")
    seed = _whole(form.get("seed"), _AS_YOU_LIKE)
    if seed is None or not _AS_YOU_LIKE <= seed <= _HIGHEST_SEED:
        raise ValueError(f"The seed is a whole number up to {_HIGHEST_SEED}")
    first = chance if seed == _AS_YOU_LIKE else seed
    width, height = _size(form.get("resolution"), form.get("ratio"))
    return Order(" ".join(prompt.split()), tuple(first + number for number in range(count)), width, height)


def _size(resolution: Any, ratio: Any) -> tuple[int, int]:
    sides = (1, 1)
    edge: int | None = _EDGE
    if resolution not in (None, ""):
        text = str(resolution).strip()
        if both := _SIDES.fullmatch(text):
            sides = int(both[1]), int(both[2])
            edge = max(sides)
        else:
            one = _ONE_EDGE.fullmatch(text)
            edge = int(one[1]) * (1024 if (one[2] or "").lower() == "k" else 1) if one else None
    if edge is None or not _LEAST_EDGE <= edge <= MOST_EDGE:
        raise ValueError(
            f"The resolution is 512, 1K, 1024x768 or the like, {_LEAST_EDGE} to {MOST_EDGE} pixels"
        )
    if ratio not in (None, "", "auto"):
        given = _SIDES.fullmatch(str(ratio).strip())
        sides = (int(given[1]), int(given[2])) if given else (0, 0)
    if not 0 < max(sides) <= _MOST_RATIO * min(sides):
        raise ValueError(f"The ratio is 1:1, 16:9 or the like, 1:{_MOST_RATIO} to {_MOST_RATIO}:1")
    width, height = (round(edge * side / max(sides)) for side in sides)
    return width, height


def _whole(given: Any, default: int) -> int | None:
    """A whole number, which forms also write as a text; None when it is something else."""
    if given is None or given == "":
        return default
    if isinstance(given, bool) or not isinstance(given, int | str):
        return None
    return int(given) if _NUMBER.fullmatch(str(given).strip()) else None
