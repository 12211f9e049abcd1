"""Without a mouse: everything that can be done can be done by keys."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.jobs import Jobs
from tests.e2e.visitors import Visitor


def test_find_open_return_and_cancel_by_keys_alone(visitor: Visitor, jobs: Jobs) -> None:
    page = visitor.page
    old = jobs.task("Importing customers", "customers")
    old.do("t.advance(10)")
    expect(visitor.row("customers")).to_be_visible()
    jobs.task("Importing orders", "orders").do("t.advance(20)")
    jobs.task("Rendering", "video").do("t.advance(30)")
    expect(page.locator("li.row")).to_have_count(3)
    # Filter.
    page.keyboard.press("/")
    expect(page.locator("#filter")).to_be_focused()
    page.keyboard.type("import")
    expect(page.locator("li.row")).to_have_count(2)
    # Down into the list, and along it; the newest is the first.
    page.keyboard.press("ArrowDown")
    expect(visitor.row("orders").locator("a[data-row]")).to_be_focused()
    page.keyboard.press("j")
    customers = visitor.row("customers").locator("a[data-row]")
    expect(customers).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("ArrowDown")
    # Open, and back to where it was.
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Importing customers")
    page.keyboard.press("Escape")
    expect(page.locator("#filter")).to_be_visible()
    expect(customers).to_be_focused()
    # Cancel, after asking back; Escape means no.
    page.keyboard.press("c")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Importing customers")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(customers).to_be_focused()
    page.keyboard.press("c")
    expect(dialog.get_by_role("button", name="Cancel the task")).to_be_focused()
    page.keyboard.press("Enter")
    expect(visitor.row("customers").locator(".state")).to_have_text(re.compile("Stopping|Cancelled"))
    old.tell("while True: t.advance(0); os.getpid()")
    old.expect("cancelled")
    expect(visitor.row("customers").locator(".state")).to_have_text("Cancelled")
    # The row has moved to another group, and the focus with it.
    expect(customers).to_be_focused()


def test_pause_and_resume_by_keys(visitor: Visitor, jobs: Jobs) -> None:
    jobs.task().do("t.advance(10)")
    row = visitor.row()
    expect(row).to_be_visible()
    visitor.page.keyboard.press("j")
    visitor.page.keyboard.press("p")
    expect(row.locator(".state")).to_have_text("Paused")
    visitor.page.keyboard.press("p")
    expect(row.locator(".state")).to_have_text("Running")


def test_keys_are_listed_and_typing_is_not_taken_for_them(visitor: Visitor, jobs: Jobs) -> None:
    jobs.task("Copying", "copy").do("t.advance(10)")
    page = visitor.page
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("Cancel the task")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("copying?")
    expect(page.locator("#filter")).to_have_value("copying?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("No task matches.")).to_be_visible()


def test_the_first_tab_skips_to_the_content(visitor: Visitor) -> None:
    page = visitor.page
    page.keyboard.press("Tab")
    skip = page.get_by_role("button", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
