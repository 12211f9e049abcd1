"""Reads the documentation: its pages, their snippets, links and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

__all__ = [
    "PAGES",
    "ROOT",
    "Snippet",
    "anchors",
    "codes_in",
    "headings",
    "links",
    "name",
    "read",
    "rows",
    "snippets",
]

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
        ROOT / "spec" / "wire.md",
    ]
)

_FENCE = re.compile(
    r"^(?:<!-- (?P<note>[^\n]*?) -->\n)?(?P<indent> *)```(?P<language>\w+)\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_FENCED = re.compile(r"^(?P<indent> *)```.*?^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)|(?:srcset|src|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


class Snippet(NamedTuple):
    """A block of code.

    Attributes:
        note: the comment on the line before it, which may say why it is not run.
        line: where it begins.
    """

    page: Path
    line: int
    language: str
    note: str
    code: str

    @property
    def runs(self) -> bool:
        """Whether it is meant to be run."""
        return not self.note.startswith("not run: ")


def read(page: str) -> str:
    """A page by its path in the repository."""
    return (ROOT / page).read_text()


def name(page: Path) -> str:
    """A page's path in the repository."""
    return page.relative_to(ROOT).as_posix()


def snippets(page: Path, *languages: str) -> Iterator[Snippet]:
    """The blocks of a page in these languages."""
    text = page.read_text()
    for found in _FENCE.finditer(text):
        if found["language"] in languages:
            line = text.count("\n", 0, found.start("code")) + 1
            yield Snippet(page, line, found["language"], found["note"] or "", dedent(found["code"]))


def links(page: Path) -> Iterator[str]:
    """Where a page links to."""
    text = _CODE.sub("", _FENCED.sub("", page.read_text()))
    for markdown, html in _LINK.findall(text):
        yield markdown or html


def headings(text: str) -> list[str]:
    """The headings of a text, as they are written."""
    return _HEADING.findall(_FENCED.sub("", text))


def anchors(page: Path) -> set[str]:
    """The anchors that the headings of a page get."""
    plain = (re.sub(r"[`*]", "", heading).strip().lower() for heading in headings(page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def rows(text: str, *, after: str = "") -> Iterator[list[str]]:
    """The cells of each row of tables, header rows and rules left out.

    Args:
        after: only of the first table after this text.
    """
    lines = iter(text[text.index(after) + len(after) :].splitlines() if after else text.splitlines())
    inside = False
    for line in lines:
        if not line.startswith("|"):
            if inside and after:
                return
            inside = False
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not inside:
            inside = True
            next(lines)
        else:
            yield cells


def codes_in(cell: str) -> list[str]:
    """What stands in back-quotes."""
    return re.findall(r"`([^`]+)`", cell)
