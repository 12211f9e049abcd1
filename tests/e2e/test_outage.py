"""What breaks: networks, pages that are reloaded, servers and workers that are killed. Every page comes to the truth by
itself, and no bar ever goes back."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.cli.programs import Programs
from tests.e2e.jobs import Jobs
from tests.e2e.visitors import AWAY, Site, Visitor
from tests.network import Network

Visit = Callable[..., Visitor]
BACK = 40_000
"""Milliseconds until pages and workers have surely asked again, however often they were refused before."""
RECONNECTING = re.compile(r"^reconnecting, as of \d\d:\d\d$")


@pytest.fixture
def network(site: Site) -> Iterator[Network]:
    """Another way to the site, which can be cut."""
    network = Network(int(site.port))
    yield network
    network.close()


def test_two_browsers_one_reloads_and_one_loses_its_network(
    site: Site, visitor: Visitor, visit: Visit, jobs: Jobs, network: Network
) -> None:
    job = jobs.task()
    traveller = visit()
    traveller.allow(AWAY)
    traveller.keep(site.token(), network.url)
    traveller.page.goto(f"{network.url}/tasks/job")
    job.do("t.advance(10)")
    for person in (visitor, traveller):
        expect(person.bar()).to_have_attribute("aria-valuenow", "10")
    network.cut()
    expect(traveller.pill).to_have_text(RECONNECTING)
    job.do("t.advance(20)")
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "30")
    visitor.page.reload()
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "30")
    job.do("t.advance(30); t.log('while nobody listened')")
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "60")
    # What is shown is from before, and the page says so.
    expect(traveller.bar()).to_have_attribute("aria-valuenow", "10")
    network.restore()
    expect(traveller.pill).to_have_text("live", timeout=BACK)
    expect(traveller.bar()).to_have_attribute("aria-valuenow", "60")
    expect(traveller.page.get_by_role("log")).to_contain_text("while nobody listened")
    network.cut()
    expect(traveller.pill).to_have_text(RECONNECTING)
    job.do("t.result({'rows': 1204})")
    assert job.finish() == 0
    network.restore()
    visitor.row().get_by_role("link").click()
    for person in (visitor, traveller):
        expect(person.page.locator("header.head .state")).to_have_text("Done", timeout=BACK)
        expect(person.bar()).to_have_attribute("aria-valuenow", "100")
        expect(person.page.get_by_role("region", name="Result")).to_contain_text("1204")
        seen = person.seen()
        assert seen == sorted(seen), seen
        assert seen[-1] == 100


def test_a_browser_that_was_offline_comes_back(visitor: Visitor, jobs: Jobs) -> None:
    visitor.allow(AWAY)
    job = jobs.task()
    job.do("t.advance(10)")
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "10")
    visitor.context.set_offline(True)
    job.do("t.advance(10)")
    job.do("headway.flush()")
    visitor.context.set_offline(False)
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "20")
    expect(visitor.pill).to_have_text("live")


def test_a_killed_server_comes_back_and_the_bar_goes_on(
    programs: Programs, site: Site, visitor: Visitor, visit: Visit, jobs: Jobs
) -> None:
    job = jobs.track(options="total=100")
    for _ in range(40):
        job.do()
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "40")
    opened = visit()
    opened.log_in(site, path="/tasks/job")
    people = (visitor, opened)
    for person in people:
        person.allow(AWAY)
        expect(person.bar()).to_have_attribute("aria-valuenow", "40")
    site.server.process.kill()
    site.server.process.wait()
    for person in people:
        expect(person.pill).to_have_text(RECONNECTING)
    for _ in range(20):
        job.do()
    restarted = programs.start("serve", "--data", programs.data, "--port", site.port)
    assert restarted.url == site.url
    for person in people:
        expect(person.pill).to_have_text("live", timeout=BACK)
        expect(person.bar()).to_have_attribute("aria-valuenow", "60", timeout=BACK)
    for _ in range(40):
        job.do()
    assert job.finish() == 0
    assert job.said() == ""
    for person in people:
        expect(person.bar()).to_have_attribute("aria-valuenow", "100")
        seen = person.seen()
        assert seen == sorted(seen), seen
        assert {40, 60, 100} <= set(seen)
    expect(visitor.row().locator(".state")).to_have_text("Done")
    expect(opened.page.locator("header.head .state")).to_have_text("Done")


def test_a_server_that_is_stopped_in_order_says_goodbye(
    programs: Programs, site: Site, visitor: Visitor
) -> None:
    visitor.allow(AWAY)
    assert site.server.end(signal.SIGTERM) == 0
    expect(visitor.pill).to_have_text(RECONNECTING)
    restarted = programs.start("serve", "--data", programs.data, "--port", site.port)
    assert restarted.url == site.url
    expect(visitor.pill).to_have_text("live", timeout=BACK)


def test_a_killed_worker_is_lost_and_found_again(programs: Programs, visit: Visit, jobs: Jobs) -> None:
    site = Site(programs.serve("--lost-after", "1"), programs.data)
    visitor = visit()
    visitor.log_in(site)
    job = jobs.task()
    job.do("t.advance(40)")
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "40")
    job.process.kill()
    row = visitor.row()
    expect(row.locator(".state")).to_have_text("Lost")
    expect(row).to_contain_text("no sign of life for")
    expect(visitor.page.get_by_role("heading", name="Needs attention 1")).to_be_visible()
    # What it had reached stays, and another worker takes it up.
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "40")
    again = jobs.task()
    again.do("t.progress(50)")
    expect(row.locator(".state")).to_have_text("Running")
    expect(row).not_to_contain_text("no sign of life")
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "50")


def test_a_page_that_is_opened_after_the_end_shows_the_end(site: Site, visit: Visit, jobs: Jobs) -> None:
    job = jobs.task()
    job.do("t.advance(99)")
    assert job.finish() == 0
    late = visit()
    late.log_in(site, path="/tasks/job")
    expect(late.bar()).to_have_attribute("aria-valuenow", "100")
    expect(late.page.locator("header.head .state")).to_have_text("Done")
