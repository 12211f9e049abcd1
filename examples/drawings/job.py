"""The job: which format a file has, and its analysis. Pure: it says where it is to whoever watches."""

from __future__ import annotations

from typing import Any

from examples.drawings.findings import Unreadable, Watch
from examples.drawings.pdf import analyse_pdf
from examples.drawings.svg import analyse_svg

__all__ = ["analyse"]


def analyse(content: bytes, watch: Watch) -> dict[str, Any]:
    """What is in a drawing, whatever its file is called; `Findings.results` has the shape.

    Raises:
        Unreadable: it is neither an SVG nor a PDF drawing, or one that is broken or beyond all bounds.
    """
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"%PDF-"):
        found = analyse_pdf(content, watch)
    elif start.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        found = analyse_svg(content, watch)
    else:
        raise Unreadable("The file is neither an SVG nor a PDF drawing")
    watch.stage("summary", 1)
    results = found.results()
    watch.done(1, f"{found.shapes.total()} shapes, {len(found.texts)} texts")
    return results
