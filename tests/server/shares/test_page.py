"""The page as text: what comes from a job is escaped wherever it stands."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from headway.model.progress import START
from headway.model.task import Task, TaskState
from headway.server.identity.shares import Share
from headway.server.shares.page import ended_page, share_page

TEXT = st.text(st.sampled_from("<>&\"'/=! abims\n北") | st.characters(exclude_categories=["Cs"]), max_size=40)
EVIL = "<img src=x onerror=alert(1)>\"' onload='x"
CODE = "hws_" + "A" * 32
SHARE = Share("s", "ada", 0, 0, task="t")


class Seen(HTMLParser):
    """Which elements and attributes there are."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}


@example(EVIL, EVIL, EVIL, EVIL)
@given(TEXT, TEXT, TEXT, TEXT)
def test_no_text_of_a_job_becomes_markup(title: str, message: str, error: str, named: str) -> None:
    def seen(title: str, message: str, error: str, named: str) -> Seen:
        progress = replace(START, percent=40.0, message=message)
        task = Task("t", "user:ada", 1, title, "", TaskState.FAILED, 1, progress, 0, 0, error=error or "x")
        return Seen(share_page(replace(SHARE, title=named or "x"), CODE, [task], "/base", "en"))

    page, plain = seen(title, message, error, named), seen("a", "b", "c", "d")
    assert page.tags == plain.tags
    assert page.names == plain.names


def test_where_it_is_mounted_its_script_is_found() -> None:
    page = share_page(SHARE, CODE, [], "/base", "en")
    assert 'src="/base/headway.js"' in page
    assert f'<headway-task task="t" token="{CODE}"' in page


def test_a_channel_shows_its_tasks_and_a_page_that_ended_no_script() -> None:
    page = share_page(replace(SHARE, task=None, channel="project:p"), CODE, [], "", "zh")
    assert '<headway-tasks channel="project:p"' in page
    assert "没有任务。" in page
    assert "<script" not in ended_page("en")
