"""What is seen: colours, languages, narrow screens, and what tools for accessibility find."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.jobs import Jobs
from tests.e2e.pages import Pages
from tests.e2e.visitors import REFUSED, Site, Visitor

Visit = Callable[..., Visitor]
AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"


def lightness(page: Page) -> float:
    """Of the page's ground: 0 is black, 255 is white."""
    colour: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
    return (red + green + blue) / 3


def faults(page: Page) -> list[str]:
    """What axe-core has to say against the page, WCAG 2.2 AA and its best practices."""
    if not AXE.is_file():
        pytest.fail("axe-core is missing: run scripts/setup npm", pytrace=False)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{fault['id']}: {node['html'][:160]} {node['failureSummary']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def crowd(jobs: Jobs) -> None:
    """Tasks in every state, one with a word that is longer than a screen."""
    long = "Importing " + "customers_of_the_north_" * 8
    job = jobs.task(
        "Nightly report", "report", "steps=['Read', ('Render', 3)], kind='report', tags=['a', 'b']"
    )
    job.do("t.step('Read', total=4, unit='files')")
    job.do("t.progress(2, message='a/very/long/path/without/any/space/in/it/' * 4)")
    job.do(f"t.log({'x' * 400!r}); t.log('careful', 'warning'); t.log('broken', 'error')")
    jobs.task(long, "long").do("t.advance(70)")
    jobs.task("Unknown end", "unknown", "kind='sync'").do("t.advance(1204)")
    failed = jobs.task("Failing", "failed")
    failed.do("t.advance(30)")
    failed.tell("raise ValueError('row 30 has no name')")
    failed.process.wait()
    jobs.task("Ended", "ended").finish()
    job.do("headway.create('Waiting', id='waiting', total=3, parent=None)")
    job.do("headway.notify('local', 'Report ready', 'It has 7 pages', severity='success')")
    job.do("headway.flush()")


@pytest.fixture
def crowded(visitor: Visitor, jobs: Jobs) -> Visitor:
    crowd(jobs)
    expect(visitor.page.locator("li.row")).to_have_count(6)
    expect(visitor.page.get_by_role("button", name="Notifications: 1 unread")).to_be_visible()
    return visitor


def test_colours_follow_the_system_and_the_choice(site: Site, visit: Visit) -> None:
    light, dark = visit(color_scheme="light"), visit(color_scheme="dark")
    for person in (light, dark):
        person.log_in(site)
    assert lightness(light.page) > 200
    assert lightness(dark.page) < 60
    switch = light.page.get_by_role("button", name="Colours")
    switch.click()
    expect(switch).to_have_accessible_name("Colours: Light colours")
    assert lightness(light.page) > 200
    switch.click()
    expect(switch).to_have_accessible_name("Colours: Dark colours")
    assert lightness(light.page) < 60
    light.page.reload()
    expect(light.pill).to_have_text("live")
    assert lightness(light.page) < 60


def test_chinese_all_through(crowded: Visitor) -> None:
    page = crowded.page
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(crowded.pill).to_have_text("实时")
    expect(crowded.row("failed").locator(".state")).to_have_text("失败")
    page.reload()
    expect(crowded.pill).to_have_text("实时")
    crowded.row("report").get_by_role("link").click()
    expect(page.get_by_role("heading", name="日志")).to_be_visible()
    # What is left of English is what the job itself said, names, and what names our product.
    texts = page.locator("header.top, .block h2, .back, header.head .actions, dl.facts dt").all_inner_texts()
    words = set(re.findall(r"[A-Za-z]{3,}", " ".join(texts)))
    assert words <= {"Headway", "API", "English"}
    # The time by itself is as the language has it.
    expect(page.locator("dl.facts")).to_contain_text(re.compile("刚刚|秒前"))
    page.get_by_role("button", name="English").click()
    expect(crowded.pill).to_have_text("live")


def test_a_browser_in_chinese_is_spoken_to_in_chinese(site: Site, visit: Visit) -> None:
    visitor = visit(locale="zh-CN")
    visitor.allow(REFUSED)
    visitor.page.goto(site.url)
    expect(visitor.page.get_by_role("heading", name="登录")).to_be_visible()


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_nothing_is_wider_than_a_small_phone(site: Site, visit: Visit, jobs: Jobs, language: str) -> None:
    crowd(jobs)
    visitor = visit(viewport={"width": 360, "height": 740}, locale=language, is_mobile=True, has_touch=True)
    visitor.allow(REFUSED)
    page = visitor.page
    page.goto(f"{site.url}/login")
    expect(page.locator(".login")).to_be_visible()
    assert overflow(page) == 0
    visitor.keep(site.token(), site.url)
    page.goto(site.url)
    expect(page.locator("li.row")).to_have_count(6)
    assert overflow(page) == 0
    page.locator(".bell button").first.tap()
    expect(page.locator(".entry")).to_be_visible()
    assert overflow(page) == 0
    box = page.locator(".panel").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    for task in ("report", "long", "failed"):
        page.goto(f"{site.url}/tasks/{task}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert overflow(page) == 0, task
    page.goto(f"{site.url}/api")
    expect(page.get_by_role("heading", name="REST API")).to_be_visible()
    expect(page.get_by_text("/api/tasks", exact=True).first).to_be_visible()
    assert overflow(page) == 0


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_no_fault(site: Site, visit: Visit, jobs: Jobs, pages: Pages, colours: str) -> None:
    crowd(jobs)
    visitor = visit(color_scheme=colours)
    visitor.allow(REFUSED)
    page = visitor.page
    page.goto(f"{site.url}/login#nonsense")
    expect(page.get_by_role("alert").first).to_contain_text("This login link is not valid any more")
    assert faults(page) == []
    visitor.log_in(site)
    expect(page.locator("li.row")).to_have_count(6)
    assert faults(page) == []
    page.get_by_role("button", name="Notifications").click()
    expect(page.locator(".entry")).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("Escape")
    for task in ("report", "failed", "unknown"):
        page.goto(f"{site.url}/tasks/{task}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert faults(page) == []
    page.goto(f"{site.url}/api")
    expect(page.get_by_text("/api/tasks", exact=True).first).to_be_visible()
    assert faults(page) == []


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_no_fault_in_the_elements(
    site: Site, visit: Visit, jobs: Jobs, pages: Pages, colours: str
) -> None:
    crowd(jobs)
    visitor = visit(color_scheme=colours)
    token = site.token()
    tasks = "".join(
        f'<headway-task task="{task}" token="{token}" controls></headway-task>'
        for task in ("report", "failed")
    )
    pages.show(
        site.url, f'<main>{tasks}<headway-tasks channel="user:local" token="{token}"></headway-tasks></main>'
    )
    pages.html = pages.html.replace(
        "<h1>", "<style>:root { color-scheme: light dark }</style><header><h1>"
    ).replace("</h1>", "</h1></header>")
    visitor.page.goto(pages.url)
    expect(visitor.bar("Nightly report")).to_have_count(2)
    expect(visitor.bar("Failing")).to_have_count(2)
    assert faults(visitor.page) == []


def test_axe_would_find_a_fault(visit: Visit, pages: Pages) -> None:
    visitor = visit()
    pages.html = "<!doctype html><html lang=en><title>x</title><main><h1>x</h1><img src='data:,'></main>"
    visitor.page.goto(pages.url)
    assert [fault.partition(":")[0] for fault in faults(visitor.page)] == ["image-alt"]
