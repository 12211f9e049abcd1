"""The job of `dedup`: questions from files as people have them, and what is twice there."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from examples.dedup import write_sample
from examples.dedup.bank import SAMPLE, Bank
from examples.dedup.job import compare, group_questions, statistics
from examples.dedup.questions import Question, read_questions
from examples.dedup.similarity import normalise, similar_pairs
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Indel

CSV = "编号,题目,题型,学科,渠道\n1,“水”的化学式是什么?,填空,化学,教材\n2,水的化学式是什么?,填空,化学,教材\n"


def questions(*texts: str) -> list[Question]:
    return [Question(str(number), text, "t", "s", "c", number) for number, text in enumerate(texts, 1)]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_a_file_is_read_in_the_encoding_that_it_has(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    found = read_questions(mark + CSV.encode(encoding))
    assert [question.text for question in found.questions] == ["“水”的化学式是什么?", "水的化学式是什么?"]
    assert found.questions[0][2:5] == ("填空", "化学", "教材")
    assert (found.format, found.bad_rows) == ("csv", 0)


def test_western_letters_are_not_taken_for_chinese() -> None:
    found = read_questions(
        "question;type\nWo fließt die Elbe? Über Dresden, größtenteils.;x\n".encode("cp1252")
    )
    assert found.questions[0].text == "Wo fließt die Elbe? Über Dresden, größtenteils."


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_are_found_by_their_names(delimiter: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerows([(" Subject ", "TITLE", "extra"), ("maths", 'two\nlines, and "more"', "1")])
    (found,) = read_questions(file.getvalue().encode()).questions
    assert found == Question("row-3", 'two lines, and "more"', "unknown", "maths", "unknown", 3)


def test_rows_that_are_no_questions_are_told_and_the_rest_is_taken() -> None:
    lines = [
        '{"id": 1, "question": "What is a cat?"}', "", "not json", "[1]", '{"question": " "}', '{"id": 1, "question": "again"}',
        '{"question": ["a"]}', '{"question": "' + "x" * 10_001 + '"}', '{"QUESTION": "What is a dog?"}',
    ]  # fmt: skip
    found = read_questions("\r\n".join(lines).encode())
    assert [question.id for question in found.questions] == ["1", "row-9"]
    assert found.format == "jsonl"
    assert [(bad.row, bad.reason[:20]) for bad in found.bad] == [
        (3, "is not JSON"),
        (4, "is not a JSON object"),
        (5, "has no question"),
        (6, "there is a question "),
        (7, "text is not a text"),
        (8, "its question is long"),
    ]
    many = read_questions(b"question\ngood\n" + b"a,b,c\n" * 500)
    assert (len(many.bad), many.bad_rows) == (100, 500)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf  ", b"a,b\n1,2\n", b"{}\n", b"\x00\x00", b"[1]"])
def test_what_holds_no_question_is_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"question|empty"):
        read_questions(content)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        found = read_questions(content)
    except ValueError:
        return
    assert found.questions


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("What is a cat?", "  WHAT is a  cat ", True),
        ("12. What is a cat?", "What is a cat?", True),
        ("水的化学式是( )。", "水 的化学式是（　　）", True),
        ("Fill in: ____", "fill in: ______", True),
        ("3 + 4 = ?", "3 - 4 = ?", False),
        ("It costs 1.5", "It costs 15", False),
        ("What is a cat?", "What is a car?", False),
    ],
)
def test_what_is_the_same_question(one: str, other: str, same: bool) -> None:
    assert (normalise(one) == normalise(other)) is same


@pytest.mark.parametrize("threshold", [0.01, 0.4, 0.6, 0.75, 0.8, 0.9, 1.0])
def test_every_similar_pair_is_found_and_no_other(threshold: float) -> None:
    texts = sorted({normalise(question.text) for question in read_questions(SAMPLE.read_bytes()).questions})
    expected = {
        (one, other): Indel.normalized_similarity(texts[one], texts[other])
        for one in range(len(texts))
        for other in range(one + 1, len(texts))
    }
    found = {(one, other): alike for one, other, alike in similar_pairs(texts, threshold)}
    assert found.keys() == {pair for pair, alike in expected.items() if alike >= threshold - 1e-9}
    assert all(alike == pytest.approx(expected[pair], abs=1e-4) for pair, alike in found.items())


def test_a_search_can_be_ended() -> None:
    class Enough(Exception):
        pass

    def end() -> None:
        raise Enough

    with pytest.raises(Enough):
        list(similar_pairs(["a", "b"], 0.5, end))


def test_equal_questions_are_groups_and_stand_for_one_in_pairs() -> None:
    (group,) = group_questions(
        questions("What is a cat?", "what is a cat", "What is a car?", "Name a river", "?!")
    )
    found = compare(group, 0.8)
    assert [(exact["question_ids"], exact["pairs"]) for exact in found.exact] == [(["1", "2"], 1)]
    assert [(pair["question_1"]["id"], pair["question_2"]["id"]) for pair in found.similar] == [("1", "3")]
    assert found.similar[0]["similarity"] == pytest.approx(0.9231)
    counts = statistics([found], 0.8)
    assert counts["exact_duplicate_pairs"] == counts["similar_duplicate_pairs"] == 1
    assert counts["by_subject"] == {"s": {"questions": 5, "exact_pairs": 1, "similar_pairs": 1}}


def test_only_what_is_new_counts_when_only_that_is_asked_for() -> None:
    (group,) = group_questions(questions("What is a cat?", "What is a cat", "Name a river", "Name a river!"))
    found = compare(group, 0.8, new={"4"})
    assert [exact["question_ids"] for exact in found.exact] == [["3", "4"]]


def test_the_sample_is_what_its_program_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_sample, "FILE", tmp_path / "sample.csv")
    write_sample.main()
    assert (tmp_path / "sample.csv").read_bytes() == SAMPLE.read_bytes()


def test_a_bank_knows_what_came_when(tmp_path: Path) -> None:
    bank = Bank(tmp_path, "../../ada")
    sample, new = bank.questions(0)
    assert len(sample) == len(new) == 326
    bank.add("a", read_questions(b"id,question\n1,one\n2,two\n"))
    bank.add("b", read_questions(b"id,question\n2,two\n1,changed\n3,three\n"))
    everything, new = bank.questions(bank.newest(), since=1)
    assert {question.id: question.text for question in everything} == {
        "1": "changed",
        "2": "two",
        "3": "three",
    }
    assert new == {"1", "3"}
    assert [upload.questions for upload in bank.uploads()] == [2, 3]
    assert Bank(tmp_path, "eve").newest() == 0
    assert {path.parent.parent for path in tmp_path.rglob("*.json")} == {tmp_path / "users"}
