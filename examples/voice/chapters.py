"""A text into chapters, a chapter into sentences, and which voice reads one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Chapter", "find_chapters", "sentences", "voice_for"]

_HEADING = re.compile(
    r"^\s*(?:#{1,3}\s+(?P<marked>\S.*?)"
    r"|(?P<english>(?:chapter|part|prologue|epilogue|introduction)\b.{0,80}?)"
    r"|(?P<chinese>(?:第\s*[0-9〇零一二三四五六七八九十百千两]{1,9}\s*[章节回卷部]|序章|楔子|尾声|前言|后记).{0,60}?))\s*$",
    re.IGNORECASE,
)
_LONGEST = 12_000
"""Signs of a chapter where no headings are: about a quarter of an hour."""
_SENTENCE = re.compile(r"[^.!?。！？…\n]+(?:[.!?。！？…]+[\"'”’」』)）]*)?")
_LONGEST_SENTENCE = 400
_SCRIPTS = (
    (re.compile(r"[\u3040-\u30ff]"), "ja"),
    (re.compile(r"[\u4e00-\u9fff]"), "cmn"),
    (re.compile(r"[\u0400-\u04ff]"), "ru"),
    (re.compile(r"[\u0370-\u03ff]"), "el"),
    (re.compile(r"[äöüß]", re.IGNORECASE), "de"),
)


class Chapter(NamedTuple):
    """A part of a text that is read in one go."""

    title: str
    text: str


def find_chapters(text: str) -> Iterator[tuple[int, Chapter]]:
    """Chapters by their headings, or by length where there are none; each with how many lines are read until then."""
    title, lines, number = "", [], 0
    for number, line in enumerate(text.splitlines(), 1):
        found = _HEADING.match(line)
        if found is None:
            lines.append(line)
            too_long = sum(map(len, lines)) > _LONGEST and not line.strip()
            if not too_long:
                continue
        yield from _made(title, lines, number)
        if found is not None:
            title = found["marked"] or found["english"] or found["chinese"]
        lines = []
    yield from _made(title, lines, number)


def sentences(text: str) -> list[str]:
    """What is spoken in one breath; none is longer than 400 signs."""
    found = []
    for sentence in _SENTENCE.findall(text):
        words = " ".join(sentence.split())
        if not any(sign.isalnum() for sign in words):
            continue
        found += [
            words[start : start + _LONGEST_SENTENCE] for start in range(0, len(words), _LONGEST_SENTENCE)
        ]
    return found


def voice_for(sentence: str) -> str:
    """The name of the voice that can read its script."""
    return next((voice for script, voice in _SCRIPTS if script.search(sentence)), "en")


def _made(title: str, lines: list[str], read: int) -> Iterator[tuple[int, Chapter]]:
    text = "\n".join(lines).strip()
    if text:
        yield read, Chapter(title or text.partition("\n")[0][:60], text)
