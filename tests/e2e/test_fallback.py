"""Where WebSockets do not get through, pages follow by a stream of events, and where that is held back, by polling."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Request, expect

from tests.e2e.jobs import Jobs
from tests.e2e.proxy import Proxy
from tests.e2e.visitors import AWAY, Site, Visitor

Visit = Callable[..., Visitor]


@pytest.fixture
def proxy(site: Site) -> Iterator[Proxy]:
    """A way to the site that lets no WebSocket through."""
    proxy = Proxy(int(site.port), sockets=False)
    yield proxy
    proxy.close()


@pytest.fixture
def person(site: Site, visit: Visit, proxy: Proxy) -> Visitor:
    """Somebody behind that proxy."""
    visitor = visit()
    visitor.allow(AWAY)
    visitor.keep(site.token(), proxy.url)
    return visitor


def by(visitor: Visitor, transport: str) -> None:
    """Wait until it is live by this door."""
    expect(visitor.pill).to_have_attribute("data-transport", transport)
    expect(visitor.pill).to_have_text("live")


def online(visitor: Visitor) -> None:
    """As when the network has changed: what was blocked before may not be now."""
    visitor.page.evaluate("dispatchEvent(new Event('online'))")


def test_without_websockets_a_page_is_live_by_a_stream(proxy: Proxy, person: Visitor, jobs: Jobs) -> None:
    job = jobs.task()
    job.do("t.advance(10); t.log('first line')")
    person.page.goto(f"{proxy.url}/tasks/job")
    by(person, "events")
    expect(person.bar()).to_have_attribute("aria-valuenow", "10")
    job.do("t.advance(20); t.log('second line')")
    expect(person.bar()).to_have_attribute("aria-valuenow", "30")
    expect(person.page.get_by_role("log")).to_contain_text("second line")
    # Another page, other subscriptions, and back.
    person.page.get_by_role("link", name="Headway").first.click()
    expect(person.row()).to_be_visible()
    job.do("t.advance(20)")
    expect(person.bar()).to_have_attribute("aria-valuenow", "50")
    # Commands go the other way.
    person.row().get_by_role("button", name="Cancel").click()
    person.page.get_by_role("dialog").get_by_role("button", name="Cancel the task").click()
    expect(person.row().locator(".state")).to_have_text(re.compile("Stopping|Cancelled"))
    assert len(person.sockets) >= 2


def test_where_streams_are_held_back_a_page_is_live_by_polling(
    proxy: Proxy, person: Visitor, jobs: Jobs
) -> None:
    proxy.streams = False
    job = jobs.task()
    job.do("t.advance(10)")
    person.page.goto(proxy.url)
    by(person, "poll")
    expect(person.bar()).to_have_attribute("aria-valuenow", "10")
    for percent in (30, 50):
        job.do("t.advance(20)")
        expect(person.bar()).to_have_attribute("aria-valuenow", str(percent))


def test_it_goes_up_again_when_the_way_is_free_and_down_when_it_is_not(
    proxy: Proxy, person: Visitor, jobs: Jobs
) -> None:
    proxy.streams = False
    job = jobs.task()
    job.do("t.advance(10); t.log('line 1')")
    person.page.goto(f"{proxy.url}/tasks/job")
    by(person, "poll")
    proxy.streams = True
    # Not before a while has passed: somebody who flips between networks would have it try without end.
    expect(person.bar()).to_have_attribute("aria-valuenow", "10")
    person.page.wait_for_timeout(5_100)
    online(person)
    by(person, "events")
    job.do("t.advance(10); t.log('line 2')")
    expect(person.bar()).to_have_attribute("aria-valuenow", "20")
    proxy.sockets = True
    person.page.wait_for_timeout(5_100)
    online(person)
    by(person, "websocket")
    job.do("t.advance(10); t.log('line 3')")
    expect(person.bar()).to_have_attribute("aria-valuenow", "30")
    # The network becomes another, with all that was open.
    proxy.cut()
    proxy.sockets = False
    job.do("t.advance(10); t.log('line 4')")
    proxy.restore()
    by(person, "events")
    expect(person.bar()).to_have_attribute("aria-valuenow", "40")
    job.do("t.advance(10); t.log('line 5')")
    expect(person.bar()).to_have_attribute("aria-valuenow", "50")
    # Through all of it nothing was lost, doubled or went back.
    lines = person.page.get_by_role("log")
    expect(lines).to_contain_text("line 5")
    text = lines.inner_text()
    assert [text.count(f"line {number}") for number in range(1, 6)] == [1] * 5
    seen = person.seen()
    assert seen == sorted(seen)


def test_a_login_that_ends_is_said_on_a_stream_too(
    site: Site, proxy: Proxy, person: Visitor, jobs: Jobs
) -> None:
    jobs.task().do("t.advance(10)")
    person.keep(site.token("local", 6.0), proxy.url)
    person.page.goto(f"{proxy.url}/tasks/job")
    by(person, "events")
    expect(person.page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(person.page.get_by_role("alert").first).to_contain_text("expired")


def test_elements_in_a_page_of_the_same_site_follow_too(proxy: Proxy, person: Visitor, jobs: Jobs) -> None:
    job = jobs.task()
    job.do("t.advance(10)")
    page = person.page
    html = (
        '<!doctype html><title>Shop</title><script type="module" src="/headway.js"></script>'
        '<headway-task task="job"></headway-task>'
    )
    page.route("**/shop", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{proxy.url}/shop")
    expect(person.bar()).to_have_attribute("aria-valuenow", "10")
    job.do("t.advance(20)")
    expect(person.bar()).to_have_attribute("aria-valuenow", "30")
    assert page.evaluate("document.querySelector('headway-task').client.transport") == "events"


@pytest.mark.parametrize("door", ["events", "poll"])
def test_a_token_is_renewed_without_a_blink_on_every_door(
    site: Site, proxy: Proxy, visit: Visit, jobs: Jobs, door: str
) -> None:
    proxy.streams = door == "events"
    job = jobs.task()
    job.do("t.advance(10)")
    visitor = visit()
    visitor.allow(AWAY)
    made: list[str] = []

    # A minute before its end the server says that a token is about to end.
    def fresh() -> str:
        made.append(site.token("local", 61))
        return made[-1]

    visitor.context.expose_function("fresh", fresh)
    html = """<!doctype html><title>Shop</title><headway-task task="job"></headway-task><script type="module">
      import { HeadwayClient } from "/headway.js";
      const client = new HeadwayClient({ url: "/", token: () => window.fresh() });
      window.states = [];
      client.on("status", ({ state }) => states.push(state));
      document.querySelector("headway-task").client = client;
    </script>"""
    visitor.page.route("**/shop", lambda route: route.fulfill(body=html, content_type="text/html"))
    visitor.page.goto(f"{proxy.url}/shop")
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "10")
    assert visitor.page.evaluate("document.querySelector('headway-task').client.transport") == door
    visitor.page.evaluate("states.length = 0")
    old = set(made)

    def renewed(request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme == "Bearer" and token not in old

    with visitor.page.expect_request(renewed):
        job.do("t.advance(10)")
    for percent in (30, 40):
        job.do("t.advance(10)")
        expect(visitor.bar()).to_have_attribute("aria-valuenow", str(percent))
    assert set(visitor.page.evaluate("states")) <= {"live"}
