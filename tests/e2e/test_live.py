"""Watching work: the list and the task page move while a worker reports, and the buttons reach it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.jobs import Jobs
from tests.e2e.visitors import Site, Visitor


def test_the_list_moves_while_a_loop_runs(visitor: Visitor, jobs: Jobs) -> None:
    expect(visitor.page.get_by_text("No tasks yet")).to_be_visible()
    job = jobs.track(options="total=20, kind='import', unit='rows'")
    row = visitor.row()
    expect(row.locator(".state")).to_have_text("Running")
    for done in range(1, 11):
        job.do()
        if done in (3, 6, 10):
            expect(visitor.bar()).to_have_attribute("aria-valuenow", str(done * 5))
    expect(row.locator(".row-numbers")).to_contain_text("50%")
    for _ in range(10):
        job.do()
    assert job.finish() == 0
    expect(row.locator(".state")).to_have_text("Done")
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "100")
    expect(visitor.page.get_by_role("heading", name="Finished 1")).to_be_visible()
    seen = visitor.seen()
    assert seen == sorted(seen)
    assert {15, 30, 50, 100} <= set(seen)


def test_a_task_page_shows_steps_log_and_time_left(visitor: Visitor, jobs: Jobs) -> None:
    job = jobs.task(
        "Nightly report",
        options="steps=['Read', ('Render', 3)], kind='report', tags=['nightly'], meta={'folder': 'in/'}",
    )
    visitor.row().get_by_role("link", name="Nightly report").click()
    page = visitor.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Nightly report")
    assert page.url.endswith("/tasks/job")
    job.do("t.step('Read', total=4, unit='files')")
    job.do("t.progress(2, message='cat.png')")
    steps = page.get_by_role("region", name="Steps").get_by_role("listitem")
    expect(steps.nth(0)).to_have_attribute("aria-current", "step")
    expect(page.get_by_text("1/2 Read · cat.png")).to_be_visible()
    expect(page.locator(".head-numbers")).to_contain_text("2 / 4 files")
    # Half of a step that is a quarter of the whole.
    expect(visitor.bar("Nightly report")).to_have_attribute("aria-valuenow", "12")
    job.do("t.log('reading cat.png'); t.log('cat.png is no picture', 'warning')")
    log = page.get_by_role("log")
    expect(log.locator(".log-line")).to_have_count(2)
    expect(log.locator(".log-line").nth(1)).to_contain_text("cat.png is no picture")
    expect(log.locator(".log-line").nth(1)).to_have_attribute("data-level", "warning")
    job.do("t.step('Render', total=1000)")
    expect(steps.nth(0)).to_have_attribute("data-at", "done")
    expect(steps.nth(1)).to_have_attribute("data-at", "now")
    for done in range(1, 30):
        job.do(f"t.progress({done}); import time; time.sleep(0.05)")
    expect(page.locator(".head-numbers")).to_contain_text("left")
    expect(page.get_by_role("region", name="Details")).to_contain_text("nightly")
    job.do("t.result({'url': '/reports/7', 'title': 'The report'})")
    assert job.finish() == 0
    expect(page.locator("header.head .state")).to_have_text("Done")
    expect(page.get_by_role("link", name="The report")).to_have_attribute("href", "/reports/7")
    expect(visitor.bar("Nightly report")).to_have_attribute("aria-valuenow", "100")
    expect(page.locator(".head-numbers")).not_to_contain_text("left")
    seen = visitor.seen("Nightly report")
    assert seen == sorted(seen)


def test_a_task_that_fails_says_why(visitor: Visitor, jobs: Jobs) -> None:
    job = jobs.task()
    job.do("t.advance(40)")
    job.tell("raise ValueError('row 40 has no name')")
    assert job.process.wait() == 1
    row = visitor.row()
    expect(row.locator(".state")).to_have_text("Failed")
    expect(row.locator(".row-message")).to_contain_text("row 40 has no name")
    # What was reached stays.
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "40")
    row.get_by_role("link").click()
    expect(visitor.page.get_by_role("region", name="Error")).to_contain_text("row 40 has no name")


def test_cancelling_stops_the_worker_and_the_page_says_so(visitor: Visitor, jobs: Jobs) -> None:
    job = jobs.alone(options="total=100_000")
    visitor.row().get_by_role("link").click()
    page = visitor.page
    # So that there is something to stop.
    expect(page.locator(".head-numbers")).to_contain_text("/ 100,000")
    page.get_by_role("button", name="Cancel").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Importing customers")
    dialog.get_by_role("button", name="Keep it running").click()
    expect(dialog).to_have_count(0)
    assert job.process.poll() is None
    page.get_by_role("button", name="Cancel").click()
    dialog.get_by_role("button", name="Cancel the task").click()
    assert job.process.wait(10) != 0
    assert "Cancelled" in job.said()
    expect(page.locator("header.head .state")).to_have_text("Cancelled")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    # It did not go on to the end.
    assert int(visitor.bar().get_attribute("aria-valuenow") or 0) < 100


def test_a_cancelled_task_is_stopping_until_its_worker_has_stopped(visitor: Visitor, jobs: Jobs) -> None:
    job = jobs.task()
    job.do("t.advance(10)")
    visitor.row().get_by_role("button", name="Cancel").click()
    visitor.page.get_by_role("button", name="Cancel the task").click()
    state = visitor.row().locator(".state")
    expect(state).to_have_text("Stopping")
    # It has stopped when a report of its own has told it.
    job.tell("while True: t.advance(0); os.getpid()")
    job.expect("cancelled")
    expect(state).to_have_text("Cancelled")


def test_pausing_holds_the_worker_until_it_is_resumed(visitor: Visitor, jobs: Jobs) -> None:
    job = jobs.task()
    job.do("t.advance(10)")
    row = visitor.row()
    row.get_by_role("button", name="Pause").click()
    state = row.locator(".state")
    expect(state).to_have_text("Paused")
    # The worker learns it from the answer to its next batch.
    job.do("headway.flush()")
    job.do("import threading; threading.Timer(0.1, headway.flush).start()")
    job.tell("t.advance(20)")
    row.get_by_role("button", name="Resume").click()
    expect(state).to_have_text("Running")
    job.expect("done")
    job.do("t.advance(5)")
    expect(visitor.bar()).to_have_attribute("aria-valuenow", "35")


def test_a_paused_loop_stands_still(visitor: Visitor, jobs: Jobs) -> None:
    # One that is soon lost gives signs of life often.
    jobs.alone(options="total=100_000, lost_after=2")
    visitor.row().get_by_role("link").click()
    page = visitor.page
    numbers = page.locator(".head-numbers")
    expect(numbers).to_contain_text("/ 100,000")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("header.head .state")).to_have_text("Paused")
    facts = page.get_by_role("region", name="Details")
    sign = facts.locator("dt:has-text('Last sign') + dd time")
    moved = facts.locator("dt:has-text('Last progress') + dd time")

    def next_sign() -> str | None:
        expect(sign).not_to_have_attribute("datetime", sign.get_attribute("datetime") or "")
        return moved.get_attribute("datetime")

    # The one that is under way may still tell of a step.
    next_sign()
    assert next_sign() == next_sign()
    before = numbers.text_content()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("header.head .state")).to_have_text("Running")
    expect(numbers).not_to_have_text(before or "")


def test_markup_in_a_title_is_text(visitor: Visitor, jobs: Jobs) -> None:
    title = "<img src=x onerror=\"document.title='taken'\"><b>bold</b>"
    job = jobs.task(title)
    job.do(
        f"t.progress(50, message={title!r}); t.log({title!r}); t.result({{'url': 'javascript:alert(1)', 'title': 'x'}})"
    )
    job.do(f"headway.notify('local', {title!r}, {title!r}, link='javascript:alert(1)')")
    page = visitor.page
    expect(visitor.row().get_by_role("link")).to_have_text(title)
    visitor.row().get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("log").locator(".log-text")).to_have_text(title)
    page.get_by_role("button", name="Notifications").click()
    expect(page.locator(".entry-title")).to_have_text(title)
    assert page.locator("main img, .inbox img, main b b").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert "taken" not in page.title() or title in page.title()
    assert page.evaluate("[...document.images].length") == 0


def test_a_notification_rings_until_it_is_read_everywhere(
    visitor: Visitor, visit: Callable[..., Visitor], site: Site, jobs: Jobs
) -> None:
    second = visit()
    second.log_in(site)
    job = jobs.task()
    job.do("headway.notify('local', 'Report ready', 'It has 7 pages', severity='success')")
    bells = [
        person.page.get_by_role("button", name="Notifications: 1 unread") for person in (visitor, second)
    ]
    for bell in bells:
        expect(bell).to_be_visible()
    bells[0].click()
    visitor.page.get_by_role("button", name="Mark as read: Report ready").click()
    for person in (visitor, second):
        expect(person.page.get_by_role("button", name="Notifications: 0 unread")).to_be_visible()
