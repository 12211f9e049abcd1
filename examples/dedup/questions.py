"""Reading questions from CSV or JSON Lines as people have them: any encoding, any names of columns, some rows broken.

Pure: bytes in, questions and complaints out.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from charset_normalizer import from_bytes

__all__ = ["FIELDS", "MOST_COMPLAINTS", "MOST_QUESTIONS", "BadRow", "Question", "Reading", "read_questions"]

FIELDS = {
    "id": ("id", "question_id", "编号", "题号"),
    "text": ("text", "question", "content", "title", "stem", "题目", "题干", "问题", "内容"),
    "type": ("type", "question_type", "kind", "题型", "类型"),
    "subject": ("subject", "category", "学科", "科目"),
    "channel": ("channel", "source", "渠道", "来源"),
}
"""What a column may be called; capitals and blanks around it do not count."""

MOST_QUESTIONS = 100_000
MOST_COMPLAINTS = 100
_TEXT_CHARS = 10_000
_LABEL_CHARS = 100
_NO_LABEL = "unknown"
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


class Question(NamedTuple):
    """One question.

    Attributes:
        id: as in the file, or the number of its row.
        row: where it stood, from 1 (the header of a CSV file is row 1).
    """

    id: str
    text: str
    type: str
    subject: str
    channel: str
    row: int


class BadRow(NamedTuple):
    """A row that is no question, and why."""

    row: int
    reason: str


class Reading(NamedTuple):
    """What a file holds.

    Attributes:
        format: `csv` or `jsonl`.
        bad: the first rows that could not be used, at most 100.
        bad_rows: how many there are.
    """

    questions: list[Question]
    bad: list[BadRow]
    bad_rows: int
    encoding: str
    format: str


def read_questions(content: bytes) -> Reading:
    """Read a file.

    Raises:
        ValueError: nothing of it can be used; the message says why.
    """
    encoding = _encoding(content)
    text = content.decode(encoding, errors="replace").replace("\0", "").lstrip("\ufeff")
    start = text.lstrip()
    if not start:
        raise ValueError("The file is empty")
    rows, form = (_json_rows(text), "jsonl") if start[0] in "{[" else (_csv_rows(text), "csv")
    questions: list[Question] = []
    bad: list[BadRow] = []
    bad_rows = 0
    seen: set[str] = set()
    for number, row in rows:
        made = row if isinstance(row, str) else _question(number, row)
        if isinstance(made, Question) and made.id in seen:
            made = f"there is a question with the id {made.id[:40]!r} already"
        if isinstance(made, str):
            bad_rows += 1
            if len(bad) < MOST_COMPLAINTS:
                bad.append(BadRow(number, made))
            continue
        if len(questions) == MOST_QUESTIONS:
            raise ValueError(f"There are more than {MOST_QUESTIONS} questions in the file")
        seen.add(made.id)
        questions.append(made)
    if not questions:
        why = f"; row {bad[0].row}: {bad[0].reason}" if bad else ""
        raise ValueError(f"There is no question in the file{why}")
    return Reading(questions, bad, bad_rows, encoding, form)


def _encoding(content: bytes) -> str:
    for mark, name in _MARKS.items():
        if content.startswith(mark):
            return name
    for name in ("utf-8", "gb18030"):
        try:
            content.decode(name)
        except UnicodeDecodeError:
            continue
        # Bytes of Western encodings are often GB 18030 by chance: then most of its signs are rare ones.
        if name == "utf-8" or _looks_chinese(content.decode(name)):
            return name
    best = from_bytes(content[:65_536]).best()
    return "cp1252" if best is None else best.encoding


def _looks_chinese(text: str) -> bool:
    foreign = [sign for sign in text if sign > "\x7f"]
    usual = sum(
        "\u4e00" <= sign <= "\u9fff" or "\u3000" <= sign <= "\u303f" or sign >= "\uff00" for sign in foreign
    )
    # One accented letter and its neighbour make one Chinese sign; runs of them are what Chinese has.
    runs = sum("\u4e00" <= one <= "\u9fff" and "\u4e00" <= two <= "\u9fff" for one, two in pairwise(text))
    return usual > 0.9 * len(foreign) and runs > 0.4 * len(foreign)


def _csv_rows(text: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    try:
        dialect: Any = csv.Sniffer().sniff(text.partition("\n")[0], delimiters=",;\t|")
        delimiter = dialect.delimiter
    except csv.Error:
        delimiter = ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header: list[str] = []
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"is not CSV: {error}"
            continue
        if not any(cell.strip() for cell in row):
            continue
        if not header:
            header = [name.strip().lower() for name in row]
            if not any(name in header for name in FIELDS["text"]):
                raise ValueError(
                    f"No column holds the questions: call one of them {', '.join(FIELDS['text'][:4])} or 题目"
                )
        elif len(row) > len(header):
            yield reader.line_num, f"has {len(row)} cells where the header has {len(header)}"
        else:
            yield reader.line_num, dict(zip(header, row, strict=False))


def _json_rows(text: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield number, "is not JSON"
            continue
        if isinstance(row, dict):
            yield number, {name.strip().lower(): value for name, value in row.items()}
        else:
            yield number, "is not a JSON object"


def _question(number: int, row: dict[str, Any]) -> Question | str:
    found: dict[str, str] = {}
    for field, names in FIELDS.items():
        value = next((row[name] for name in names if row.get(name) not in (None, "")), "")
        if isinstance(value, (dict, list)):
            return f"{field} is not a text"
        found[field] = " ".join(str(value).split())
    if not found["text"]:
        return "has no question"
    if len(found["text"]) > _TEXT_CHARS:
        return f"its question is longer than {_TEXT_CHARS} signs"
    labels = {name: found[name][:_LABEL_CHARS] or _NO_LABEL for name in ("type", "subject", "channel")}
    return Question(found["id"][:_LABEL_CHARS] or f"row-{number}", found["text"], row=number, **labels)
