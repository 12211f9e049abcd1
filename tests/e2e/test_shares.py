"""A share link in the browser of somebody who has no login: live, framed, without scripts, and over when it is over."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import urllib3
from playwright.sync_api import expect

from headway.model.grant import Ability
from tests.e2e.jobs import Jobs
from tests.e2e.pages import Pages
from tests.e2e.visitors import AWAY, Site, Visitor

Visit = Callable[..., Visitor]


def known(site: Site, task: str, percent: float = 0) -> None:
    """Wait until the server has heard so much of a task: jobs report when they can."""
    token = site.token("local", None, Ability.READ)
    for _ in range(600):
        found = urllib3.request(
            "GET", f"{site.url}/api/tasks/{task}", headers={"Authorization": f"Bearer {token}"}
        )
        if found.status == 200 and (found.json()["progress"]["percent"] or 0) >= percent:
            return
        time.sleep(0.05)
    raise AssertionError(f"{task} was never there")


def ask(site: Site, method: str, path: str, body: Any = None) -> Any:
    """One call of the owner."""
    answer = urllib3.request(
        method,
        site.url + path,
        json=body,
        headers={"Authorization": f"Bearer {site.token('local', None, Ability.READ, Ability.CANCEL)}"},
    )
    assert answer.status < 300, answer.data
    return json.loads(answer.data) if answer.data else None


def test_whoever_has_the_link_sees_the_bar_move_until_it_is_taken_back(
    site: Site, visit: Visit, jobs: Jobs
) -> None:
    job = jobs.task()
    job.do("t.advance(40)")
    known(site, "job")
    share = ask(site, "POST", "/api/shares", {"task": "job"})
    visitor = visit()
    visitor.page.goto(share["url"])
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "40")
    expect(visitor.page.get_by_role("button")).to_have_count(0)
    job.do("t.advance(20)")
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "60")

    visitor.allow(AWAY)
    ask(site, "DELETE", f"/api/shares/{share['id']}")
    expect(visitor.page.locator("headway-task")).to_contain_text("not allowed")
    job.do("t.advance(20)")
    known(site, "job", 80)
    expect(visitor.page.locator("headway-task")).not_to_contain_text("80%")
    opened = len(visitor.sockets)
    visitor.allow("404")
    visitor.page.reload()
    expect(visitor.page.get_by_role("heading")).to_have_text("This link does not work any more")
    assert len(visitor.sockets) == opened


def test_another_site_can_frame_the_bar_and_show_the_badge(
    site: Site, visit: Visit, jobs: Jobs, pages: Pages
) -> None:
    job = jobs.task()
    job.do("t.advance(40)")
    known(site, "job")
    share = ask(site, "POST", "/api/shares", {"task": "job"})
    visitor = visit()
    pages.html = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>'
        f'<iframe src="{share["embed"]}"></iframe><img alt="badge" src="{share["badge"]}">'
    )
    visitor.page.goto(pages.url)
    framed = visitor.page.frame_locator("iframe").get_by_role("progressbar")
    expect(framed).to_have_attribute("aria-valuenow", "40")
    job.do("t.advance(20)")
    expect(framed).to_have_attribute("aria-valuenow", "60")
    picture = visitor.page.get_by_alt_text("badge")
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 100


def test_without_scripts_it_says_where_it_stands(site: Site, visit: Visit, jobs: Jobs) -> None:
    jobs.task("Importing <b>customers</b>").do("t.advance(40)")
    known(site, "job")
    share = ask(site, "POST", "/api/shares", {"task": "job"})
    visitor = visit(java_script_enabled=False, color_scheme="dark", locale="zh-CN")
    visitor.page.goto(share["url"])
    expect(visitor.page.get_by_text("Importing <b>customers</b>")).to_be_visible()
    expect(visitor.page.get_by_text("进行中 · 40 %")).to_be_visible()


def test_a_channel_shows_its_tasks_as_they_come(site: Site, visit: Visit, jobs: Jobs) -> None:
    jobs.task("First", "first").do("t.advance(40)")
    known(site, "first")
    share = ask(site, "POST", "/api/shares", {"channel": "user:local", "title": "What runs"})
    visitor = visit()
    visitor.page.goto(share["url"])
    expect(visitor.page.get_by_role("heading", name="What runs")).to_be_visible()
    expect(visitor.bar("First")).to_have_attribute("aria-valuenow", "40")
    jobs.task("Second", "second").do("t.advance(10)")
    expect(visitor.bar("Second")).to_have_attribute("aria-valuenow", "10")
