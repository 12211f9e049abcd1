"""Facts that wait on the disk while no server answers."""

from __future__ import annotations

from pathlib import Path

from headway.model.report import Notify, Report, Start, Succeed
from headway.worker import spool as module
from headway.worker.spool import Spool

FACTS: list[Report] = [Start("a"), Succeed("a", result={"rows": 1})]


def test_a_file_belongs_to_the_process_that_holds_it(tmp_path: Path) -> None:
    mine, other = Spool(str(tmp_path), "mine"), Spool(str(tmp_path), "other")
    for fact in FACTS:
        assert mine.append(fact)

    assert list(other.orphans()) == []
    mine.close()
    assert list(other.orphans()) == [FACTS]
    assert list(other.orphans()) == []
    other.close(remove=True)
    assert list(tmp_path.iterdir()) == []


def test_a_line_that_was_cut_by_the_crash_is_passed_over(tmp_path: Path) -> None:
    mine = Spool(str(tmp_path), "mine")
    mine.append(FACTS[0])
    mine.close()
    with (tmp_path / "mine.jsonl").open("ab") as file:
        file.write(b'{"type":"succ')

    other = Spool(str(tmp_path), "other")
    assert list(other.orphans()) == [[FACTS[0]]]
    other.close()


def test_it_is_bounded_and_empties_when_all_was_acknowledged(tmp_path: Path) -> None:
    mine = Spool(str(tmp_path), "mine", most=100)
    assert mine.append(FACTS[0])
    assert not mine.append(Notify("n", "N" * 200, user="u"))
    mine.keep(list)
    assert (tmp_path / "mine.jsonl").read_bytes() == b""
    assert mine.append(FACTS[0])
    mine.close()


def test_a_large_file_is_rewritten_with_what_is_left_and_stays_locked(tmp_path: Path) -> None:
    mine, other = Spool(str(tmp_path), "mine"), Spool(str(tmp_path), "other")
    note = Notify("n", "N" * 300, user="u")
    while mine.size <= module.TIDY_BYTES:
        mine.append(note)

    mine.keep(lambda: FACTS)

    assert mine.size == (tmp_path / "mine.jsonl").stat().st_size < 200
    assert list(other.orphans()) == []
    mine.append(note)
    mine.close()
    assert list(other.orphans()) == [[*FACTS, note]]
    other.close()
