"""The tables of the other guides say what clients hear, field by field, and what goes wrong, word for word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import socketio  # type: ignore[import-untyped]

from headway.dialects.user_tasks import _STATUS
from headway.server.contracts import DIALECTS
from headway.transports.contracts.contract import Contract
from headway.transports.contracts.notifications import Notifications
from headway.transports.contracts.user_tasks import UserTasks
from tests.docs.contracts import Fields, check_settings, fields_of, heard_names, said_names, table
from tests.docs.guides import CONTRACTS, guide
from tests.docs.texts import codes_in, read
from tests.python_client import PythonClient
from tests.server.identity.makers import KEYS, signed
from tests.servers import Server, serving
from tests.transports.contracts.clients import Speaker, get, raw, speaking

TEXTS = {contract: read(guide(contract)) for contract in CONTRACTS}
SOCKET = "transports/contracts/socketio.py"
CARD = {"id": 1, "formData": {"prompt": "a fox"}, "mode": "text", "startTime": 1}
STUDIO, VOICE = "/studio/socket.io/", "/voice/socket.io/"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    dialects = "studio=/studio,voice=/voice,user-tasks,notifications"
    # Nobody answers there.
    far = "http://127.0.0.1:9/keys.json"
    with serving(tmp_path_factory.mktemp("guides"), dialect=dialects, jwks_url=far) as server:
        yield server


def errors(contract: str) -> dict[str, list[str]]:
    return {cells[0]: codes_in(cells[1]) for cells in table(TEXTS[contract], "| | how it is said |")}


def ended(server: Server) -> str:
    return server.tokens.make("1", can=(), ttl=-10)


@pytest.mark.parametrize("contract", DIALECTS)
def test_settings_are_described_as_they_are(contract: str) -> None:
    check_settings(TEXTS[contract])


def test_every_event_of_the_code_is_described_and_nothing_else() -> None:
    studio = ("transports/contracts/studio.py", "dialects/studio.py")
    assert set(fields_of(TEXTS["studio"], "| event heard |")) == heard_names(*studio, SOCKET)
    assert set(fields_of(TEXTS["studio"], "| event said |")) == said_names(studio[0])
    voice = ("transports/contracts/voice.py", "dialects/voice.py")
    heard = {name.removeprefix("kind:") for name in fields_of(TEXTS["voice"], "| event heard |")}
    assert heard == heard_names(*voice, SOCKET)
    assert set(fields_of(TEXTS["voice"], "| event said |")) == said_names(voice[0])
    tasks = ("transports/contracts/user_tasks.py", "dialects/user_tasks.py")
    assert set(fields_of(TEXTS["user-tasks"], "| type heard |")) == heard_names(*tasks)
    assert set(fields_of(TEXTS["user-tasks"], "| type said |")) == said_names(tasks[0])
    notes = ("transports/contracts/notifications.py", "dialects/notifications.py")
    described = {
        name for head in ("| inbox |", "| task |") for name in fields_of(TEXTS["notifications"], head)
    }
    assert described == heard_names(*notes)


@pytest.mark.parametrize(("contract", "kind"), [("user-tasks", UserTasks), ("notifications", Notifications)])
def test_every_address_is_described_and_nothing_else(contract: str, kind: type[Contract]) -> None:
    described = {codes_in(cells[0])[0] for cells in table(TEXTS[contract], "| call |")}
    if contract == "user-tasks":
        described.add("WEBSOCKET /api/v1/ws/tasks/{id}")
    routes = {
        f"{'WEBSOCKET' if one.kind == 'websocket' else method} {re.sub(r'{[^}]*}', '{id}', one.path)}"
        for one in kind.addresses(kind.__new__(kind))
        for method in one.methods
    }
    assert described == routes


async def test_studio_field_by_field(server: Server) -> None:
    token = server.token("s")
    async with speaking(server, token, path=STUDIO) as client:
        await client.say("task_created", CARD)
        task = (await client.until("task_created"))["serverTaskId"]
        server.report(token, {"type": "start", "task": task})
        await client.several("task_progress", 1)
        server.report(token, {"type": "progress", "task": task, "percent": 5, "message": "m"})
        await client.several("task_progress", 2)
        server.report(token, {"type": "succeed", "task": task})
        await client.until("task_completed")
        await client.say("task_created", {**CARD, "id": 2})
        task = (await client.several("task_created", 2))["serverTaskId"]
        server.report(token, {"type": "cancel", "task": task})
        await client.until("task_failed")
        await client.say("task_created", None)
        await client.until("error")
        assert described(client.events) == fields_of(TEXTS["studio"], "| event heard |")


async def test_studio_word_for_word(server: Server) -> None:
    said = {
        "no token where one is needed": await refused(server, STUDIO, None),
        "a token that is not good": await refused(server, STUDIO, "x"),
        "a token that has ended": await refused(server, STUDIO, ended(server)),
    }
    async with speaking(server, server.token("s2"), path=STUDIO) as client:
        for what, name, payload in (
            ("a submission without a prompt", "task_created", {**CARD, "formData": {}}),
            ("an `id` or `startTime` that is no number", "task_created", {**CARD, "id": "1"}),
            ("a `mode` that is no text", "task_created", {**CARD, "mode": 1}),
            ("a submission that is too long", "task_created", {**CARD, "mode": "x" * 4096}),
            ("how a task goes, said by a browser", "task_completed", {"id": 1, "result": {}}),
        ):
            said[what] = await complaint(client, name, payload)
    # Names of fields stand in back-quotes too
    assert said == errors("studio")


async def test_voice_field_by_field(server: Server) -> None:
    token = server.token("v")

    def job(**fields: Any) -> str:
        body = {"title": "T", "kind": "kind", "start": True, **fields}
        return str(server.ask("POST", "/api/tasks", token, body)["id"])

    async with speaking(server, token, path=VOICE) as client:
        await client.until("authenticated")
        with_chapter, without = job(meta={"chapterId": "c", "projectId": "p"}), job()
        result = {"audioUrl": "/a.wav", "duration": 1.5, "fileSize": 9}
        server.report(token, {"type": "succeed", "task": with_chapter, "result": result})
        server.report(token, {"type": "succeed", "task": without})
        await client.several("kind:complete", 2)
        for meta in ({"chapterId": "c"}, {}):
            server.report(token, {"type": "fail", "task": job(meta=meta), "error": "e"})
        await client.several("kind:failed", 2)
        await client.say("subscribe:project", None)
        await client.until("error")
        assert described(client.events) == fields_of(TEXTS["voice"], "| event heard |")


async def test_voice_word_for_word(server: Server) -> None:
    said = {
        "a token in `auth` that is not good": await refused(server, VOICE, "x"),
        "a token in `auth` that has ended": await refused(server, VOICE, ended(server)),
    }
    token = server.token("v2")
    for what, payload in (
        ("`authenticate` with a token that is not good", {"userId": "v2", "token": "x"}),
        ("`authenticate` without a token", {"userId": "v2"}),
        ("`authenticate` with another's `userId`", {"userId": "other", "token": token}),
    ):
        async with speaking(server, path=VOICE) as client:
            said[what] = await complaint(client, "authenticate", payload)
            await client.until("disconnect")
    async with speaking(server, path=VOICE) as client:
        said["a project before authentication"] = await complaint(client, "subscribe:project", "p")
    async with speaking(server, token, path=VOICE) as client:
        await client.until("authenticated")
        other = await complaint(client, "subscribe:project", "other")
        said["a project that the token does not open"] = other
        said["an id that is none"] = await complaint(client, "subscribe:project", None)
    assert said == errors("voice")


async def test_user_tasks_field_by_field(server: Server) -> None:
    token = server.token("3")
    heard = Fields()
    async with raw(server, f"/api/v1/ws/tasks/3?token={token}") as client:
        await client.until("user_tasks")
        server.report(token, {"type": "create", "task": "t3", "title": "T", "start": True})
        await client.until("task_update")
        for request in ("ping", "get_user_tasks", "clear_tasks", "unknown"):
            await client.say({"type": request})
        await client.until("error")
    async with raw(server, "/api/v1/ws/tasks/3?token=x") as refused:
        await refused.until("closed")
    for name, data in (*client.events, *refused.events):
        if name != "closed":
            heard.note(name, {field: data[field] for field in data if field != "type"})
    table_of = fields_of(TEXTS["user-tasks"], "| type heard |")
    # They come after a minute, and when the server fails.
    for rare in ("heartbeat", "authentication_error"):
        assert table_of.pop(rare) <= {"message", "timestamp"}
    assert heard.described() == table_of
    info = client.all("task_update")[0]["data"]
    described = [
        name for cells in table(TEXTS["user-tasks"], "| field of `TaskInfo` |") for name in codes_in(cells[0])
    ]
    assert sorted(described) == sorted(info)
    assert set(re.findall(r"^  (\w+):", interface("user-tasks", "TaskInfo"), re.MULTILINE)) == set(info)


def test_the_words_of_user_tasks() -> None:
    words = {codes_in(cells[0])[0] for cells in table(TEXTS["user-tasks"], "| `status` |")}
    assert words == {*_STATUS.values(), "started", "retry"}
    (line,) = re.findall(r"export type Status = (.*);", TEXTS["user-tasks"])
    assert set(re.findall(r'"(\w+)"', line)) == words


async def test_user_tasks_word_for_word(server: Server) -> None:
    token = server.token("4")
    said = {}
    for what, query in (
        ("no token", ""),
        ("a token that is not good", "?token=x"),
        ("a token that has ended", f"?token={ended(server)}"),
        ("another user's address", f"?token={server.token('5')}"),
        (
            "the keys behind `jwks_url` cannot be had",
            f"?token={signed({'sub': '4'}, KEYS['RS256'], 'RS256')}",
        ),
    ):
        async with raw(server, f"/api/v1/ws/tasks/4{query}") as client:
            code = await client.until("closed")
            (name, data), _ = client.events
            said[what] = [name, str(code), data["message"]]
    async with raw(server, f"/api/v1/ws/tasks/4?token={token}") as client:
        await client.say("no JSON")
        await client.say({"type": "unknown"})
        await client.say({"type": "ping", "much": "x" * 100_000})
        await client.several("error", 3)
        first, second, third = (data["message"] for data in client.all("error"))
    said["a message that is no JSON, or has no type"] = ["error", first]
    said["a type that is not known"] = ["error", second]
    said["a message above `max_message_bytes`"] = ["error", third]
    assert said == errors("user-tasks")


async def test_notifications_field_by_field(server: Server) -> None:
    token = server.token("n")
    text = TEXTS["notifications"]
    async with raw(server, f"/api/ws/notifications?token={token}") as client:
        await client.until("connected")
        for fields in ({}, {"content": "c", "link": "/l", "source": "s"}):
            server.ask("POST", "/api/notifications", token, {"title": "T", "user": "n", **fields})
        await client.several("notification", 2)
    async with raw(server, "/api/ws/notifications?token=x") as refused:
        await refused.until("closed")
    told = described(
        [(name, data["data"]) for name, data in (*client.events, *refused.events) if name != "closed"]
    )
    expected = fields_of(text, "| inbox |")
    assert expected.pop("heartbeat") == {"timestamp"}
    assert told == expected

    events = []
    for report in (
        {"type": "succeed"},
        {"type": "succeed", "result": {"a": 1}},
        {"type": "fail", "error": "e"},
    ):
        task = server.ask("POST", "/api/tasks", token, {"title": "T", "start": True})["id"]
        async with raw(server, f"/api/ws/tasks/{task}?token={token}") as client:
            await client.until("progress")
            server.report(token, {"task": task, **report})
            assert await client.until("closed") == 1000
        events += [(name, data["data"]) for name, data in client.events if name != "closed"]
    expected = fields_of(text, "| task |")
    assert expected.pop("heartbeat") == {"timestamp"}
    assert described(events) == expected
    note = interface("notifications", "Note")
    assert (
        set(re.findall(r"^  (\w+\??):", note, re.MULTILINE)) == fields_of(text, "| inbox |")["notification"]
    )


async def test_notifications_word_for_word(server: Server) -> None:
    token = server.token("n2")
    said: dict[str, list[str]] = {}

    async def socket(what: str, path: str) -> None:
        async with raw(server, path) as client:
            code = await client.until("closed")
            name, data = client.events[0]
            said[what] = [name, str(code), data["data"]["message"]]

    def call(what: str, path: str, *, token: str | None = token, method: str = "GET") -> None:
        status, body = get(server, path, token, method)
        said[what] = [str(status), body["message"]]

    inbox = "/api/ws/notifications"
    await socket("no token on a socket", inbox)
    await socket("a token that is not good on a socket", f"{inbox}?token=x")
    await socket("a token that has ended on a socket", f"{inbox}?token={ended(server)}")
    await socket("a task that is not there, or another user's", f"/api/ws/tasks/none?token={token}")
    address = f"{inbox}?token={token}"
    async with raw(server, address) as one, raw(server, address) as two, raw(server, address) as three:
        for client in (one, two, three):
            await client.until("connected")
        await socket("more connections than are allowed", address)
    call("a call or stream without a token", "/api/notifications", token=None)
    call("a call for administrators", "/api/ws/stats")
    call("a notification that is not there, or another user's", "/api/notifications/x/read", method="POST")
    call("a status that is none", "/api/notifications?status=x")
    call("a type that is none", "/api/notifications?type=x")
    call("a page size beyond 100", "/api/notifications?page_size=101")
    assert said == errors("notifications")


def described(events: list[tuple[str, Any]]) -> dict[str, set[str]]:
    heard = Fields()
    for name, data in events:
        heard.note(name, data)
    return heard.described()


def interface(contract: str, name: str) -> str:
    """The fields of an interface in a guide's TypeScript."""
    (found,) = re.findall(rf"export interface {name} \{{(.*?)\n\}}", TEXTS[contract], re.DOTALL)
    return str(found)


async def complaint(client: Speaker, name: str, payload: Any) -> list[str]:
    before = len(client.all("error"))
    await client.say(name, payload)
    await client.several("error", before + 1)
    return ["error", client.all("error")[-1]["message"]]


async def refused(server: Server, path: str, token: str | None) -> list[str]:
    client = PythonClient(reconnection=False)
    messages: list[str] = []
    client.on("connect_error", lambda data: messages.append(data["message"]))
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(server.origin, auth=token and {"token": token}, socketio_path=path)
    return ["connect_error", messages[0]]
