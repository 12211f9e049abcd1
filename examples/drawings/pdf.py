"""PDF: what its pages are drawn with, by pdfplumber. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from io import BytesIO
from itertools import pairwise
from typing import Any

import pdfplumber
from pdfminer.pdftypes import resolve1

from examples.drawings.findings import Findings, Unreadable, Watch

__all__ = ["MOST_PAGES", "analyse_pdf"]

MOST_PAGES = 100
_MOST_SHAPES = 500_000
_MM = 25.4 / 72
_KINDS = {"line": "lines", "rect": "rects", "curve": "curves", "image": "images"}


def analyse_pdf(content: bytes, watch: Watch) -> Findings:
    """Count, measure and read; lengths are in points.

    Raises:
        Unreadable: it is no PDF, it is locked, or it has more than 100 pages or 500 000 shapes.
    """
    watch.stage("reading", 1)
    try:
        return _analyse(content, watch)
    except Unreadable:
        raise
    except Exception as error:
        # Cancelling is no Exception, so it is not taken for a broken file.
        raise Unreadable(f"The PDF cannot be read ({type(error).__name__})") from error


def _analyse(content: bytes, watch: Watch) -> Findings:
    with pdfplumber.open(BytesIO(content)) as document:
        pages = document.pages
        if not pages:
            raise Unreadable("The drawing has no page")
        if len(pages) > MOST_PAGES:
            raise Unreadable(f"The drawing has more than {MOST_PAGES} pages")
        found = Findings("pdf")
        for name in _layers(document.doc.catalog):
            found.layers.setdefault(name, 0)
        watch.done(1, f"{len(pages)} pages")
        watch.stage("measuring", len(pages))
        written: list[str] = []
        for number, page in enumerate(pages, 1):
            found.pages.append(
                {
                    "width": round(float(page.width) * _MM, 1),
                    "height": round(float(page.height) * _MM, 1),
                    "unit": "mm",
                }
            )
            _measure(page, found)
            written.append(page.extract_text() or "")
            # What a page was made of is not needed again, and a hundred pages of it is much.
            page.close()
            watch.done(number, f"Page {number} of {len(pages)}")
    watch.stage("texts", len(written))
    for number, text in enumerate(written, 1):
        found.texts += [" ".join(line.split()) for line in text.splitlines() if line.strip()]
        watch.done(number, f"Page {number} of {len(written)}")
    return found


def _measure(page: Any, found: Findings) -> None:
    for kind, name in _KINDS.items():
        for shape in getattr(page, name):
            found.shapes[kind] += 1
            if kind in ("line", "curve"):
                points = shape.get("pts") or []
                found.lengths[kind] += sum(math.dist(one, other) for one, other in pairwise(points))
            elif kind == "rect":
                found.lengths[kind] += 2 * float(shape["width"]) + 2 * float(shape["height"])
            layer = _tag(shape)
            if layer:
                found.layers[layer] += 1
            if shape.get("stroke") and (colour := _colour(shape.get("stroking_color"))):
                found.colours[colour] += 1
        if found.shapes.total() > _MOST_SHAPES:
            raise Unreadable(f"The drawing has more than {_MOST_SHAPES} shapes")
    for sign in page.chars:
        # Subsets carry six letters before the name of the font.
        found.fonts.add(str(sign.get("fontname", "")).rpartition("+")[2])


def _tag(shape: Mapping[str, Any]) -> str | None:
    tag = shape.get("tag")
    return str(tag) if tag and tag != "Artifact" else None


def _colour(value: Any) -> str | None:
    parts = value if isinstance(value, (tuple, list)) else (value,)
    if len(parts) not in (1, 3) or not all(isinstance(part, (int, float)) for part in parts):
        return None
    red, green, blue = parts if len(parts) == 3 else parts * 3
    return "#" + "".join(f"{round(255 * min(max(part, 0), 1)):02x}" for part in (red, green, blue))


def _layers(catalog: Mapping[str, Any]) -> list[str]:
    properties = resolve1(catalog.get("OCProperties")) or {}
    groups = (resolve1(group) for group in resolve1(properties.get("OCGs")) or [])
    names = (resolve1(group.get("Name")) for group in groups if isinstance(group, dict))
    return [_text(name) for name in names if isinstance(name, bytes)]


def _text(name: bytes) -> str:
    return name.decode("utf-16" if name[:2] in (b"\xfe\xff", b"\xff\xfe") else "latin-1", errors="replace")
