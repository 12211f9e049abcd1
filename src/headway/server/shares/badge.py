"""A badge: a title and where it stands, as a small SVG picture as wide as its text. Pure."""

from __future__ import annotations

import unicodedata
from html import escape

from headway.model.task import TaskState

__all__ = ["badge", "plain"]

_LABEL_CHARS = 40
_HEIGHT = 20
_PAD = 7
_COLOURS = {
    TaskState.RUNNING: "#2563eb",
    TaskState.SUCCEEDED: "#15803d",
    TaskState.FAILED: "#b91c1c",
    TaskState.LOST: "#b45309",
    TaskState.PAUSED: "#b45309",
}
_QUIET = "#52525b"
# Widths of Verdana's letters at 11 pixels, near enough: the text is fitted to the width that is reckoned with.
_NARROW = frozenset("ijlI.,:;'|!()[] ")
_SLIM = frozenset('frtJ-"/')
_BROAD = frozenset("mwMWGOQ%@")


def badge(label: str, value: str, state: TaskState | None) -> str:
    """The picture.

    Args:
        label: what it is about; cut when it is long.
        state: chooses the colour; quiet for None.
    """
    label, value = plain(label, _LABEL_CHARS), plain(value, _LABEL_CHARS)
    left, right = _width(label) + 2 * _PAD, _width(value) + 2 * _PAD
    colour = _COLOURS.get(state, _QUIET) if state is not None else _QUIET
    whole = left + right
    said = escape(f"{label}: {value}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{_HEIGHT}" role="img" aria-label="{said}">'
        f"<title>{said}</title>"
        f'<clipPath id="r"><rect width="{whole}" height="{_HEIGHT}" rx="4"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="{_HEIGHT}" fill="#3f3f46"/>'
        f'<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{colour}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">'
        f"{_text(label, _PAD)}{_text(value, left + _PAD)}</g></svg>"
    )


def plain(text: str, limit: int) -> str:
    """`text` on one line, without what XML cannot hold and without marks that turn the direction of what follows."""
    kept = "".join(" " if char.isspace() else char for char in text)
    kept = "".join(char for char in kept if char == " " or unicodedata.category(char)[0] not in "CZ")
    kept = " ".join(kept.split())
    return kept if len(kept) <= limit else kept[: limit - 1].rstrip() + "…"


def _text(text: str, x: int) -> str:
    if not text:
        return ""
    return (
        f'<text x="{x}" y="14" textLength="{_width(text)}" lengthAdjust="spacingAndGlyphs" '
        f'xml:space="preserve">{escape(text)}</text>'
    )


def _width(text: str) -> int:
    """Pixels."""
    return round(sum(map(_char_width, text)))


def _char_width(char: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 11.0
    if char in _NARROW:
        return 4.2
    if char in _SLIM:
        return 5.0
    if char in _BROAD:
        return 9.6
    return 7.5 if char.isupper() else 6.9
