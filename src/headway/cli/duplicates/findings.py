"""What was found, in the forms in which it is shown: a small result, a file to keep, and a sentence."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["Findings", "Group", "Pair", "write_report"]

_SHOWN = 5
_NAMES = 6


class Group(msgspec.Struct, frozen=True):
    """Files of the same content, and the bytes that all but one of them waste."""

    files: list[str]
    wasted: int


class Pair(msgspec.Struct, frozen=True):
    """Two files that are alike, from 0 to 1."""

    one: str
    other: str
    alike: float


class Findings(msgspec.Struct):
    """Everything that was found; groups and pairs with the most telling first."""

    files: int
    skipped: int
    packages: int
    groups: list[Group]
    pairs: list[Pair]

    def sentence(self) -> str:
        """The whole in a line."""
        copies = sum(len(group.files) for group in self.groups)
        wasted = sum(group.wasted for group in self.groups)
        return (
            f"{_count(self.files, 'file')} in {_count(self.packages, 'package')}: "
            f"{_count(len(self.groups), 'group')} of exact duplicates ({_count(copies, 'file')}, "
            f"{wasted / 1024:.0f} KB to spare), {_count(len(self.pairs), 'pair')} of near duplicates"
        )

    def result(self) -> dict[str, Any]:
        """Small enough to be a task's result: counts, and the first few of each kind."""
        return {
            "files": self.files,
            "skipped": self.skipped,
            "packages": self.packages,
            "exact_groups": len(self.groups),
            "exact_files": sum(len(group.files) for group in self.groups),
            "wasted_bytes": sum(group.wasted for group in self.groups),
            "near_pairs": len(self.pairs),
            "largest_groups": [
                {"count": len(group.files), "wasted": group.wasted, "files": group.files[:_NAMES]}
                for group in self.groups[:_SHOWN]
            ],
            "nearest_pairs": [
                {"alike": round(pair.alike, 3), "files": [pair.one, pair.other]}
                for pair in self.pairs[:_SHOWN]
            ],
        }


def write_report(findings: Findings, folder: Path, name: str) -> Path:
    """Write everything down, as JSON for programs and as a page for people.

    Returns:
        the page.

    Raises:
        OSError: it cannot be written there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(findings), indent=1))
    page = folder / f"{name}.html"
    page.write_text(_page(findings), encoding="utf-8")
    return page


def _page(findings: Findings) -> str:
    groups = "".join(
        f"<li>{len(group.files)} times, {group.wasted} bytes to spare<ul>"
        + "".join(f"<li><code>{html.escape(name)}</code>" for name in group.files)
        + "</ul>"
        for group in findings.groups
    )
    pairs = "".join(
        f"<tr><td>{pair.alike:.1%}<td><code>{html.escape(pair.one)}</code><td><code>{html.escape(pair.other)}</code>"
        for pair in findings.pairs
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Duplicate files</title>'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        "<style>body{font:1rem/1.5 system-ui;max-width:70rem;margin:2rem auto;padding:0 1rem}td{padding-right:1rem}</style>"
        f"<h1>Duplicate files</h1><p>{html.escape(findings.sentence())}.</p>"
        f"<h2>Exact duplicates</h2><ol>{groups}</ol>"
        f"<h2>Near duplicates</h2><table>{pairs}</table></html>\n"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
