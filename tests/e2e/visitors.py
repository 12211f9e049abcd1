"""People at their browsers: each has a context of its own, and whatever their page complains about fails the test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, WebSocket, expect

from headway.model.grant import Ability
from headway.server.tokens import Tokens, kept_secret
from tests.cli.programs import Running

__all__ = ["AWAY", "REFUSED", "Site", "Visitor"]

SECONDS = 15
"""Until what a test waits for counts as never coming."""

# What a browser itself complains about, where a test takes away what it needs.
AWAY = r"net::ERR_|WebSocket connection to|Failed to load resource"
REFUSED = r"Failed to load resource: the server responded with a status of 401"

# Every value that a bar in the page ever shows, over reloads too.
_WATCH_BARS = """(() => {
  const seen = JSON.parse(sessionStorage.getItem("seen") ?? "[]");
  const look = (bar) => {
    const value = bar.getAttribute("aria-valuenow");
    if (value === null) return;
    seen.push([bar.getAttribute("aria-label"), Number(value)]);
    sessionStorage.setItem("seen", JSON.stringify(seen));
  };
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === "attributes") look(target);
      for (const node of addedNodes) {
        if (!(node instanceof Element)) continue;
        if (node.matches("[role=progressbar]")) look(node);
        node.querySelectorAll("[role=progressbar]").forEach(look);
      }
    }
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-valuenow"] });
})()"""


class Site:
    """A server as people know it: its address, its login link, and whoever can make tokens for it."""

    def __init__(self, server: Running, data: Path) -> None:
        self.server = server
        self.url = server.url
        self.link = server.until("Open ").removeprefix("Open ")
        self._data = data

    @property
    def port(self) -> str:
        return self.url.rpartition(":")[2]

    def token(self, user: str = "local", ttl: float | None = None, *can: Ability) -> str:
        abilities = can or (Ability.READ, Ability.CANCEL)
        return Tokens(kept_secret(self._data)).make(user, can=abilities, ttl=ttl)


class Visitor:
    """One person at one browser.

    Attributes:
        sockets: the WebSockets that the page opened.
    """

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(
            **{
                "locale": "en-GB",
                "reduced_motion": "reduce",
                "viewport": {"width": 1200, "height": 800},
                **options,
            }
        )
        self.context.set_default_timeout(SECONDS * 1000)
        self.context.add_init_script(_WATCH_BARS)
        self.complaints: list[str] = []
        self.sockets: list[WebSocket] = []
        self._allowed: list[str] = []
        self.page = self.open()

    def open(self) -> Page:
        """Another tab."""
        page = self.context.new_page()
        page.on("console", self._console)
        page.on("pageerror", self._error)
        page.on("websocket", self._socket)
        return page

    def log_in(self, site: Site, user: str = "local", *, path: str = "/") -> None:
        """With a cookie, as after a login."""
        self.keep(site.token(user, None, *Ability), site.url)
        self.page.goto(site.url + path)
        expect(self.pill).to_have_text("live")

    def keep(self, token: str, url: str) -> None:
        """Have the login cookie."""
        self.context.add_cookies(
            [{"name": "headway", "value": token, "url": url, "httpOnly": True, "sameSite": "Lax"}]
        )

    @property
    def pill(self) -> Any:
        """Where it says whether the page is live."""
        return self.page.locator(".pill")

    def row(self, task: str = "job") -> Any:
        return self.page.locator(f"li.row[data-task='{task}']")

    def bar(self, title: str = "Importing customers") -> Any:
        return self.page.get_by_role("progressbar", name=title)

    def seen(self, title: str = "Importing customers") -> list[int]:
        """The values that the bar with this title showed, in order."""
        seen = self.page.evaluate("JSON.parse(sessionStorage.getItem('seen') ?? '[]')")
        return [value for name, value in seen if name == title]

    def allow(self, *complaints: str) -> None:
        """Say which complaints of the page this test brings about."""
        self._allowed += complaints

    def close(self) -> list[str]:
        """What the page complained about."""
        self.context.close()
        return [
            text for text in self.complaints if not any(re.search(allowed, text) for allowed in self._allowed)
        ]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _error(self, error: Error) -> None:
        self.complaints.append(f"uncaught: {error}")

    def _socket(self, socket: WebSocket) -> None:
        self.sockets.append(socket)
