"""The pages of the documentation show a task that runs, and then that it is done, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import urllib3
from playwright.sync_api import Browser, expect

from tests.docs.conftest import Served
from tests.docs.texts import PAGES, Snippet, name, snippets
from tests.e2e.conftest import browser
from tests.e2e.pages import Pages

__all__ = ["browser"]

SNIPPETS = [snippet for page in PAGES for snippet in snippets(page, "html") if snippet.note == "test: page"]
INBOXES = [snippet for page in PAGES for snippet in snippets(page, "html") if snippet.note == "test: inbox"]

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def pages() -> Iterator[Pages]:
    pages = Pages()
    yield pages
    pages.close()


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: f"{name(snippet.page)}:{snippet.line}")
def test_a_page_follows_a_task_to_its_end(
    snippet: Snippet, served: Served, pages: Pages, browser: Browser
) -> None:
    # Given a task of Ada's, and a page of somebody else's server with what the snippet leaves open filled in
    title = f"Job of line {snippet.line}"
    task = _post(served, "/api/tasks", {"title": title, "channel": "user:ada", "start": True})
    token = served.token_for("ada")
    pages.html = _filled(snippet, served, token).replace("01J...", task)
    page = browser.new_page()
    page.route("**/headway-token", lambda route: route.fulfill(body=token))

    # When it is opened
    page.goto(pages.url)

    # Then it shows the task, and its end when that comes
    expect(page.get_by_text(title).first).to_be_visible()
    _post(served, f"/api/tasks/{task}/succeed", {})
    expect(
        page.get_by_text(re.compile(rf"^(Done|succeeded|{title}: succeeded, 100 %)$")).first
    ).to_be_visible()
    page.close()


@pytest.mark.parametrize("snippet", INBOXES, ids=lambda snippet: f"{name(snippet.page)}:{snippet.line}")
def test_a_page_rings_its_bell(snippet: Snippet, served: Served, pages: Pages, browser: Browser) -> None:
    # Given a page of somebody else's server
    pages.html = _filled(snippet, served, served.token_for("ada"))
    page = browser.new_page()
    page.goto(pages.url)

    # When there is something to tell Ada
    title = f"Told in line {snippet.line}"
    _post(served, "/api/notifications", {"title": title, "user": "ada", "link": "/orders/7"})

    # Then the bell has it
    page.get_by_role("button", name=re.compile("Notifications: [1-9]")).click()
    expect(page.get_by_role("link", name=title)).to_be_visible()
    page.close()


def _filled(snippet: Snippet, served: Served, token: str) -> str:
    code = snippet.code.replace("http://127.0.0.1:8400", served.url).replace("eyJ...", token)
    return f'<!doctype html><html lang="en">{code}'


def _post(served: Served, path: str, body: object) -> str:
    answer = urllib3.request(
        "POST", served.url + path, json=body, headers={"Authorization": f"Bearer {served.token}"}
    )
    assert answer.status < 300, answer.data
    return str(answer.json()["id"])
