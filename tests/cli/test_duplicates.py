"""The demo's job without a server: what it finds among planted files, and what it makes of odd ones."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import headway
from headway.cli.duplicates.corpus import find_files, installed_python, read_text
from headway.cli.duplicates.findings import Findings, Group, Pair, write_report
from headway.cli.duplicates.job import find_duplicates
from headway.cli.duplicates.similarity import NearIndex, digest, jaccard, shingles
from tests.cli.texts import plant, words


@pytest.fixture
def unreported() -> Iterator[None]:
    headway.configure(enabled=False)
    yield
    headway.configure(enabled=True)


def test_shingles_are_runs_of_five() -> None:
    assert len(shingles("a b c d")) == 0
    assert len(shingles("a b c d e")) == 1
    assert len(shingles("x = f(1)")) == 2
    assert len(shingles("a a a a a a a a")) == 1


def test_shingles_do_not_see_white_space() -> None:
    assert shingles("a b\n\tc d  e").tolist() == shingles("a b c d e").tolist()


@pytest.mark.parametrize(("changed", "alike"), [(0, 1.0), (1, 291 / 301), (2, 286 / 306), (6, 266 / 326)])
def test_jaccard_of_planted_changes(changed: int, alike: float) -> None:
    # Each changed word, far from the next, replaces five of the 296 shingles.
    text = words(1)
    other = [
        f"changed{place}" if place % 40 == 20 and place // 40 < changed else word
        for place, word in enumerate(text)
    ]
    assert jaccard(shingles(" ".join(text)), shingles(" ".join(other))) == pytest.approx(alike)


def test_jaccard_of_nothing() -> None:
    assert jaccard(shingles(""), shingles("")) == 0
    assert jaccard(shingles(" ".join(words(1))), shingles(" ".join(words(2)))) == 0


def test_the_index_finds_what_is_alike_and_little_else() -> None:
    index = NearIndex()
    texts = [words(seed) for seed in range(50)]
    for number, text in enumerate(texts):
        assert index.add(number, index.fingerprint(shingles(" ".join(text)))) == []
    for number, text in enumerate(texts):
        near = " ".join(["changed", *text[1:]])
        assert index.add(1000 + number, index.fingerprint(shingles(near))) == [number]


def test_the_digest_sees_through_line_ends_and_blanks() -> None:
    assert digest("a\nb\n") == digest("a  \r\n\r\n\tb".replace("\t", ""))
    assert digest("a\nb") != digest("a\n b")
    assert digest("") is None
    assert digest("\n \t\n") is None


def test_finds_regular_files_in_order(tmp_path: Path) -> None:
    folder = plant(tmp_path / "texts", others=1)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "a.txt").write_text("x")
    os.mkfifo(folder / "pipe.txt")
    found = list(find_files([folder]))
    assert [source.name for source in found] == [
        "texts/one/copy.txt", "texts/one/original.txt", "texts/one/other-0000.txt",
        "texts/two/binary.bin", "texts/two/empty.txt", "texts/two/half.txt", "texts/two/near.txt",
        "texts/two/windows.txt",
    ]  # fmt: skip
    assert {source.group for source in found} == {"one", "two"}


def test_finds_each_file_once_when_folders_nest(tmp_path: Path) -> None:
    inner = tmp_path / "lib" / "site-packages"
    (inner / "pkg").mkdir(parents=True)
    (inner / "pkg" / "a.py").write_text("")
    (tmp_path / "lib" / "b.py").write_text("")
    (tmp_path / "lib" / "c.txt").write_text("")
    found = list(find_files([inner, tmp_path / "lib"], ".py"))
    assert [(source.name, source.group) for source in found] == [
        ("site-packages/pkg/a.py", "pkg"), ("lib/b.py", "lib"),
    ]  # fmt: skip


def test_knows_where_python_is() -> None:
    assert any((folder / "json" / "__init__.py").is_file() for folder in installed_python())


@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are text")
def test_names_that_are_no_text_are_shown_as_they_can_be(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("x")
    (source,) = find_files([tmp_path])
    assert source.name.endswith("caf\N{REPLACEMENT CHARACTER}.txt")
    assert read_text(source.path) == "x"


def test_what_is_no_text_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"a\0b")
    (tmp_path / "large").write_bytes(b"x" * (2 * 2**20 + 1))
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    assert read_text(tmp_path / "binary") is None
    assert read_text(tmp_path / "large") is None
    assert read_text(tmp_path / "latin") == "caf\N{REPLACEMENT CHARACTER}"


@pytest.mark.usefixtures("unreported")
def test_finds_what_was_planted(tmp_path: Path) -> None:
    sources = find_files([plant(tmp_path / "texts")])
    findings, page = find_duplicates(sources, 1000, tmp_path / "reports")
    assert findings.files == 12
    assert findings.skipped == 1
    assert [group.files for group in findings.groups] == [
        ["texts/one/copy.txt", "texts/one/original.txt", "texts/two/windows.txt"]
    ]
    (pair,) = findings.pairs
    assert (pair.one, pair.other) == ("texts/one/copy.txt", "texts/two/near.txt")
    assert pair.alike == pytest.approx(291 / 301)
    assert "near.txt" in page.read_text()
    report = json.loads(page.with_suffix(".json").read_text())
    assert report["pairs"][0]["other"] == "texts/two/near.txt"
    again, _ = find_duplicates(find_files([tmp_path / "texts"]), 1000, tmp_path / "reports")
    assert again == findings


@pytest.mark.usefixtures("unreported")
def test_stops_at_the_limit_and_goes_on_past_files_that_vanish(tmp_path: Path) -> None:
    sources = list(find_files([plant(tmp_path / "texts")]))
    for source in sources[:2]:
        source.path.unlink()
    findings, _ = find_duplicates(sources, 3, tmp_path / "reports")
    assert (findings.files, findings.skipped, findings.groups) == (3, 2, [])


@pytest.mark.usefixtures("unreported")
def test_nothing_to_compare(tmp_path: Path) -> None:
    findings, _ = find_duplicates([], 10, tmp_path)
    assert findings.sentence() == (
        "0 files in 0 packages: 0 groups of exact duplicates (0 files, 0 KB to spare), 0 pairs of near duplicates"
    )


def test_the_report_shows_names_as_text_and_the_result_is_small(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>.py"
    findings = Findings(2, 0, 1, [Group([evil] * 500, 1)] * 50, [Pair(evil, "x" * 200, 0.9)] * 500)
    assert "<script>" not in write_report(findings, tmp_path, "r").read_text()
    assert len(json.dumps(findings.result())) < 16_384
