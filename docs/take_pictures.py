"""Take the pictures in `docs/images`: the demo's job in its third step, as people see it.

    .venv/bin/python docs/take_pictures.py

It runs `headway demo` in a temporary folder, twice: a short job first, so that the list has a past, then the whole one.
It needs Chromium (`CHROMIUM` names another than the one on the path) and playwright.
"""

# ruff: noqa: INP001 - a script in a folder of texts

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

Scheme = Literal["light", "dark"]

IMAGES = Path(__file__).parent / "images"
SIZE: ViewportSize = {"width": 1200, "height": 760}
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# In the list; the steps before the third end at 7 %.
HALF_WAY = """() => [...document.querySelectorAll("[data-task][data-state=running]")].find(
    (row) => Number(row.querySelector("[role=progressbar]")?.ariaValueNow) >= 45
)?.dataset.task"""


@contextmanager
def demo(folder: str, *arguments: str) -> Iterator[str]:
    """Run the demo; gives its login link."""
    command = [
        sys.executable, "-m", "headway", "demo", "--port", "0", "--data", f"{folder}/data", *arguments,
    ]  # fmt: skip
    environment = {**os.environ, "HEADWAY_RUNTIME_DIR": f"{folder}/runtime"}
    with subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        try:
            yield next(line.removeprefix("Open ").strip() for line in process.stdout if "/login#" in line)
        finally:
            if "--once" not in arguments:
                process.terminate()
            process.communicate()


def main() -> None:
    """Take them all."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        with demo(folder, "--files", "900", "--once"):
            pass
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=CHROMIUM_FLAGS
        )
        with demo(folder) as link:
            pages = {scheme: log_in(browser, link, scheme) for scheme in SCHEMES}
            found = pages["light"].wait_for_function(HALF_WAY, timeout=60_000)
            task = found.json_value()
            for scheme, page in pages.items():
                take(page, f"list-{scheme}")
            for scheme, page in pages.items():
                page.goto(f"{link.partition('/login')[0]}/tasks/{task}")
                page.get_by_role("progressbar").first.wait_for()
                take(page, f"demo-{scheme}")
        browser.close()


def log_in(browser: Browser, link: str, scheme: Scheme) -> Page:
    """A page that the login link has let in, on the list."""
    page = browser.new_page(viewport=SIZE, color_scheme=scheme, reduced_motion="reduce", locale="en-GB")
    page.goto(link)
    page.get_by_role("progressbar").first.wait_for()
    return page


def take(page: Page, name: str) -> None:
    """One picture of what is in sight."""
    page.screenshot(path=IMAGES / f"{name}.png")
    sys.stdout.write(f"{name}.png: {(IMAGES / f'{name}.png').stat().st_size // 1024} KB\n")


if __name__ == "__main__":
    main()
