"""Facts that wait on the disk while no server answers."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

import headway
from headway.model.report import (
    Create,
    Fail,
    Notify,
    Report,
    Start,
    Succeed,
    TickReport,
)
from headway.worker import spool as module
from headway.worker.spool import Spool
from tests.worker.far_end import FarEnd
from tests.worker.scripts import run

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


CRASHES = """
    import os, signal
    import headway
    with headway.task("Crashing", id="crashing") as task:
        task.progress(3, 10)
        task.fail("out of luck")
        headway.notify("ada", "Crashed", id="note")
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_facts_survive_a_crash_and_the_next_process_delivers_them(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    far = FarEnd().start()
    far.stop()
    crashed = run(CRASHES, tmp_path, HEADWAY_URL=far.url, HEADWAY_SPOOL=str(spool))
    assert crashed.returncode == -signal.SIGKILL
    far.start()

    done = run(
        "import headway; headway.notify('ada', 'Next'); assert headway.flush(20)",
        tmp_path,
        HEADWAY_URL=far.url,
        HEADWAY_SPOOL=str(spool),
    )

    assert (done.returncode, done.stderr) == (0, "")
    mine = [report for report in far.reports if getattr(report, "task", None) == "crashing"]
    assert mine == [
        Create("crashing", "Crashing", start=True),
        TickReport(task="crashing", done=3, total=10),
        Fail("crashing", error="out of luck"),
    ]
    assert {note.title for note in far.of(Notify)} == {"Crashed", "Next"}
    assert list(spool.iterdir()) == []
    far.stop()


def test_configuring_a_spool_delivers_what_is_in_it(far: FarEnd, tmp_path: Path) -> None:
    away = FarEnd().start()
    away.stop()
    run(CRASHES, tmp_path, HEADWAY_URL=away.url, HEADWAY_SPOOL=str(tmp_path / "spool"))

    headway.configure(spool=tmp_path / "spool")

    far.until(lambda: far.of(Fail))


def test_a_process_that_lives_keeps_its_spool_to_itself(far: FarEnd, tmp_path: Path) -> None:
    away = FarEnd().start()
    away.stop()
    headway.configure(url=away.url, spool=tmp_path / "spool")
    with headway.task("Alive"):
        pass

    run(
        "import headway; headway.notify('ada', 'Other'); headway.flush(20)",
        tmp_path,
        HEADWAY_URL=far.url,
        HEADWAY_SPOOL=str(tmp_path / "spool"),
    )

    assert [type(report) for report in far.reports] == [Notify]
    headway.configure(url=far.url)
    assert headway.flush(10)
    assert far.of(Succeed)


def test_a_spool_that_cannot_be_written_costs_nothing_but_a_warning(
    far: FarEnd, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")
    headway.configure(spool=tmp_path / "file")
    with headway.task("Goes on"):
        pass
    assert headway.flush(10)
    assert far.of(Succeed)
    assert len([record for record in caplog.records if "spool" in record.message]) == 1
