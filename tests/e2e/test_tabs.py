"""The tabs of one browser have one connection together, whatever happens to the tab that has it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest
import urllib3
from playwright.sync_api import Error, Page, expect

from headway.model.grant import Ability
from tests.e2e.jobs import Jobs
from tests.e2e.pages import Pages
from tests.e2e.visitors import REFUSED, SECONDS, Site, Visitor

Visit = Callable[..., Visitor]


def connections(site: Site) -> int:
    """How many the server has."""
    token = site.token("admin", None, *Ability)
    response = urllib3.request("GET", f"{site.url}/api/stats", headers={"Authorization": f"Bearer {token}"})
    return int(response.json()["connections"])


def settle_at(site: Site, number: int) -> None:
    """Wait until the server has so many connections: a page that hangs up is not told when the server has seen it."""
    deadline = time.monotonic() + SECONDS
    while (seen := connections(site)) != number:
        assert time.monotonic() < deadline, f"{seen} connections instead of {number}"
        time.sleep(0.05)


def tabs(site: Site, visitor: Visitor, *paths: str) -> list[Page]:
    """The visitor's page and more, all live."""
    pages = [visitor.page]
    for path in paths:
        page = visitor.open()
        page.goto(site.url + path)
        pages.append(page)
    for page in pages:
        expect(page.locator(".pill")).to_have_text("live")
    return pages


def expect_bars(pages: list[Page], percent: int) -> None:
    for page in pages:
        bar = page.get_by_role("progressbar", name="Importing customers")
        expect(bar).to_have_attribute("aria-valuenow", str(percent))


def test_three_tabs_have_one_connection(site: Site, visitor: Visitor, jobs: Jobs) -> None:
    job = jobs.task()
    job.do("t.advance(10); t.log('first line')")
    pages = tabs(site, visitor, "/", "/tasks/job")
    expect_bars(pages, 10)
    assert len(visitor.sockets) == 1
    assert connections(site) == 1
    job.do("t.advance(20); t.log('second line')")
    expect_bars(pages, 30)
    expect(pages[2].get_by_role("log")).to_contain_text("second line")
    # A command of a tab that has no connection.
    pages[2].get_by_role("button", name="Pause").click()
    for page in pages:
        expect(page.locator(".state").first).to_have_text("Paused")
    settle_at(site, 1)
    assert len(visitor.sockets) == 1


def test_the_leading_tab_is_closed_again_and_again(site: Site, visitor: Visitor, jobs: Jobs) -> None:
    job = jobs.task()
    job.do("t.advance(10); t.log('line 1')")
    pages = tabs(site, visitor, "/tasks/job", "/", "/tasks/job")
    expect_bars(pages, 10)
    for percent in (20, 30, 40):
        pages.pop(0).close()
        # Something happens while nobody is connected, or nearly.
        job.do(f"t.advance(10); t.log('line {percent // 10}')")
        expect_bars(pages, percent)
        for page in pages:
            expect(page.locator(".pill")).to_have_text("live")
        settle_at(site, 1)
    assert len(visitor.sockets) == 4
    log = pages[0].get_by_role("log")
    expect(log).to_contain_text("line 4")
    text = log.inner_text()
    assert [text.count(f"line {number}") for number in range(1, 5)] == [1] * 4
    seen = pages[0].evaluate("JSON.parse(sessionStorage.getItem('seen'))")
    values = [value for _, value in seen]
    assert values == sorted(values)


def test_a_leading_tab_that_crashes(site: Site, visitor: Visitor, jobs: Jobs) -> None:
    job = jobs.task()
    job.do("t.advance(10)")
    leader, *others = tabs(site, visitor, "/", "/tasks/job")
    expect_bars([leader, *others], 10)
    # As the system does to one that needs too much memory. Nothing answers the command any more.
    with contextlib.suppress(Error):
        leader.goto("chrome://crash", timeout=3000)
    job.do("t.advance(20)")
    expect_bars(others, 30)
    settle_at(site, 1)


def test_a_leading_tab_that_does_not_answer(site: Site, visitor: Visitor, jobs: Jobs) -> None:
    job = jobs.task()
    job.do("t.advance(10)")
    leader, other = tabs(site, visitor, "/tasks/job")
    expect_bars([leader, other], 10)
    # Long enough for the other to notice, and to go on without it.
    leader.evaluate("setTimeout(() => { for (const end = Date.now() + 12_000; Date.now() < end; ); }, 0)")
    job.do("t.advance(20)")
    expect_bars([other], 30)
    assert len(visitor.sockets) == 2
    job.do("t.advance(20)")
    expect_bars([other, leader], 50)
    settle_at(site, 1)


