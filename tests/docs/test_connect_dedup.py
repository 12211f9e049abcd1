"""The tables of the guide for `dedup` say what its clients hear, field by field, and what goes wrong, word for word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import socketio  # type: ignore[import-untyped]
from examples.dedup import app as example
from examples.demonstration.launch import Place

from headway.dialects.dedup import _STATUS
from tests.docs.contracts import Fields, check_settings, fields_of, heard_names, said_names, table
from tests.docs.guides import guide
from tests.docs.texts import codes_in, read
from tests.python_client import PythonClient
from tests.servers import Server, serving
from tests.transports.contracts.clients import speaking

TEXT = read(guide("dedup"))
HEARD = fields_of(TEXT, "| event heard |")
SAID = fields_of(TEXT, "| event said |")
ERRORS = {cells[0]: codes_in(cells[1]) for cells in table(TEXT, "| | how it is said |")}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("dedup"), dialect="dedup") as server:
        yield server


def test_every_event_of_the_code_is_described_and_nothing_else() -> None:
    assert set(HEARD) == heard_names(
        "dialects/dedup.py", "transports/contracts/dedup.py", "transports/contracts/socketio.py"
    )
    assert set(SAID) == said_names("transports/contracts/dedup.py")


async def test_every_field_is_described_and_nothing_else(server: Server) -> None:
    token = server.token("ada")
    heard = Fields()
    task = server.ask("POST", "/api/tasks", token, {"title": "T", "total": 4, "start": True})
    failing = server.ask("POST", "/api/tasks", token, {"title": "T", "total": 4, "start": True})
    async with speaking(server, token) as client:
        for made in (task, failing):
            await client.say("join_task", {"task_id": made["number"]})
        await client.say("join_task", {})
        await client.several("task_status", 2)
        progress = {"type": "progress", "task": task["id"], "done": 1}
        server.report(token, progress)
        await client.several("task_progress", 1)
        detail = {"current_group": {"type": "choice"}}
        server.report(token, progress | {"done": 2, "message": "m", "detail": detail})
        await client.several("task_progress", 2)
        server.report(
            token,
            {"type": "succeed", "task": task["id"]},
            {"type": "fail", "task": failing["id"], "error": "e"},
        )
        await client.until("task_completed")
        await client.until("task_error")
        await client.say("leave_task", {"task_id": task["number"]})
        await client.until("left")
        for name, data in client.events:
            heard.note(name, data)
        assert heard.described() == HEARD
        body = client.all("task_completed")[0]["data"]
    described = [name for cells in table(TEXT, "| field of `Task` |") for name in codes_in(cells[0])]
    assert sorted(described) == sorted(body)


def test_the_types_of_the_guide_have_these_fields() -> None:
    (interface,) = re.findall(r"export interface Task \{(.*?)\n\}", TEXT, re.DOTALL)
    described = {name for cells in table(TEXT, "| field of `Task` |") for name in codes_in(cells[0])}
    # What comes with progress alone
    assert set(re.findall(r"^  (\w+)\??:", interface, re.MULTILINE)) == described | {
        "current_group",
        "message",
    }
    words = set(re.findall(r'"(\w+)"', re.findall(r"export type Status = (.*);", TEXT)[0]))
    assert words == set(_STATUS.values())


async def test_what_goes_wrong_is_said_so(server: Server) -> None:
    said: dict[str, list[str]] = {}
    ended = server.tokens.make("ada", can=(), ttl=-10)
    for what, auth in (
        ("no token where one is needed", None),
        ("a token that is not good", {"token": "x"}),
        ("a token that has ended", {"token": ended}),
    ):
        said[what] = ["connect_error", await _refused(server, auth)]
    async with speaking(server, server.token("ada")) as client:
        for what, payload in (
            ("a task that is not there, or another user's", {"task_id": 999_999}),
            ("no number to join", {}),
        ):
            before = len(client.all("error"))
            await client.say("join_task", payload)
            await client.several("error", before + 1)
            said[what] = ["error", client.all("error")[-1]["message"]]
    assert said == ERRORS


async def _refused(server: Server, auth: Any) -> str:
    client = PythonClient(reconnection=False)
    messages: list[str] = []
    client.on("connect_error", lambda data: messages.append(data["message"]))
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(server.origin, auth=auth)
    return messages[0]


def test_settings_are_described_as_they_are() -> None:
    check_settings(TEXT)


def test_the_calls_are_those_of_the_example(tmp_path: Path) -> None:
    made = example.make_app(Place("http://127.0.0.1:9", "token", tmp_path), lambda *_: None)
    calls = set()
    for rule in made.url_map.iter_rules():
        assert rule.methods is not None
        for part in _each(re.sub(r"<int:\w+>", "{id}", rule.rule)):
            calls |= {f"{method} {part.rstrip('/')}" for method in rule.methods - {"HEAD", "OPTIONS"}}
    described = {codes_in(cells[0])[0] for cells in table(TEXT, "| call |")}
    assert {call for call in calls if "/api/dedup/tasks" in call} == described


def test_the_error_codes_are_those_of_the_example() -> None:
    used = set(re.findall(r'"([A-Z_]{6,})"', Path(example.__file__).read_text())) - {"MAX_CONTENT_LENGTH"}
    assert {codes_in(cells[0])[0] for cells in table(TEXT, "| error code |")} == used


def _each(path: str) -> list[str]:
    """A path for each of the words that `any` stands for."""
    found = re.search(r"<any\(([^)]*)\):\w+>", path)
    if found is None:
        return [path]
    return [path.replace(found[0], word.strip(" '\"")) for word in found[1].split(",")]
