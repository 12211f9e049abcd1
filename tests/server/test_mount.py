"""Where we are mounted, as servers and frameworks tell it."""

from __future__ import annotations

from typing import Any

import pytest

from headway.server.mount import ROOT, Place, place_of, place_within, root_of


@pytest.mark.parametrize(
    ("scope", "place"),
    [
        ({"path": "/ws"}, Place("", "/ws")),
        ({"path": "/ws", "root_path": "", "raw_path": b"/ws"}, Place("", "/ws")),
        # Starlette: the whole path, and the root beside it.
        ({"path": "/hw/ws", "root_path": "/hw", "raw_path": b"/hw/ws"}, Place("/hw", "/ws")),
        ({"path": "/a/hw/", "root_path": "/a/hw", "raw_path": b"/a/hw/"}, Place("/a/hw", "/")),
        ({"path": "/hw", "root_path": "/hw/"}, Place("/hw", "")),
        # Before 0.33: the root is taken away.
        ({"path": "/ws", "root_path": "/hw", "raw_path": b"/hw/ws"}, Place("/hw", "/ws")),
        ({"path": "/ws", "root_path": "/hw"}, Place("/hw", "/ws")),
        # Litestar: taken away without a word, and a slash added.
        ({"path": "/ws/", "root_path": "", "raw_path": b"/hw/ws"}, Place("/hw", "/ws")),
        ({"path": "/ws/", "root_path": "", "raw_path": b"/hw/ws/"}, Place("/hw", "/ws/")),
        ({"path": "/", "root_path": "", "raw_path": b"/hw"}, Place("/hw", "")),
        ({"path": "/", "root_path": "", "raw_path": b"/hw/"}, Place("/hw", "/")),
        # Another path that begins with the same letters, other letters for the same path, and a query in the raw path.
        ({"path": "/hwx/ws", "root_path": "/hw", "raw_path": b"/hwx/ws"}, Place("/hw", "/hwx/ws")),
        ({"path": "/ws", "root_path": "", "raw_path": b"/%77s"}, Place("", "/ws")),
        ({"path": "/poll", "root_path": "", "raw_path": b"/poll?task=/poll"}, Place("", "/poll")),
    ],
)
def test_place(scope: dict[str, Any], place: Place) -> None:
    assert place_of(scope) == place


@pytest.mark.parametrize(
    ("place", "base", "within"),
    [
        (Place("", "/ws"), "", Place("", "/ws")),
        (Place("", "/hw/ws"), "/hw", Place("/hw", "/ws")),
        (Place("", "/hw"), "/hw", Place("/hw", "")),
        (Place("/a", "/hw/"), "/hw", Place("/a/hw", "/")),
        # Mounted at the base itself.
        (Place("/hw", "/ws"), "/hw", Place("/hw", "/ws")),
        (Place("", "/ws"), "/hw", None),
        (Place("", "/hwx"), "/hw", None),
    ],
)
def test_place_below_a_base(place: Place, base: str, within: Place | None) -> None:
    assert place_within(place, base) == within


@pytest.mark.parametrize(
    ("root", "safe"),
    [
        ("", ""),
        ("/headway", "/headway"),
        ("//evil.example", "/evil.example"),
        ('/"><script>', "/%22%3E%3Cscript%3E"),
        ("/a;b=c", "/a%3Bb%3Dc"),
        ("/é", "/%C3%A9"),
    ],
)
def test_a_root_is_safe_wherever_it_is_written(root: str, safe: str) -> None:
    assert root_of({ROOT: root}) == safe
