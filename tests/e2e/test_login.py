"""Getting in and out: by link, by token, refused, logged out, expired."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.cli.programs import Programs
from tests.e2e.jobs import Jobs
from tests.e2e.visitors import REFUSED, Site, Visitor

Visit = Callable[..., Visitor]


def test_by_link(site: Site, visit: Visit) -> None:
    visitor = visit()
    visitor.page.goto(site.link)
    expect(visitor.pill).to_have_text("live")
    # The code is in neither the address nor the page before.
    assert visitor.page.url == f"{site.url}/"
    assert visitor.page.evaluate("location.hash") == ""
    expect(visitor.page.get_by_text("No tasks yet")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Log out (local)")).to_be_visible()
    # The browser keeps it from scripts.
    assert visitor.page.evaluate("document.cookie") == ""
    visitor.page.reload()
    expect(visitor.pill).to_have_text("live")
    # It opens a second browser too, as long as this server runs.
    second = visit()
    second.page.goto(site.link)
    expect(second.pill).to_have_text("live")


def test_a_wrong_link_says_what_to_do(site: Site, visit: Visit) -> None:
    visitor = visit()
    visitor.allow(REFUSED)
    visitor.page.goto(f"{site.url}/login#nonsense")
    expect(visitor.page.get_by_role("alert").first).to_contain_text("This login link is not valid any more")
    assert visitor.page.evaluate("location.hash") == ""


def test_by_a_token_that_the_command_printed(programs: Programs, site: Site, visit: Visit) -> None:
    token = programs.run("token", "--user", "ada", "--data", programs.data).stdout.strip()
    visitor = visit()
    visitor.allow(REFUSED)
    visitor.page.goto(f"{site.url}/tasks/job-7")
    # Who is not logged in is asked, and gets where they wanted to go.
    expect(visitor.page.get_by_role("heading", name="Log in")).to_be_visible()
    visitor.page.get_by_label("Token").fill(f"  {token} ")
    visitor.page.get_by_role("button", name="Log in").click()
    expect(visitor.pill).to_have_text("live")
    expect(visitor.page.get_by_text("There is no such task")).to_be_visible()
    assert visitor.page.url == f"{site.url}/tasks/job-7"
    expect(visitor.page.get_by_role("button", name="Log out (ada)")).to_be_visible()


def test_a_refused_token_is_said_and_kept_to_be_mended(site: Site, visit: Visit) -> None:
    visitor = visit()
    visitor.allow(REFUSED)
    visitor.page.goto(f"{site.url}/login")
    field = visitor.page.get_by_label("Token")
    field.fill("not.a.token")
    field.press("Enter")
    expect(visitor.page.get_by_role("alert").first).to_contain_text("The server does not accept this token")
    expect(field).to_have_value("not.a.token")
    field.fill(site.token("ada"))
    field.press("Enter")
    expect(visitor.pill).to_have_text("live")


def test_after_logging_out_nothing_arrives_and_nothing_returns(
    site: Site, visitor: Visitor, jobs: Jobs
) -> None:
    job = jobs.task()
    job.do("t.advance(10)")
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "10")
    socket = visitor.sockets[0]
    visitor.page.get_by_role("button", name="Log out (local)").click()
    expect(visitor.page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(visitor.page.get_by_text("Importing customers")).to_have_count(0)
    assert socket.is_closed()
    seen = visitor.seen()
    # A page that is still logged in marks the time by which anything would have arrived.
    witness = visitor.page.context.browser
    assert witness is not None
    other = Visitor(witness)
    other.log_in(site)
    job.do("t.advance(40)")
    job.do("headway.flush()")
    expect(other.bar()).to_have_attribute("aria-valuenow", "50")
    assert other.close() == []
    assert visitor.seen() == seen
    assert len(visitor.sockets) == 1
    # The cookie is gone too: going back shows nothing.
    visitor.allow(REFUSED)
    visitor.page.goto(site.url)
    expect(visitor.page.get_by_role("heading", name="Log in")).to_be_visible()
    assert len(visitor.sockets) == 1


def test_a_token_that_expires_ends_in_the_login_page_with_a_reason(
    site: Site, visit: Visit, jobs: Jobs
) -> None:
    visitor = visit()
    visitor.allow(REFUSED)
    jobs.task().do("t.advance(10)")
    visitor.page.goto(f"{site.url}/login?next=/tasks/job")
    visitor.page.get_by_label("Token").fill(site.token("local", 4.0))
    visitor.page.get_by_role("button", name="Log in").click()
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "10")
    expect(visitor.page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(visitor.page.get_by_role("alert").first).to_contain_text("expired")
    expect(visitor.page.get_by_text("Importing customers")).to_have_count(0)
    sockets = len(visitor.sockets)
    visitor.page.get_by_label("Token").fill(site.token())
    visitor.page.get_by_role("button", name="Log in").click()
    # Back to where it was, and on.
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "10")
    assert len(visitor.sockets) == sockets + 1
