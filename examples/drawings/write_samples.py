"""Writes `sample.svg` and `sample.pdf`: the plan of a small flat, twice.

python -m examples.drawings.write_samples
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_HERE = Path(__file__).parent
_WIDTH, _HEIGHT = 420, 297

_ROOMS = (
    ("Kitchen", 30, 30, 120, 90),
    ("Living room", 150, 30, 200, 140),
    ("Bath", 30, 120, 120, 50),
    ("Bedroom", 30, 170, 160, 90),
    ("Study", 190, 170, 160, 90),
)
_DOORS = ((150, 90, 28), (110, 120, 24), (150, 190, 28), (200, 170, 28))
_WINDOWS = ((60, 30, 60), (200, 30, 90), (60, 260, 80), (240, 260, 80))


def svg() -> str:
    """The plan with layers as Inkscape has them."""
    walls = "".join(
        f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="none" stroke="#222222" stroke-width="2"/>'
        for _, x, y, w, h in _ROOMS
    )
    doors = "".join(
        f'<path d="M {x} {y} v {r} a {r} {r} 0 0 0 {r} -{r} z" fill="none" stroke="#a05a00"/>'
        for x, y, r in _DOORS
    )
    windows = "".join(
        f'<line x1="{x}" y1="{y}" x2="{x + w}" y2="{y}" stroke="#1f6fd1" stroke-width="4"/>'
        for x, y, w in _WINDOWS
    )
    names = "".join(
        f'<text x="{x + 8}" y="{y + 18}" font-family="Helvetica" font-size="10">{name} {w * h / 100:.1f} m²</text>'
        for name, x, y, w, h in _ROOMS
    )
    layers = {
        "Walls": walls,
        "Doors": doors,
        "Windows": windows,
        "Texts": names
        + '<circle cx="390" cy="40" r="12" fill="none" stroke="#222222"/><text x="386" y="44">N</text>',
    }
    drawn = "".join(
        f'<g inkscape:groupmode="layer" inkscape:label="{name}">{shapes}</g>\n'
        for name, shapes in layers.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
        f'width="{_WIDTH}mm" height="{_HEIGHT}mm" viewBox="0 0 {_WIDTH} {_HEIGHT}">\n{drawn}</svg>\n'
    )


def pdf() -> bytes:
    """The same on a page of the same size."""
    k = 72 / 25.4
    down = _HEIGHT * k
    lines = ["0.13 0.13 0.13 RG 2 w"]
    lines += [
        f"{x * k:.1f} {down - (y + h) * k:.1f} {w * k:.1f} {h * k:.1f} re S" for _, x, y, w, h in _ROOMS
    ]
    lines += ["0.63 0.35 0 RG 1 w"]
    lines += [
        f"{x * k:.1f} {down - (y + r) * k:.1f} m {(x + r * 0.55) * k:.1f} {down - (y + r) * k:.1f} {(x + r) * k:.1f} {down - (y + r * 0.55) * k:.1f} {(x + r) * k:.1f} {down - y * k:.1f} c S"
        for x, y, r in _DOORS
    ]
    lines += ["0.12 0.44 0.82 RG 4 w"]
    lines += [
        f"{x * k:.1f} {down - y * k:.1f} m {(x + w) * k:.1f} {down - y * k:.1f} l S" for x, y, w in _WINDOWS
    ]
    lines += [
        f"BT /F1 12 Tf {(x + 8) * k:.1f} {down - (y + 18) * k:.1f} Td ({name} {w * h / 100:.1f} m2) Tj ET"
        for name, x, y, w, h in _ROOMS
    ]
    stream = "\n".join(lines).encode()
    return _document(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.1f %.1f] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            % (_WIDTH * k, down),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
    )


def _document(objects: Iterable[bytes]) -> bytes:
    made = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, table)
    return bytes(made)


if __name__ == "__main__":
    (_HERE / "sample.svg").write_text(svg(), encoding="utf-8")
    (_HERE / "sample.pdf").write_bytes(pdf())
