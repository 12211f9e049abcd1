"""The elements' reference has every attribute, event, style and export of their sources."""

from __future__ import annotations

import re

from tests.docs.texts import ROOT, codes_in, read, rows

SOURCES = ROOT / "web" / "src" / "elements"
TEXT = read("docs/reference/elements.md")


def _source(name: str) -> str:
    return (SOURCES / name).read_text()


def _described(heading: str) -> dict[str, str]:
    return {code: cells[1] for cells in rows(TEXT, after=heading) for code in codes_in(cells[0])}


ELEMENTS = ("headway-task", "headway-tasks", "headway-inbox")


def _of(cells: str) -> set[str]:
    """The elements that a row is about."""
    return set(ELEMENTS) if cells == "all" else set(codes_in(cells))


def test_every_attribute_is_described_and_nothing_else() -> None:
    described = _described("## Attributes")
    for element in ELEMENTS:
        source = _source(f"{element}.ts")
        found = re.search(r"observedAttributes = \[([^\]]*)\]", source)
        assert found
        known = set(re.findall(r'"(\w+)"', found[1])) | set(re.findall(r'hasAttribute\("(\w+)"\)', source))
        # The theme is read by the styles alone.
        assert {name for name, of in described.items() if element in _of(of)} == known | {"theme"}, element
    assert ':host([theme="auto"])' in _source("styles.ts")


def test_every_event_is_described_and_nothing_else() -> None:
    described = _described("## Events")
    for element in ELEMENTS:
        # What all of them say is in what they have in common.
        sources = _source(f"{element}.ts") + _source("following.ts")
        fired = set(re.findall(r'this\.fire\("([\w-]+)"', sources))
        assert {name for name, of in described.items() if element in _of(of)} == fired, element


def test_every_custom_property_and_part_is_described_and_nothing_else() -> None:
    assert set(_described("## Looks")) == set(re.findall(r"var\((--headway-[a-z]+)", _source("styles.ts")))
    parts = set()
    for path in SOURCES.glob("*.ts"):
        parts |= set(re.findall(r'"part", "(\w+)"', path.read_text()))
        parts |= set(re.findall(r'\.part\.add\("(\w+)"', path.read_text()))
    assert set(codes_in(TEXT[TEXT.index("Parts:") :].splitlines()[0])) == parts


def test_every_export_is_named() -> None:
    exported = re.findall(r"^export \{ ([^}]*) \}", _source("index.ts"), re.MULTILINE)
    named = {name.strip() for names in exported for name in names.split(",")}
    assert named <= set(codes_in(TEXT))
