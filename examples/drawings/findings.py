"""What an analysis gives, and how it says where it is. Pure."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["STAGES", "Drawing", "Findings", "Unreadable", "Watch"]

STAGES = (("reading", 1), ("measuring", 6), ("texts", 2), ("summary", 1))
"""The stages of every analysis, and their shares."""

_SHOWN_CHARS = 120
_TEXT_BYTES = 6000
_LABEL_BYTES = 2500
_COUNT_BYTES = 8


class Unreadable(ValueError):
    """This is no drawing that can be analysed; the message says why."""


class Watch(Protocol):
    """Told where an analysis is."""

    def stage(self, name: str, total: int) -> None:
        """A stage begins that has so many parts."""

    def done(self, parts: int, about: str) -> None:
        """So many parts of the stage are done."""


class Drawing(Protocol):
    """Analyses one file format."""

    def __call__(self, content: bytes, watch: Watch) -> Findings:
        """Analyse a file.

        Raises:
            Unreadable: it is not of this format, or beyond its bounds.
        """


@dataclass
class Findings:
    """What is in a drawing.

    Attributes:
        format: `svg` or `pdf`.
        pages: `{width, height, unit}` of each page as `mm`, or as `px` where a drawing does not say.
        shapes: how many of each kind there are.
        lengths: drawn length of each kind of which it is known, in the units of the drawing.
        layers: names of layers, with how many shapes each has.
        colours: how often each is used, the most used first.
        fonts: names.
        texts: what is written, in order.
    """

    format: str
    pages: list[dict[str, Any]] = field(default_factory=list)
    shapes: Counter[str] = field(default_factory=Counter)
    lengths: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    layers: Counter[str] = field(default_factory=Counter)
    colours: Counter[str] = field(default_factory=Counter)
    fonts: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)

    def results(self) -> dict[str, Any]:
        """As JSON of a bounded size, whatever is in the drawing."""
        made: dict[str, Any] = {"format": self.format}
        made["pages"] = {"count": len(self.pages), "sizes": self.pages[:10]}
        made["shapes"] = {"total": self.shapes.total(), **dict(self.shapes.most_common(30))}
        made["lengths"] = {kind: round(length, 1) for kind, length in sorted(self.lengths.items())[:30]}
        layers = _within([name for name, _ in self.layers.most_common()], _LABEL_BYTES)
        made["layers"] = {name: self.layers[whole] for whole, name in layers.items()}
        made["colours"] = dict(self.colours.most_common(12))
        made["fonts"] = list(_within(sorted(self.fonts), _LABEL_BYTES).values())
        made["texts"] = {"count": len(self.texts), "first": list(_within(self.texts, _TEXT_BYTES).values())}
        return made


def _within(texts: list[str], room: int) -> dict[str, str]:
    """The first of them that have room in so many bytes of JSON, each with what is shown of it."""
    found: dict[str, str] = {}
    for text in dict.fromkeys(texts):
        shown = text[:_SHOWN_CHARS]
        # A quotation mark needs two signs in JSON, a control character six.
        room -= len(json.dumps(shown, ensure_ascii=False).encode()) + _COUNT_BYTES
        if room < 0:
            break
        found[text] = shown
    return found
