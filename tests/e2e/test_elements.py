"""One tag on somebody else's page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from headway.model.grant import Ability
from headway.server.tokens import Tokens, kept_secret
from tests.cli.programs import Programs
from tests.e2e.jobs import Jobs
from tests.e2e.pages import Pages
from tests.e2e.visitors import AWAY, Site, Visitor

Visit = Callable[..., Visitor]

# Every text that the live region of the element ever had.
_LISTEN = """() => {
  window.heard = [];
  const region = document.querySelector("headway-task").shadowRoot.querySelector("[role=status]");
  new MutationObserver(() => heard.push(region.textContent)).observe(
    region, { childList: true, characterData: true, subtree: true });
}"""


def test_with_a_token_on_another_origin(site: Site, visit: Visit, jobs: Jobs, pages: Pages) -> None:
    job = jobs.task(options="total=100, unit='rows', steps=['Read', 'Write']")
    job.do("t.step('Read', total=10)")
    job.do("t.progress(5, message='cat.png')")
    visitor = visit()
    pages.show(site.url, f'<headway-task task="job" token="{site.token()}"></headway-task>')
    visitor.page.goto(pages.url)
    element = visitor.page.locator("headway-task")
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "25")
    expect(element).to_contain_text("Importing customers")
    expect(element).to_contain_text("1/2 Read")
    expect(element).to_contain_text("cat.png")
    # Buttons are for pages that ask for them.
    expect(element.get_by_role("button")).to_have_count(0)
    done = "new Promise((end) => document.querySelector('headway-task').addEventListener('headway-done', (event) => end(event.detail.state)))"
    visitor.page.evaluate(f"window.ended = {done}; 0")
    job.do("t.result({'url': 'https://example.com/7', 'title': 'Your file'})")
    assert job.finish() == 0
    assert visitor.page.evaluate("window.ended") == "succeeded"
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "100")
    expect(element.get_by_role("link", name="Your file")).to_have_attribute("href", "https://example.com/7")
    seen = visitor.seen()
    assert seen == sorted(seen)


def test_a_strict_policy_of_the_page_is_kept(site: Site, visit: Visit, jobs: Jobs, pages: Pages) -> None:
    jobs.task().do("t.advance(40)")
    visitor = visit()
    pages.policy = f"default-src 'none'; script-src {site.url}; connect-src {site.url.replace('http', 'ws')}"
    pages.show(site.url, f'<headway-task task="job" token="{site.token()}"></headway-task>')
    visitor.page.goto(pages.url)
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "40")
    # It looks as it should: nothing of its style was refused.
    fill = visitor.page.locator("headway-task .fill")
    bar = visitor.page.locator("headway-task .bar")
    inner, outer = fill.bounding_box(), bar.bounding_box()
    assert inner is not None
    assert outer is not None
    assert inner["width"] / outer["width"] == pytest.approx(0.4, abs=0.02)


def test_with_the_login_cookie_on_this_machine(site: Site, visit: Visit, jobs: Jobs, pages: Pages) -> None:
    job = jobs.task()
    job.do("t.advance(40)")
    visitor = visit()
    visitor.log_in(site)
    pages.show(site.url, '<headway-task task="job" controls></headway-task>')
    visitor.page.goto(pages.url)
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "40")
    visitor.page.get_by_role("button", name="Cancel").click()
    expect(visitor.page.locator("headway-task .state")).to_have_text("Stopping")
    job.tell("while True: t.advance(0); os.getpid()")
    job.expect("cancelled")
    expect(visitor.page.locator("headway-task .state")).to_have_text("Cancelled")


def test_the_login_cookie_does_not_count_for_another_site(
    site: Site, visit: Visit, jobs: Jobs, pages: Pages
) -> None:
    jobs.task().do("t.advance(40)")
    visitor = visit()
    visitor.allow(AWAY)
    visitor.log_in(site)
    pages.show(site.url, '<headway-task task="job"></headway-task>')
    visitor.page.goto(pages.foreign)
    element = visitor.page.locator("headway-task")
    expect(element).to_contain_text("not allowed to see this")
    expect(element).not_to_contain_text("Importing customers")


def test_nor_for_another_page_of_this_machine_once_the_server_is_public(
    programs: Programs, visit: Visit, jobs: Jobs, pages: Pages
) -> None:
    secret = "a secret that is long enough for the world"
    server = programs.serve("--host", "0.0.0.0", HEADWAY_SECRET=secret)
    url = server.url.replace("0.0.0.0", "127.0.0.1")
    token = Tokens(secret).make("local", can=Ability)
    visitor = visit()
    visitor.allow(AWAY)
    visitor.keep(token, url)
    visitor.page.goto(url)
    expect(visitor.pill).to_have_text("live")
    pages.show(url, '<headway-task task="job"></headway-task>')
    visitor.page.goto(pages.url)
    expect(visitor.page.locator("headway-task")).to_contain_text("not allowed to see this")


def test_a_page_that_is_faster_than_its_job_shows_it_by_itself(
    site: Site, visit: Visit, jobs: Jobs, pages: Pages
) -> None:
    visitor = visit()
    pages.show(site.url, f'<headway-task task="job" token="{site.token()}"></headway-task>')
    visitor.page.goto(pages.url)
    expect(visitor.page.locator("headway-task")).to_contain_text("There is no such task")
    jobs.task().do("t.advance(40)")
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "40")
    expect(visitor.page.locator("headway-task")).not_to_contain_text("There is no such task")


def test_a_token_for_one_task_shows_no_other(
    programs: Programs, site: Site, visit: Visit, jobs: Jobs, pages: Pages
) -> None:
    jobs.task("Mine", "mine").do("t.advance(40)")
    jobs.task("Not mine", "other").do("t.advance(40)")
    token = Tokens(kept_secret(programs.data)).make("guest", tasks=["mine"], can=[Ability.READ])
    visitor = visit()
    tag = '<headway-task task="{}" token="{}" controls></headway-task>'
    pages.show(site.url, tag.format("mine", token) + tag.format("other", token))
    visitor.page.goto(pages.url)
    mine, other = visitor.page.locator("headway-task").nth(0), visitor.page.locator("headway-task").nth(1)
    expect(mine).to_contain_text("Mine")
    expect(other).to_contain_text("There is no such task")
    expect(other).not_to_contain_text("Not mine")


def test_only_quarters_and_the_end_are_said_aloud(site: Site, visit: Visit, jobs: Jobs, pages: Pages) -> None:
    job = jobs.task(options="total=200")
    job.do("t.progress(1)")
    visitor = visit()
    pages.show(site.url, f'<headway-task task="job" token="{site.token()}"></headway-task>')
    visitor.page.goto(pages.url)
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "0")
    visitor.page.evaluate(_LISTEN)
    for done in range(2, 200):
        job.do(f"t.progress({done}, message='row {done}')")
        if done % 25 == 0:
            expect(visitor.bar()).to_have_attribute("aria-valuenow", str(done // 2))
    assert job.finish() == 0
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "100")
    assert visitor.page.evaluate("heard") == [
        "Importing customers: 25 percent",
        "Importing customers: 50 percent",
        "Importing customers: 75 percent",
        "Importing customers: done",
    ]
    region = visitor.page.locator("headway-task [role=status]")
    expect(region).to_have_attribute("aria-live", "polite")


def test_markup_in_a_title_is_text(site: Site, visit: Visit, jobs: Jobs, pages: Pages) -> None:
    title = "<img src=x onerror=\"document.title='taken'\"><b>bold</b>"
    job = jobs.task(title)
    job.do(f"t.progress(50, message={title!r})")
    visitor = visit()
    pages.show(site.url, f'<headway-task task="job" token="{site.token()}"></headway-task>')
    visitor.page.goto(pages.url)
    element = visitor.page.locator("headway-task")
    expect(element.locator(".title")).to_have_text(title)
    expect(element.locator(".message")).to_have_text(title)
    job.do(f"t.result({{'url': 'javascript:alert(1)', 'title': {title!r}}})")
    job.tell(f"raise ValueError({title!r})")
    assert job.process.wait() == 1
    expect(element.locator(".error")).to_contain_text(title)
    expect(element.locator("img, b, a")).to_have_count(0)
    assert visitor.page.title() == "Shop"


def test_a_list_of_a_channel(site: Site, visit: Visit, jobs: Jobs, pages: Pages) -> None:
    first = jobs.task("First", "first", "total=10, kind='import'")
    first.do("t.advance(1)")
    jobs.task("Hidden", "hidden", "kind='other'").do("t.advance(1)")
    visitor = visit()
    pages.show(
        site.url, f'<headway-tasks channel="user:local" kind="import" token="{site.token()}"></headway-tasks>'
    )
    visitor.page.goto(pages.url)
    expect(visitor.bar("First")).to_have_attribute("aria-valuenow", "10")
    jobs.task("Second", "second", "total=10, kind='import'").do("t.advance(5)")
    expect(visitor.bar("Second")).to_have_attribute("aria-valuenow", "50")
    expect(visitor.page.locator("headway-tasks")).not_to_contain_text("Hidden")
