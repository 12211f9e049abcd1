"""SVG: shapes, sizes, layers and texts of a file that may come from anybody. Pure."""

from __future__ import annotations

import math
import re
from io import BytesIO
from itertools import pairwise
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from examples.drawings.findings import Findings, Unreadable, Watch

__all__ = ["MOST_ELEMENTS", "analyse_svg"]

MOST_ELEMENTS = 200_000
_DEEPEST = 256
_TELL = 100
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_UNITS = {"mm": 1.0, "cm": 10.0, "in": 25.4, "pt": 25.4 / 72, "pc": 25.4 / 6}
_SHAPES = frozenset(
    ("path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "image", "use")
)
_LAYER = "{http://www.inkscape.org/namespaces/inkscape}"


def analyse_svg(content: bytes, watch: Watch) -> Findings:
    """Count, measure and read. Lengths are those before any `transform`.

    Raises:
        Unreadable: it is no SVG; or it declares a document type or entities, which no drawing needs; or it has more than
            200 000 elements, or is nested deeper than 256.
    """
    watch.stage("reading", 1)
    root, count = _read(content)
    found = Findings("svg", pages=[_size(root)])
    watch.done(1, f"{count} elements")
    watch.stage("measuring", count)
    texts: list[Element] = []
    # A stack of one's own: how deep a drawing is nested is for its author to say.
    waiting: list[tuple[Element, str | None, bool]] = [(root, None, False)]
    done = 0
    while waiting:
        element, layer, hidden = waiting.pop()
        name = _local(element)
        # What is only defined is drawn where it is used.
        hidden = hidden or name in ("defs", "symbol", "clipPath", "mask", "pattern", "marker")
        if name == "g" and (named := _layer(element)):
            layer = named
            found.layers.setdefault(named, 0)
        if name in _SHAPES and not hidden:
            found.shapes[name] += 1
            if layer is not None:
                found.layers[layer] += 1
            if (length := _length(name, element)) > 0:
                found.lengths[name] += length
            _note_colours(element, found)
            if name == "text":
                texts.append(element)
        waiting.extend((child, layer, hidden) for child in reversed(element))
        done += 1
        if done % _TELL == 0 or done == count:
            watch.done(done, f"{found.shapes.total()} shapes")
    watch.stage("texts", max(1, len(texts)))
    if not texts:
        watch.done(1, "No texts")
    for number, element in enumerate(texts, 1):
        text = " ".join("".join(element.itertext()).split())
        if text:
            found.texts.append(text)
        if family := _style(element, "font-family"):
            found.fonts.add(family.split(",")[0].strip("\"' "))
        watch.done(number, text[:60])
    return found


def _read(content: bytes) -> tuple[Element, int]:
    count = depth = 0
    root: Element | None = None
    try:
        for event, element in iterparse(BytesIO(content), ("start", "end"), forbid_dtd=True):
            if event == "end":
                depth -= 1
                continue
            root = element if root is None else root
            count += 1
            depth += 1
            if count > MOST_ELEMENTS:
                raise Unreadable(f"The drawing has more than {MOST_ELEMENTS} elements")
            if depth > _DEEPEST:
                raise Unreadable(f"The drawing is nested deeper than {_DEEPEST}")
    except DefusedXmlException:
        raise Unreadable("The drawing declares a document type or entities; save it without them") from None
    except (ParseError, LookupError, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"The file is not XML: {error}") from None
    if root is None or _local(root) != "svg":
        raise Unreadable("The file is not an SVG drawing")
    return root, count


def _size(root: Element) -> dict[str, float | str]:
    width, height = (_millimetres(root.get(name, "")) for name in ("width", "height"))
    if width and height:
        return {"width": round(width, 1), "height": round(height, 1), "unit": "mm"}
    box = _numbers(root.get("viewBox", ""))
    plain = [*_numbers(root.get("width", ""))[:1], *_numbers(root.get("height", ""))[:1]]
    sides = box[2:4] if len(box) == 4 else plain if len(plain) == 2 else [0.0, 0.0]
    return {"width": round(sides[0], 1), "height": round(sides[1], 1), "unit": "px"}


def _millimetres(text: str) -> float | None:
    found = re.fullmatch(r"\s*([\d.]+)\s*([a-z]+)\s*", text)
    try:
        return float(found[1]) * _UNITS[found[2]] if found and found[2] in _UNITS else None
    except ValueError:
        return None


def _layer(element: Element) -> str | None:
    if element.get(f"{_LAYER}groupmode") == "layer":
        return element.get(f"{_LAYER}label") or element.get("id") or "layer"
    return element.get("id")


def _length(name: str, element: Element) -> float:
    def value(key: str) -> float:
        numbers = _numbers(element.get(key, ""))
        return numbers[0] if numbers else 0.0

    match name:
        case "line":
            return math.hypot(value("x2") - value("x1"), value("y2") - value("y1"))
        case "rect":
            return 2 * abs(value("width")) + 2 * abs(value("height"))
        case "circle":
            return 2 * math.pi * abs(value("r"))
        case "ellipse":
            a, b = abs(value("rx")), abs(value("ry"))
            # Ramanujan's approximation.
            return math.pi * (3 * (a + b) - math.sqrt((3 * a + b) * (a + 3 * b)))
        case "polyline" | "polygon":
            numbers = _numbers(element.get("points", ""))
            points = list(zip(numbers[::2], numbers[1::2], strict=False))
            if name == "polygon" and points:
                points.append(points[0])
            return sum(math.dist(one, other) for one, other in pairwise(points))
    return 0.0


def _note_colours(element: Element, found: Findings) -> None:
    for name in ("fill", "stroke"):
        colour = _style(element, name)
        if colour and colour not in ("none", "inherit", "currentColor") and not colour.startswith("url"):
            found.colours[colour[:40].lower()] += 1


def _style(element: Element, name: str) -> str | None:
    for part in element.get("style", "").split(";"):
        key, _, value = part.partition(":")
        if key.strip() == name:
            return value.strip()
    return element.get(name)


def _numbers(text: str) -> list[float]:
    return [number for number in map(float, _NUMBER.findall(text)) if math.isfinite(number)]


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
