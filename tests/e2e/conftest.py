"""Chromium, servers and workers for each test, all real; every page that complains fails its test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from headway.server.pages import STATIC
from tests.cli.programs import Programs
from tests.e2e.jobs import Jobs
from tests.e2e.pages import Pages
from tests.e2e.visitors import SECONDS, Site, Visitor

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP shop.test 127.0.0.1",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


def find_chromium() -> str:
    """Its path.

    Raises:
        Failed: there is none.
    """
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else NAMES:
        if path := shutil.which(name):
            return path
    return pytest.fail(
        f"Chromium is missing ({named or ', '.join(NAMES)}): install it, or name one with CHROMIUM=...",
        pytrace=False,
    )


# Not for the whole session: while Playwright runs, this thread has an event loop, which asynchronous tests of other
# files would stumble over.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not (STATIC / "index.html").is_file():
        pytest.fail("The pages are not built: run scripts/setup web", pytrace=False)
    path = find_chromium()
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    programs = Programs(tmp_path, forked=True)
    yield programs
    programs.close()


@pytest.fixture
def site(programs: Programs) -> Site:
    """A server, as it is without any setting."""
    return Site(programs.serve(), programs.data)


@pytest.fixture
def jobs(programs: Programs) -> Iterator[Jobs]:
    """Workers that find the test's server by themselves."""
    jobs = Jobs(programs.folder, programs.environment)
    yield jobs
    jobs.close()


@pytest.fixture
def visit(browser: Browser, programs: Programs) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors, who leave before servers end: a page that is left behind would complain."""
    visitors: list[Visitor] = []

    def make(**options: object) -> Visitor:
        visitors.append(Visitor(browser, **options))
        return visitors[-1]

    yield make
    complaints = [visitor.close() for visitor in visitors]
    assert not any(complaints), complaints


@pytest.fixture
def visitor(visit: Callable[..., Visitor], site: Site) -> Visitor:
    """Somebody who has logged in and sees the list."""
    visitor = visit()
    visitor.log_in(site)
    return visitor


@pytest.fixture
def pages() -> Iterator[Pages]:
    """Somebody else's web server."""
    pages = Pages()
    yield pages
    pages.close()
