"""The clients of the how-to guides as they stand there: written to files, built, and opened in Chromium or in Node."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, expect

from tests.conformance.stock import installed, node
from tests.docs.texts import ROOT, Snippet, snippets
from tests.servers import PATIENCE

__all__ = ["CONTRACTS", "FLAVOURS", "Guides", "View", "files", "guide"]

CLIENTS = Path(__file__).parent / "clients"
CONTRACTS = ("dedup", "studio", "voice", "user-tasks", "notifications")
FLAVOURS = ("node", "plain", "typescript", "vue", "react")
"""How a client is run: in Node, and four times in Chromium."""

_TSCONFIG = {
    "compilerOptions": {
        "strict": True,
        "noUncheckedIndexedAccess": True,
        "noEmit": True,
        "target": "ES2022",
        "module": "ESNext",
        "moduleResolution": "bundler",
        "lib": ["ES2022", "DOM", "DOM.Iterable"],
        "jsx": "react-jsx",
        "types": [],
        "skipLibCheck": True,
    },
    "include": ["typed/*"],
}
_ENTRIES = {
    "plain": 'import * as client from "/plain/{client}";import {{ start }} from "/drivers/{contract}.mjs";'
    'import {{ show }} from "/page.mjs";show(client, start);',
    "typescript": 'import * as client from "/typed/{client}";import {{ start }} from "/drivers/{contract}.mjs";'
    'import {{ show }} from "/page.mjs";show(client, start);',
    "vue": 'import {{ createApp }} from "vue";import {{ createPinia }} from "pinia";import App from "/typed/{client}";'
    "createApp(App, JSON.parse(decodeURIComponent(location.hash.slice(1)))).use(createPinia())"
    '.mount(document.getElementById("app"));',
    "react": 'import {{ StrictMode, createElement }} from "react";import {{ createRoot }} from "react-dom/client";'
    'import {{ {name} }} from "/typed/{client}";createRoot(document.getElementById("app")).render(createElement('
    "StrictMode, null, createElement({name}, JSON.parse(decodeURIComponent(location.hash.slice(1))))));",
}
_LANGUAGES = {"plain": "js", "typescript": "ts", "vue": "vue", "react": "tsx"}


def guide(contract: str) -> str:
    """The page of a contract, by its path in the repository."""
    return f"docs/how-to/connect-{contract}.md"


def files(contract: str) -> list[tuple[str, Snippet]]:
    """The files that a guide gives, with their names."""
    given = snippets(ROOT / guide(contract), *_LANGUAGES.values())
    return [(one.note.removeprefix("file: "), one) for one in given if one.note.startswith("file: ")]


class View(ABC):
    """What somebody sees who uses a client."""

    @abstractmethod
    def shows(self, text: str) -> None:
        """Wait for it."""

    @abstractmethod
    def gone(self, text: str) -> None:
        """Wait until it is not there."""

    @abstractmethod
    def press(self, button: str) -> None:
        """Press the button of this name."""

    @abstractmethod
    def close(self) -> None:
        """Go away."""


class _Page(View):
    def __init__(self, browser: Browser, url: str) -> None:
        self.page = browser.new_page()
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.goto(url)

    def shows(self, text: str) -> None:
        expect(self.page.get_by_text(text).first, str(self.wrong)).to_be_visible(timeout=PATIENCE * 1000)

    def gone(self, text: str) -> None:
        expect(self.page.get_by_text(text)).to_have_count(0, timeout=PATIENCE * 1000)

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).first.click()

    def close(self) -> None:
        self.page.close()
        assert self.wrong == []


class _Program(View):
    def __init__(self, *arguments: str | Path) -> None:
        self._process = subprocess.Popen(
            # Node 20 has WebSocket behind this flag, and newer ones know the flag.
            [node(), "--experimental-websocket", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ.get("PATH", ""), "NODE_NO_WARNINGS": "1"},
        )
        self._lines: Queue[str] = Queue()
        self._said: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def shows(self, text: str) -> None:
        self._until(lambda said: text in said, text)

    def gone(self, text: str) -> None:
        self._until(lambda said: text not in said, f"not {text}")

    def _until(self, right: Callable[[str], bool], wanted: str) -> None:
        while not self._said or not right(self._said[-1]):
            try:
                self._said.append(self._lines.get(timeout=PATIENCE))
            except Empty:
                raise AssertionError(f"{wanted!r} never came: {self._said}") from None

    def press(self, button: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{button}\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Guides:
    """The clients of all guides, built.

    Attributes:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        installed(CLIENTS)
        (folder / "node_modules").symlink_to(CLIENTS / "node_modules")
        (folder / "tsconfig.json").write_text(json.dumps(_TSCONFIG))
        shutil.copytree(CLIENTS / "drivers", folder / "drivers")
        for name in ("node.mjs", "page.mjs"):
            shutil.copy(CLIENTS / name, folder)
        self._clients = {
            (contract, flavour): self._lay(contract, flavour)
            for contract in CONTRACTS
            if (ROOT / guide(contract)).is_file()
            for flavour in _LANGUAGES
        }

    def _lay(self, contract: str, flavour: str) -> Path:
        """Write the files of a guide, and a page around the last one of a language; that file."""
        language = _LANGUAGES[flavour]
        for name, snippet in files(contract):
            path = self.folder / ("plain" if snippet.language == "js" else "typed") / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(snippet.code)
        named = [name for name, snippet in files(contract) if snippet.language == language]
        # The first file of plain JavaScript and of TypeScript is the client; a component is the last of its kind.
        client = Path(named[0] if language in {"js", "ts"} else named[-1])
        entry = _ENTRIES[flavour].format(client=client, contract=contract, name=client.stem)
        (self.folder / f"{contract}-{flavour}.html").write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><div id="app"></div>'
            f'<script type="module">{entry}</script>'
        )
        return client

    def build(self) -> None:
        """Make pages of them."""
        self._node(self.folder, CLIENTS / "build.mjs", self.folder, NODE_ENV="development")

    def check(self) -> str:
        """What the type checker of TypeScript and Vue, which is told to be strict, has to complain about."""
        checker = CLIENTS / "node_modules/vue-tsc/bin/vue-tsc.js"
        ran = subprocess.run(
            [node(), checker, "--project", self.folder / "tsconfig.json"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.stdout + ran.stderr

    @contextmanager
    def served(self) -> Iterator[str]:
        """The built pages, at an address of their own."""
        handler = functools.partial(_Quiet, directory=self.folder / "dist")
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()

    def open(
        self, pages: str, browser: Browser, contract: str, flavour: str, options: dict[str, Any]
    ) -> View:
        """Run a client."""
        text = json.dumps(options)
        if flavour == "node":
            client = self.folder / "plain" / self._clients[contract, "plain"]
            return _Program(
                self.folder / "node.mjs", self.folder / "drivers" / f"{contract}.mjs", client, text
            )
        return _Page(browser, f"{pages}/{contract}-{flavour}.html#{quote(text)}")

    @staticmethod
    def _node(cwd: Path, *arguments: str | Path, **variables: str) -> None:
        environment = {"PATH": os.environ.get("PATH", ""), "NODE_NO_WARNINGS": "1", **variables}
        ran = subprocess.run(
            [node(), *map(str, arguments)],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


Open = Callable[..., View]
