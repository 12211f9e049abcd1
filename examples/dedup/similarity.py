"""When two questions are the same, and how alike they are. Pure: the same texts give the same answer everywhere.

Alike is measured by rapidfuzz as `2 * common / (length of one + length of other)`, where `common` is the longest common
subsequence of signs (normalised Indel similarity). It needs no words, so it serves Chinese and English alike.

All pairs that reach the threshold are found, and none is guessed: of two texts that are alike by at least `t`, the longer has at most
`(2 - t) / t` times the signs of the shorter, so texts sorted by length are compared within that window only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Indel

__all__ = ["normalise", "similar_pairs"]

_ROWS = 64
_SLACK = 0.01
"""The library rounds its own limit, and loses pairs that are exactly there."""
_BLANK = re.compile(r"_{2,}|\(\s*\)|\[\s*\]")
_NUMBERING = re.compile(r"^\s*(?:q\s*)?\d{1,4}\s*[.:、)]\s+")
_SENTENCE = re.compile(r"[,;:?!\"'`…。、,;:“”‘’《》〈〉「」『』【】]|\.(?!\d)")
_SPACE = re.compile(r"\s+")
_BESIDE_CHINESE = re.compile(r"(?<=[\u3040-\u9fff])\s|\s(?=[\u3040-\u9fff])")


def normalise(text: str) -> str:
    """Equal for questions that differ in width, capitals, numbering, blanks and the marks of a sentence only.

    Signs of arithmetic stay: `3 + 4` and `3 - 4` are two questions.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    text = _NUMBERING.sub("", text)
    text = _BLANK.sub("_", text)
    text = _SENTENCE.sub(" ", text)
    text = _SPACE.sub(" ", text)
    return _BESIDE_CHINESE.sub("", text).strip()


def similar_pairs(
    texts: Sequence[str], threshold: float, between: Callable[[], object] = lambda: None
) -> Iterator[tuple[int, int, float]]:
    """Pairs of texts at least that much alike: their places in `texts`, the smaller one first, and how much.

    Args:
        texts: normalised, no two of them equal.
        threshold: 0 to 1, and above 0.
        between: called every few rows; what it raises ends the search.
    """
    # A pair exactly at the threshold must not be lost to the last bit of a division.
    least = threshold - 1e-9
    order = sorted(range(len(texts)), key=lambda place: (len(texts[place]), place))
    ordered = [texts[place] for place in order]
    lengths = np.array([len(text) for text in ordered])
    reach = np.searchsorted(lengths, lengths * (2 - least) / least + 1e-6, side="right")
    for start in range(0, len(ordered), _ROWS):
        between()
        rows = ordered[start : start + _ROWS]
        end = int(reach[min(start + _ROWS, len(ordered)) - 1])
        scores = process.cdist(
            rows,
            ordered[start:end],
            scorer=Indel.normalized_similarity,
            score_cutoff=max(0.0, threshold - _SLACK),
            dtype=np.float64,
        )
        for row, column in np.argwhere(np.triu(scores, k=1) >= least).tolist():
            one, other = order[start + row], order[start + column]
            yield min(one, other), max(one, other), round(float(scores[row, column]), 4)
