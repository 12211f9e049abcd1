"""The client of Socket.IO in the guide, in Node: it does what the guide says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.conformance.stock import installed, node
from tests.docs.texts import ROOT, snippets
from tests.servers import serving

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs/how-to/follow-from-your-own-code.md"
DRIVER = """
import { follow } from "./follow.mjs";
import { createInterface } from "node:readline";

const [url, token, channel] = process.argv.slice(2);
const show = (tasks) => console.log(JSON.stringify([...tasks.values()].map(({ title, state }) => [title, state])));
const stop = follow(url, () => token, channel, show, (message) => console.log(JSON.stringify({ message })));
createInterface({ input: process.stdin }).on("line", stop).on("close", () => process.exit());
"""


def test_the_function_follows_and_says_what_is_wrong(tmp_path: Path) -> None:
    [snippet] = [one for one in snippets(PAGE, "js") if one.note == "file: follow.mjs"]
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "follow.mjs").write_text(snippet.code)
    (folder / "driver.mjs").write_text(DRIVER)
    (folder / "node_modules").symlink_to(installed() / "node_modules")

    def started(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [node(), folder / "driver.mjs", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    with serving(tmp_path / "data") as server:
        token = server.token("ada")
        server.ask("POST", "/api/tasks", token, {"id": "a", "title": "First", "start": True})
        with started(server.url, token, "user:ada") as page:
            assert page.stdout is not None
            assert json.loads(page.stdout.readline()) == [["First", "running"]]
            server.ask("POST", "/api/tasks/a/succeed", token)
            assert json.loads(page.stdout.readline()) == [["First", "succeeded"]]
            server.ask("DELETE", "/api/tasks/a", token)
            assert json.loads(page.stdout.readline()) == []
            page.kill()
        for wrong in ((token, "user:bob"), ("none", "user:ada")):
            with started(server.url, *wrong) as page:
                assert page.stdout is not None
                assert json.loads(page.stdout.readline())["message"]
                page.kill()
