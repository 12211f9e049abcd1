"""Files whose likeness is known, because it was planted."""

from __future__ import annotations

import random
from pathlib import Path

__all__ = ["plant", "words"]


def words(seed: int, count: int = 300) -> list[str]:
    """Words of no meaning, the same for the same seed."""
    chance = random.Random(seed)
    return ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=8)) for _ in range(count)]


def plant(folder: Path, *, others: int = 5, length: int = 300) -> Path:
    """A folder with three exact copies, one near duplicate, some texts of their own, and things that are no text.

    Beside `others` there are six files with text, one of them empty, and a binary one.
    """
    (folder / "one").mkdir(parents=True)
    (folder / "two").mkdir()
    lines = words(1)
    text = "\n".join(lines) + "\n"
    (folder / "one" / "original.txt").write_text(text)
    (folder / "one" / "copy.txt").write_text(text)
    (folder / "two" / "windows.txt").write_bytes(text.replace("\n", "  \r\n\r\n").encode())
    (folder / "two" / "near.txt").write_text("\n".join([*lines[:150], "changed", *lines[151:]]))
    (folder / "two" / "half.txt").write_text("\n".join([*lines[:150], *words(2, 150)]))
    (folder / "two" / "empty.txt").write_text("\n \n")
    (folder / "two" / "binary.bin").write_bytes(b"\0\1\2" * 100)
    (folder / "two" / "link.txt").symlink_to(folder / "one" / "original.txt")
    for number in range(others):
        (folder / "one" / f"other-{number:04}.txt").write_text("\n".join(words(100 + number, length)))
    return folder