def test_a_leading_tab_that_is_frozen(site: Site, visitor: Visitor, jobs: Jobs) -> None:
    job = jobs.task()
    job.do("t.advance(10)")
    leader, other = tabs(site, visitor, "/tasks/job")
    expect_bars([leader, other], 10)
    # As browsers do to save a battery.
    devtools = visitor.context.new_cdp_session(leader)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    job.do("t.advance(20)")
    expect_bars([other], 30)
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    job.do("t.advance(20)")
    expect_bars([other, leader], 50)
    settle_at(site, 1)


def test_a_leading_tab_that_goes_elsewhere_and_back(
    site: Site, visitor: Visitor, jobs: Jobs, pages: Pages
) -> None:
    job = jobs.task()
    job.do("t.advance(10)")
    leader, other = tabs(site, visitor, "/tasks/job")
    expect_bars([leader, other], 10)
    leader.goto(pages.url)
    job.do("t.advance(20)")
    expect_bars([other], 30)
    assert len(visitor.sockets) == 2
    leader.go_back()
    expect_bars([other, leader], 30)
    job.do("t.advance(20)")
    expect_bars([other, leader], 50)
    settle_at(site, 1)
    assert len(visitor.sockets) == 2


@pytest.mark.parametrize("missing", ["BroadcastChannel", "navigator.locks"])
def test_a_browser_that_cannot_share_has_a_connection_for_each_tab(
    site: Site, visit: Visit, jobs: Jobs, missing: str
) -> None:
    job = jobs.task()
    job.do("t.advance(10)")
    person = visit()
    owner, _, name = missing.rpartition(".")
    person.context.add_init_script(
        f"Object.defineProperty({owner or 'globalThis'}, '{name}', {{value: undefined}})"
    )
    person.log_in(site)
    pages = tabs(site, person, "/", "/tasks/job")
    expect_bars(pages, 10)
    settle_at(site, 3)
    job.do("t.advance(20)")
    expect_bars(pages, 30)


def test_logging_out_in_one_tab_ends_all(site: Site, visitor: Visitor, jobs: Jobs) -> None:
    visitor.allow(REFUSED)
    job = jobs.task()
    job.do("t.advance(10)")
    pages = tabs(site, visitor, "/", "/tasks/job")
    expect_bars(pages, 10)
    pages[1].get_by_role("button", name="Log out (local)").click()
    for page in pages:
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        expect(page.get_by_text("Importing customers")).to_have_count(0)
    settle_at(site, 0)
    assert len(visitor.sockets) == 1
    # All of them again, after a login in one.
    visitor.keep(site.token(), site.url)
    for page in pages:
        page.goto(site.url)
    expect_bars(pages, 10)
    settle_at(site, 1)


def test_two_people_at_one_browser_share_nothing(site: Site, visitor: Visitor, jobs: Jobs) -> None:
    visitor.allow(REFUSED)
    job = jobs.task()
    job.do("t.advance(10)")
    first, second = tabs(site, visitor, "/")
    # Somebody else logs in, while the tabs of the first person are still open.
    visitor.keep(site.token("bob"), site.url)
    third = visitor.open()
    third.goto(site.url)
    expect(third.locator(".pill")).to_have_text("live")
    settle_at(site, 2)
    job.do("t.advance(20)")
    expect_bars([first, second], 30)
    # Closing the leader makes the second tab connect, by a cookie that is Bob's now.
    first.close()
    expect(
        second.get_by_role("heading", name="Log in").or_(second.locator(".pill[data-state=refused]"))
    ).to_be_visible()
    settle_at(site, 1)
    expect(third.locator(".pill")).to_have_text("live")
    expect(third.get_by_role("progressbar")).to_have_count(0)
    assert third.evaluate("sessionStorage.getItem('seen')") is None


def test_two_people_have_a_connection_each(site: Site, visitor: Visitor, visit: Visit, jobs: Jobs) -> None:
    job = jobs.task()
    job.do("t.advance(10)")
    other = visit()
    other.log_in(site)
    pages = tabs(site, visitor, "/")
    expect_bars([*pages, other.page], 10)
    settle_at(site, 2)
