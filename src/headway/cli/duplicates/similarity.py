"""When two texts are the same, and how alike they are. Pure: the same texts give the same answer everywhere."""

from __future__ import annotations

import hashlib
import re
import zlib

import numpy as np
import numpy.typing as npt
from datasketch import MinHash, MinHashLSH

__all__ = ["ALIKE", "SMALLEST", "NearIndex", "Shingles", "digest", "jaccard", "shingles"]

ALIKE = 0.8
"""Jaccard similarity from which two files count as near duplicates."""

SMALLEST = 40
"""Shingles that a file needs: two files of a few lines are alike without anybody having copied them."""

Shingles = npt.NDArray[np.uint32]

_WORD = re.compile(r"\w+|[^\w\s]")
_WORDS = 5
_PERMUTATIONS = 64
_CANDIDATE = 0.7
"""Where the index draws its line: below ours, since fingerprints estimate and the shingles themselves decide."""
_MOST_CANDIDATES = 100
"""For each file, so that thousands of generated files that are all alike take linear time."""


def digest(text: str) -> bytes | None:
    """Equal for texts that differ in line ends, trailing blanks and empty lines only; None for an empty text."""
    lines = [line.rstrip() for line in text.splitlines()]
    content = "\n".join(line for line in lines if line)
    return hashlib.sha256(content.encode()).digest() if content else None


def shingles(text: str) -> Shingles:
    """The set of the text's runs of five words or signs, as sorted numbers."""
    words = _WORD.findall(text)
    runs = zip(*(words[start:] for start in range(_WORDS)), strict=False)
    # Not hash(): that differs from process to process.
    numbers = {zlib.crc32(" ".join(run).encode()) for run in runs}
    return np.array(sorted(numbers), dtype=np.uint32)


def jaccard(one: Shingles, other: Shingles) -> float:
    """Size of the intersection by size of the union; 0 for two empty sets."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    union = len(one) + len(other) - shared
    return shared / union if union else 0.0


class NearIndex:
    """Texts by fingerprint (MinHash with locality-sensitive hashing): finds what may be alike without comparing all pairs."""

    def __init__(self) -> None:
        self._index = MinHashLSH(threshold=_CANDIDATE, num_perm=_PERMUTATIONS)

    def fingerprint(self, content: Shingles) -> MinHash:
        """Estimates similarity in a few hundred bytes, whatever the size of the text."""
        # Shingles are 32-bit hashes already.
        made = MinHash(num_perm=_PERMUTATIONS, hashfunc=int)
        made.update_batch(content)
        return made

    def add(self, key: int, fingerprint: MinHash) -> list[int]:
        """Take a text in; the keys of earlier ones that may be alike, in order."""
        found: list[int] = sorted(self._index.query(fingerprint))
        self._index.insert(key, fingerprint)
        return found[:_MOST_CANDIDATES]
