"""Drives each example in Chromium as a person would, and takes the picture in its README.

python -m examples.take_pictures [NAME...]
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

_HERE = Path(__file__).parent
_SIZE = {"width": 1200, "height": 820}


def dedup(page: Page) -> None:
    page.click("button.first")
    page.wait_for_selector("[data-status=completed]", timeout=60_000)
    page.click("text=Results")
    page.wait_for_selector("#results table")
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")


def studio(page: Page) -> None:
    for prompt in ("A sunset over the sea", "Mountains in winter", "A galaxy of stars"):
        page.fill("textarea", prompt)
        page.fill("[name=numImages]", "1")
        page.fill("[name=seed]", "7")
        page.click("button.first")
        page.wait_for_selector("[data-state=done] img >> visible=true", timeout=60_000)
    page.wait_for_function("document.querySelectorAll('[data-state=done] img').length === 3", timeout=60_000)


def voice(page: Page) -> None:
    page.click("text=Find chapters")
    page.wait_for_selector("#chapters li >> nth=3", timeout=60_000)
    page.click("text=Read aloud >> nth=0")
    page.wait_for_selector("audio", timeout=60_000)
    page.click("text=Read aloud >> nth=0")
    page.wait_for_selector("text=synthesising", timeout=60_000)


def drawings(page: Page) -> None:
    page.set_input_files("input[type=file]", [_HERE / "drawings/sample.svg", _HERE / "drawings/sample.pdf"])
    page.click("button.first")
    page.wait_for_selector("[data-status=success] >> nth=1", timeout=60_000)


def analysis(page: Page) -> None:
    page.click("button.first")
    page.wait_for_selector("#inbox li", timeout=60_000)
    page.click("#tasks a")
    page.wait_for_selector("#report img")
    page.wait_for_selector("#inbox li")


DRIVERS: dict[str, Callable[[Page], None]] = {
    "dedup": dedup,
    "studio": studio,
    "voice": voice,
    "drawings": drawings,
    "analysis": analysis,
}


def main(names: list[str]) -> None:
    """Take the pictures of these examples."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in names:
            with tempfile.TemporaryDirectory() as data, _start(name, data) as process:
                assert process.stdout is not None  # noqa: S101 - it was asked for
                link = re.search(r"demo-1: (\S+)", "".join(process.stdout.readline() for _ in range(3)))
                if link is None:
                    sys.exit(f"{name} did not start")
                page = browser.new_page(viewport=_SIZE)
                page.goto(link[1])
                page.wait_for_selector("#dot.on")
                DRIVERS[name](page)
                page.screenshot(path=_HERE / name / "picture.png")
                page.close()
                process.terminate()
                process.wait()
        browser.close()


def _start(name: str, data: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"examples.{name}", "--port", "0", "--data", data],
        cwd=_HERE.parent,
        stdout=subprocess.PIPE,
        text=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:] or list(DRIVERS))
