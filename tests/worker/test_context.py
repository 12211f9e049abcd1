"""The functions that a job calls, and the task that they act on."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

import headway
from headway.model.notification import Severity, keyed_id
from headway.model.report import Create, Fail, Log, Notify, Succeed, TickReport
from tests.worker.far_end import FarEnd


def test_outside_a_task_reports_do_nothing() -> None:
    headway.progress(1, 2, "x")
    headway.step("x")
    headway.log("x")
    assert headway.current() is None
    assert headway.stats().counts.reported == 0


def test_reports_go_to_the_innermost_task(far: FarEnd) -> None:
    with headway.task("Outer", channel="project:x") as outer:
        with headway.task("Inner") as inner:
            headway.step("Load")
            headway.progress(1, 4)
            headway.log("inside")
            assert headway.current() is inner
        assert headway.current() is outer
        with headway.task("Alone", parent=None):
            pass
    assert headway.current() is None
    assert headway.flush(10)
    creates = {create.title: create for create in far.of(Create)}
    assert (creates["Inner"].parent, creates["Inner"].channel) == (outer.id, "project:x")
    assert (creates["Alone"].parent, creates["Alone"].channel) == (None, None)
    assert far.of(TickReport)[-1].step == "Load"
    assert far.of(Log)[0].task == inner.id


def test_a_thread_gets_the_handle_and_may_have_parts_of_its_own(far: FarEnd) -> None:
    def work(parent: headway.TaskHandle) -> None:
        assert headway.current() is None
        with headway.task("Part", parent=parent):
            parent.advance()

    with headway.task("Whole") as whole:
        thread = threading.Thread(target=work, args=(whole,))
        thread.start()
        thread.join()
    assert headway.flush(10)
    assert far.of(Create)[1].parent == whole.id


def test_notifications(far: FarEnd) -> None:
    with headway.task("Report") as task:
        known = headway.notify("ada", "Ready", "Your report", link="/reports/1", severity="success")
    assert headway.flush(10)
    assert far.of(Notify) == [
        Notify(
            known,
            "Ready",
            user="ada",
            content="Your report",
            link="/reports/1",
            severity=Severity.SUCCESS,
            task=task.id,
        )
    ]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//elsewhere", "/a b", "/" + "x" * 3000, object()])
def test_a_notification_whose_link_cannot_be_is_sent_without(
    far: FarEnd, caplog: pytest.LogCaptureFixture, link: str
) -> None:
    headway.notify("ada", "Ready", link=link)
    assert headway.flush(10)
    assert [(notify.title, notify.link) for notify in far.of(Notify)] == [("Ready", None)]
    assert "link" in caplog.text


def test_a_key_makes_the_id_of_a_notification(far: FarEnd) -> None:
    known = {headway.notify("ada", "Ready", idempotency_key="k") for _ in range(2)}
    assert known == {keyed_id("user:ada", "k")}
    assert headway.notify(None, "Ready", channel="project:p", idempotency_key="k") == keyed_id(
        "project:p", "k"
    )
    assert headway.notify("ada", "Ready", idempotency_key="") not in known
    assert headway.flush(10)
    assert [notify.idempotency_key for notify in far.of(Notify)] == ["k", "k", "k", None]


@pytest.mark.parametrize(
    ("notify", "sent"), [(True, "always"), (False, None), ("unwatched", "unwatched"), ("ongoing", "ongoing")]
)
def test_a_task_says_who_is_told_of_its_end(far: FarEnd, notify: bool | str, sent: str | None) -> None:
    with headway.task("A", notify=notify):
        pass
    for _ in headway.track([1], "B", notify=notify):
        pass
    headway.create("C", notify=notify)
    assert headway.flush(10)
    assert [create.notify for create in far.of(Create)] == [sent] * 3


@pytest.mark.parametrize("notify", ["sometimes", 3, object()])
def test_what_is_no_way_to_be_told_is_left_out(
    far: FarEnd, caplog: pytest.LogCaptureFixture, notify: str
) -> None:
    with headway.task("A", notify=notify):
        pass
    assert headway.flush(10)
    assert [create.notify for create in far.of(Create)] == [None]
    assert "notify" in caplog.text


async def test_decorated_functions(far: FarEnd) -> None:
    @headway.tracked()
    def import_rows(count: int) -> int:
        headway.progress(count, count)
        return count

    @headway.tracked("Render", kind="video")
    async def render() -> None:
        raise ValueError("no frames")

    assert import_rows(3) == 3
    with pytest.raises(ValueError, match="no frames"):
        await render()
    assert headway.flush(10)
    assert [(create.title, create.kind) for create in far.of(Create)] == [
        ("Import rows", ""),
        ("Render", "video"),
    ]
    assert len(far.of(Succeed)) == 1
    assert far.of(Fail)[0].error == "ValueError: no frames"


def test_every_public_name_is_there_and_nothing_else_is() -> None:
    for name in headway.__all__:
        assert getattr(headway, name) is not None
    assert set(headway.__all__) <= set(dir(headway))
    with pytest.raises(AttributeError):
        headway.nothing  # type: ignore[attr-defined]  # noqa: B018 - looked up on purpose


def test_importing_loads_nothing_that_is_not_needed() -> None:
    script = (
        "import sys, headway; assert not any(name.startswith('headway.') for name in sys.modules)\n"
        "headway.track, headway.task\n"
        "print([name for name in ('urllib3', 'asyncio', 'http', 'ssl', 'litestar') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=50
    )
    assert done.stdout.strip() == "[]"
