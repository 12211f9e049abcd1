"""The inbox in the browser: the bell, the element, several devices of several people, and pop-ups of the desktop."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from playwright.sync_api import Locator, Page, expect

from headway.model.grant import Ability
from tests.cli.programs import Programs
from tests.e2e.jobs import Jobs
from tests.e2e.pages import Pages
from tests.e2e.visitors import AWAY, REFUSED, SECONDS, Site, Visitor

Visit = Callable[..., Visitor]

# Tells the test of each pop-up that a page really makes.
_POPUPS = """(() => {
  const Real = window.Notification;
  window.Notification = class extends Real {
    constructor(title, options) {
      super(title, options);
      window.shown(title);
      window.popUp = this;
    }
  };
})()"""


def notify(site: Site, user: str, title: str, **fields: Any) -> str:
    """The id of a new notification for this user."""
    token = site.token("admin", None, *Ability)
    answer = urllib3.request(
        "POST",
        f"{site.url}/api/notifications",
        headers={"Authorization": f"Bearer {token}"},
        json={"user": user, "title": title, **fields},
    )
    assert answer.status == 201, answer.data
    return str(answer.json()["id"])


def popups(visitor: Visitor) -> list[str]:
    """Let this browser show notifications, and gather the titles of those that it shows."""
    titles: list[str] = []
    visitor.context.grant_permissions(["notifications"])
    visitor.context.expose_binding("shown", lambda _, title: titles.append(title))
    visitor.context.add_init_script(_POPUPS)
    return titles


def expect_popups(page: Page, titles: list[str], *expected: str) -> None:
    """Wait for as many as there are to be; a page tells of them after it has shown them."""
    deadline = time.monotonic() + SECONDS
    while len(titles) < len(expected) and time.monotonic() < deadline:
        page.wait_for_timeout(20)
    assert sorted(titles) == sorted(expected)


def bell(page: Page, unread: int) -> Locator:
    return page.get_by_role("button", name=f"Notifications: {unread} unread")


def open_bell(page: Page, unread: int) -> Locator:
    """The list."""
    bell(page, unread).click()
    return page.get_by_role("region", name="Notifications")


def test_two_people_with_four_devices(site: Site, visit: Visit) -> None:
    people = {"ada": [visit(), visit()], "bob": [visit(), visit()]}
    shown = {name: [popups(device) for device in devices] for name, devices in people.items()}
    for name, devices in people.items():
        for device in devices:
            device.keep(site.token(name), site.url)
            device.page.goto(site.url)
    # The first device of each has three tabs.
    tabs = {name: [devices[0].page, devices[0].open(), devices[0].open()] for name, devices in people.items()}
    for pages in tabs.values():
        for page in pages[1:]:
            page.goto(site.url)
    everywhere = {name: [*tabs[name], devices[1].page] for name, devices in people.items()}
    for pages in everywhere.values():
        for page in pages:
            expect(bell(page, 0)).to_be_visible()

    notify(site, "ada", "Report ready", content="It has 7 pages", severity="success", source="reports")
    notify(site, "ada", "Disk is nearly full", severity="warning")
    notify(site, "bob", "Hello Bob")
    for page in everywhere["ada"]:
        expect(bell(page, 2)).to_be_visible()
    for page in everywhere["bob"]:
        expect(bell(page, 1)).to_be_visible()

    # What one device reads is read on all, and nobody else's.
    entries = open_bell(tabs["ada"][1], 2)
    expect(entries.get_by_role("listitem")).to_have_count(2)
    expect(entries).to_contain_text("It has 7 pages")
    expect(entries).to_contain_text("reports")
    entries.get_by_role("button", name="Mark as read: Report ready").click()
    for page in everywhere["ada"]:
        expect(bell(page, 1)).to_be_visible()
    other = open_bell(people["ada"][1].page, 1)
    other.get_by_role("button", name="Archive: Disk is nearly full").click()
    for page in everywhere["ada"]:
        expect(bell(page, 0)).to_be_visible()
    expect(entries.get_by_role("listitem")).to_have_count(1)
    for page in everywhere["bob"]:
        expect(bell(page, 1)).to_be_visible()
        assert "Report ready" not in page.content()

    # Each browser has shown each once, however many tabs it has.
    for titles in shown["ada"]:
        expect_popups(tabs["ada"][0], titles, "Report ready", "Disk is nearly full")
    for titles in shown["bob"]:
        expect_popups(tabs["bob"][0], titles, "Hello Bob")

    # After a logout nothing comes any more, in no tab, and nothing connects again.
    laptop, phone = people["ada"]
    laptop.allow(REFUSED)
    tabs["ada"][2].get_by_role("button", name="Log out (ada)").click()
    for page in tabs["ada"]:
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    sockets = len(laptop.sockets)
    notify(site, "ada", "For the phone only")
    expect(bell(phone.page, 1)).to_be_visible()
    for page in tabs["ada"]:
        expect(page.get_by_role("button", name="Notifications")).to_have_count(0)
    expect_popups(phone.page, shown["ada"][1], "Report ready", "Disk is nearly full", "For the phone only")
    assert "For the phone only" not in shown["ada"][0]
    assert len(laptop.sockets) == sockets
    assert all(socket.is_closed() for socket in laptop.sockets)


def test_a_pop_up_leads_to_what_it_tells_of(site: Site, visit: Visit, jobs: Jobs) -> None:
    visitor = visit()
    titles = popups(visitor)
    visitor.log_in(site)
    job = jobs.task(options="total=100, notify=True")
    assert job.finish() == 0
    expect(bell(visitor.page, 1)).to_be_visible()
    expect_popups(visitor.page, titles, "Importing customers")
    visitor.page.evaluate("window.popUp.onclick()")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Importing customers")
    expect(bell(visitor.page, 0)).to_be_visible()


def test_an_ongoing_notification_is_a_bar_and_then_a_message(site: Site, visit: Visit, jobs: Jobs) -> None:
    visitor = visit()
    titles = popups(visitor)
    visitor.log_in(site)
    job = jobs.task(options="total=100, notify='ongoing'")
    entries = open_bell(visitor.page, 1)
    bar = entries.get_by_role("progressbar", name="Importing customers")
    for percent in (30, 60):
        job.do("t.advance(30)")
        expect(bar).to_have_attribute("aria-valuenow", str(percent))
    assert titles == []
    entries.get_by_role("button", name="Mark as read: Importing customers").click()
    expect(bell(visitor.page, 0)).to_be_visible()
    expect(bar).to_be_visible()
    assert job.finish() == 0
    expect(bell(visitor.page, 1)).to_be_visible()
    expect(bar).to_have_count(0)
    expect(entries.get_by_role("listitem")).to_contain_text(["Done after"])
    expect_popups(visitor.page, titles, "Importing customers")


def test_older_ones_are_read_page_by_page(site: Site, visitor: Visitor, programs: Programs) -> None:
    token = site.token("admin", None, *Ability)
    for start in range(0, 270, 90):
        reports = [
            {"type": "notify", "id": f"n{number:03}", "user": "local", "title": f"Report {number}"}
            for number in range(start, start + 90)
        ]
        answer = urllib3.request(
            "POST",
            f"{site.url}/api/ingest",
            headers={"Authorization": f"Bearer {token}"},
            json={"reports": reports},
        )
        assert answer.json()["accepted"] == 90
    page = visitor.page
    expect(bell(page, 270)).to_contain_text("99+")
    entries = open_bell(page, 270)
    items = entries.get_by_role("listitem")
    expect(items).to_have_count(270)
    urllib3.request(
        "POST",
        f"{site.url}/api/notifications/archive_all",
        headers={"Authorization": f"Bearer {site.token()}"},
    )
    expect(items).to_have_count(0)
    expect(entries).to_contain_text("Nothing new.")
    # A server that was just started keeps nothing at hand of what was put away.
    visitor.allow(AWAY)
    site.server.end(signal.SIGTERM)
    assert programs.start("serve", "--data", programs.data, "--port", site.port).url == site.url
    page.reload()
    open_bell(page, 0).get_by_role("button", name="Archive", exact=True).click()
    expect(items).to_have_count(50)
    expect(items.first).to_contain_text("Report 269")
    for number in (100, 150, 200, 250, 270):
        entries.get_by_role("button", name="Load older ones").click()
        expect(items).to_have_count(number)
    expect(items.last).to_contain_text("Report 0")
    expect(entries).to_contain_text("That is all there is.")
    # They change as all others do.
    entries.get_by_role("button", name="Mark as unread: Report 0", exact=True).click()
    expect(items).to_have_count(269)
    expect(bell(page, 1)).to_be_visible()
    entries.get_by_role("button", name="Inbox", exact=True).click()
    expect(items).to_have_count(1)
    entries.get_by_role("button", name="Mark all as read").click()
    expect(bell(page, 0)).to_be_visible()


def test_with_the_keyboard_alone(site: Site, visitor: Visitor) -> None:
    for title in ("First", "Second", "Third"):
        notify(site, "local", title)
    page = visitor.page
    button = bell(page, 3)
    expect(button).to_be_visible()
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Notifications")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Mark as read: Second")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(bell(page, 2)).to_be_visible()
    # The next one has the focus, so that the work goes on there.
    expect(page.get_by_role("listitem").filter(has_text="First")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Notifications")).to_have_count(0)
    expect(bell(page, 2)).to_be_focused()


def test_marks_that_turn_text_round_stay_among_themselves(site: Site, visit: Visit) -> None:
    visitor = visit()
    titles = popups(visitor)
    visitor.log_in(site)
    notify(site, "local", "invoice\u202egpj.exe", content="\u2067a<b>b</b>\u2069", source="\u202ex")
    entries = open_bell(visitor.page, 1)
    expect(entries.locator(".entry-title")).to_have_text("invoicegpj.exe")
    expect(entries.locator(".entry-content")).to_have_text("a<b>b</b>")
    assert entries.locator(".entry-content b").count() == 0
    expect_popups(visitor.page, titles, "invoicegpj.exe")
    name = entries.get_by_role("button", name="Archive: ").get_attribute("aria-label")
    assert name == "Archive: invoicegpj.exe"


def element(pages: Pages, site: Site, token: str) -> None:
    pages.show(site.url, f'<headway-inbox token="{token}"></headway-inbox><p id="went"></p>')


def test_on_somebody_elses_page(site: Site, visit: Visit, pages: Pages) -> None:
    notify(site, "ada", "Your order", link="/orders/7", content="It is on its way.")
    notify(site, "ada", "Elsewhere", link="https://example.com/", severity="error")
    notify(site, "bob", "Not hers")
    visitor = visit()
    page = visitor.page
    element(pages, site, site.token("ada"))
    page.goto(pages.url)
    page.evaluate("""document.addEventListener("headway-open", (event) => {
      event.preventDefault();
      document.getElementById("went").textContent = event.detail.link;
    })""")
    entries = open_bell(page, 2)
    expect(entries.get_by_role("listitem")).to_have_count(2)
    expect(entries.locator(".entry-title").first).to_have_text("Error: Elsewhere")
    expect(entries.get_by_role("link", name="Your order")).to_have_attribute("href", "/orders/7")
    entries.get_by_role("link", name="Your order").click()
    expect(page.locator("#went")).to_have_text("/orders/7")
    expect(bell(page, 1)).to_be_visible()
    # Into the window, wherever the bell is in it.
    box = entries.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1200


def test_a_browser_shows_each_once_though_each_tab_has_a_token(
    site: Site, visit: Visit, pages: Pages
) -> None:
    visitor = visit()
    titles = popups(visitor)
    element(pages, site, site.token("ada"))
    tabs = [visitor.page, visitor.open(), visitor.open()]
    for page in tabs:
        page.goto(pages.url)
        expect(bell(page, 0)).to_be_visible()
    for number, title in enumerate(("First", "Second"), 1):
        notify(site, "ada", title)
        for page in tabs:
            expect(bell(page, number)).to_be_visible()
    expect_popups(visitor.page, titles, "First", "Second")
    # Nor does a page show what came before it.
    tabs[0].reload()
    expect(bell(tabs[0], 2)).to_be_visible()
    notify(site, "ada", "Third")
    for page in tabs:
        expect(bell(page, 3)).to_be_visible()
    expect_popups(visitor.page, titles, "First", "Second", "Third")


def test_a_token_is_renewed_without_a_blink(site: Site, visit: Visit, pages: Pages) -> None:
    visitor = visit()
    made: list[str] = []

    # The server says that a token is about to end a minute before; then the next is due at once.
    def fresh() -> str:
        made.append(site.token("ada", 61))
        return made[-1]

    visitor.context.expose_function("fresh", fresh)
    pages.html = f"""<!doctype html><title>Shop</title><headway-inbox></headway-inbox><script type="module">
      import {{ HeadwayClient }} from "{site.url}/headway.js";
      const client = new HeadwayClient({{ url: "{site.url}/", token: () => window.fresh() }});
      window.states = [];
      client.on("status", ({{ state }}) => states.push(state));
      client.on("welcome", () => {{ window.welcomes = (window.welcomes ?? 0) + 1; }});
      document.querySelector("headway-inbox").client = client;
    </script>"""
    notify(site, "ada", "Before")
    visitor.page.goto(pages.url)
    entries = open_bell(visitor.page, 1)
    visitor.page.wait_for_function("window.welcomes >= 3")
    notify(site, "ada", "After")
    expect(entries.get_by_role("listitem")).to_have_count(2)
    assert len(made) >= 3
    assert set(visitor.page.evaluate("states")) <= {"connecting", "live"}
    assert visitor.page.evaluate("states").count("connecting") == 1
    assert len(visitor.sockets) == 1


def test_another_token_in_the_attribute_goes_on_where_the_first_was(
    site: Site, visit: Visit, pages: Pages
) -> None:
    visitor = visit()
    visitor.allow(AWAY)
    page = visitor.page
    notify(site, "ada", "For Ada")
    notify(site, "bob", "For Bob")
    element(pages, site, site.token("ada", 61))
    # As a page does that is told in time; before anything, since the telling may come at once.
    page.add_init_script("""window.told = new Promise((tell) => {
      document.addEventListener("headway-expiring", ({ detail }) => tell(detail), { once: true });
    })""")
    page.goto(pages.url)
    entries = open_bell(page, 1)
    expect(entries).to_contain_text("For Ada")
    assert 0 < page.evaluate("told") <= 61
    renew = "(token) => document.querySelector('headway-inbox').setAttribute('token', token)"
    page.evaluate(renew, site.token("ada"))
    notify(site, "ada", "For Ada too")
    expect(entries.get_by_role("listitem")).to_have_count(2)
    assert len(visitor.sockets) == 1
    # Somebody else begins anew, and sees nothing of it.
    page.evaluate(renew, site.token("bob"))
    expect(entries.get_by_role("listitem")).to_have_count(1)
    expect(entries).to_contain_text("For Bob")
    assert len(visitor.sockets) == 2


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_in_the_language_of_the_page(site: Site, visit: Visit, pages: Pages, language: str) -> None:
    visitor = visit()
    pages.show(
        site.url, f'<div lang="{language}"><headway-inbox token="{site.token("ada")}"></headway-inbox></div>'
    )
    visitor.page.goto(pages.url)
    said = {"en": ("Notifications: 0 unread", "Nothing new."), "zh-Hans": ("通知: 0 条未读", "没有新通知。")}
    name, nothing = said[language]
    visitor.page.get_by_role("button", name=name).click()
    expect(visitor.page.locator(".panel")).to_contain_text(nothing)
