"""The native vocabulary with the clients of Socket.IO that people have: in Node, in Python and in a browser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from headway.model.grant import Ability
from tests.conformance.stock import NEW, OLD, StockClient, installed, stock_client
from tests.e2e.conftest import FLAGS, find_chromium
from tests.python_client import PythonClient
from tests.servers import FORMS, PATIENCE, Form, Server, serving

pytestmark = pytest.mark.slow

WAYS = (["polling", "websocket"], ["websocket"], ["polling"])


@pytest.fixture(params=FORMS, scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    form: Form = request.param
    with serving(
        tmp_path_factory.mktemp("socketio"), form, allowed_origins="https://shop.example", expiry_grace=0.5
    ) as server:
        yield server


def options(server: Server, user: str, *can: Ability, **more: Any) -> dict[str, Any]:
    return {"auth": {"token": server.token(user, *can)}, "transports": WAYS[0], **more}


async def joined(client: StockClient) -> dict[str, Any]:
    """What the welcome says."""
    welcome: dict[str, Any] = (await client.event("welcome"))[0]
    return welcome


@pytest.mark.parametrize("transports", WAYS, ids="+".join)
@pytest.mark.parametrize("package", [NEW, OLD])
async def test_a_client_follows_a_channel(server: Server, package: str, transports: list[str]) -> None:
    user = f"{package}-{'-'.join(transports)}".replace(".", "-")
    async with stock_client(server.url, package, **options(server, user, transports=transports)) as client:
        welcome = await joined(client)
        assert (welcome["user"], welcome["protocol"]) == (user, "headway.v1")
        assert await client.ask("subscribe", {"id": 1, "channel": f"user:{user}"}) == [{"ok": True, "id": 1}]
        task = server.ask("POST", "/api/tasks", server.token(user), {"title": "new", "start": True})
        seen: dict[str, Any] = {}
        while task["id"] not in seen:
            message = (await client.event("snapshot", "change"))[0]
            found = message["tasks"] if "tasks" in message else [message["task"]]
            seen.update((one["id"], one) for one in found)
        assert seen[task["id"]]["title"] == "new"
        answer = (await client.ask("cancel", {"task": task["id"]}))[0]
        assert (answer["ok"], answer["task"]["state"]) == (True, "cancelled")
        assert (await client.ask("unsubscribe", {"id": 1}))[0]["ok"]


async def test_what_goes_wrong_is_said_in_the_acknowledgement(server: Server) -> None:
    async with stock_client(server.url, **options(server, "errors")) as client:
        await joined(client)
        cases: list[tuple[str, list[Any], int]] = [
            ("subscribe", [{"id": 1, "channel": "user:somebody"}], 105),
            ("subscribe", [{"id": 1, "task": "nothing"}], 104),
            ("subscribe", [{"id": 1}], 102),
            ("subscribe", [], 102),
            ("unsubscribe", [{"id": 7}], 110),
            ("cancel", [{"task": "nothing"}], 104),
            ("dance", [{}], 101),
        ]
        for event, args, code in cases:
            answer = (await client.ask(event, *args))[0]
            assert (answer["ok"], answer["code"], answer["retryable"]) == (False, code, False), event
        assert (await client.ask("ping"))[0]["ok"]
        # Without an acknowledgement it is an event.
        await client.emit("cancel", {"task": "nothing", "ref": 5})
        assert (await client.event("error"))[0] == {
            "code": 104,
            "message": "There is no such record, or this token may not see it.",
            "retryable": False,
            "ref": 5,
            "task": "nothing",
        }


@pytest.mark.parametrize("transports", WAYS, ids="+".join)
async def test_who_is_not_known_is_refused(server: Server, transports: list[str]) -> None:
    for auth, code in (({}, 401), ({"token": "x"}, 401), ({"token": server.tokens.make("a", ttl=-1)}, 402)):
        async with stock_client(server.url, auth=auth, transports=transports) as client:
            refused = await client.hear("connect_error", "connect")
        assert refused["what"] == "connect_error"
        assert refused["message"]
        assert refused["data"] == {"code": code, "retryable": False}


async def test_the_headers_say_who_it_is(server: Server) -> None:
    for headers in (
        {"authorization": f"Bearer {server.token('ada')}"},
        {"cookie": f"headway={server.token('ada')}"},
    ):
        async with stock_client(server.url, extraHeaders=headers, transports=["websocket"]) as client:
            assert (await joined(client))["user"] == "ada"
    headers = {"cookie": f"headway={server.token('ada')}", "origin": "https://evil.example"}
    async with stock_client(server.url, extraHeaders=headers, transports=["websocket"]) as client:
        assert (await client.hear("connect_error"))["data"] == {"code": 403, "retryable": False}


async def test_another_namespace_is_not_there(server: Server) -> None:
    async with stock_client(server.url + "/elsewhere", auth={}, transports=["websocket"]) as client:
        assert (await client.hear("connect_error"))["message"] == "Invalid namespace"


async def test_a_token_can_be_renewed(server: Server) -> None:
    async with stock_client(server.url, **options(server, "renewing")) as client:
        await joined(client)
        answer = (await client.ask("auth", {"token": server.token("renewing")}))[0]
        assert (answer["ok"], answer["user"]) == (True, "renewing")
        await client.emit("auth", {"token": server.token("another")})
        assert (await client.event("error"))[0]["code"] == 401
        assert (await client.hear("disconnect"))["reason"] == "io server disconnect"


async def test_python_follows_too(server: Server) -> None:
    for transports in WAYS:
        client = PythonClient(reconnection=False)
        heard: asyncio.Queue[Any] = asyncio.Queue()
        client.on("snapshot", lambda *args, heard=heard: heard.put_nowait(args))
        user = "python-" + "-".join(transports)
        await client.connect(server.url, auth={"token": server.token(user)}, transports=transports)
        try:
            answer = await client.call("subscribe", {"id": 1, "channel": f"user:{user}"}, timeout=PATIENCE)
            assert answer == {"ok": True, "id": 1}
            async with asyncio.timeout(PATIENCE):
                message, offset = await heard.get()
            assert message["reset"] is True
            assert offset == message["cursor"]
        finally:
            await client.disconnect()


async def test_offers_of_subprotocols_are_left_alone(server: Server) -> None:
    url = f"{server.ws.removesuffix('/ws')}/socket.io/?EIO=4&transport=websocket"
    async with connect(url, subprotocols=["anything"]) as socket:  # type: ignore[list-item]
        assert socket.subprotocol is None
        assert str(await socket.recv()).startswith("0{")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://shop.example", True),
        ("own", True),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_pages_of_other_origins(server: Server, origin: str, allowed: bool) -> None:
    origin = server.origin if origin == "own" else origin
    headers = {"Origin": origin} if origin else {}
    path = "/socket.io/?EIO=4&transport=polling"
    for answer in (
        server.request("GET", path, headers=headers),
        server.request(
            "OPTIONS",
            path,
            headers={
                **headers,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "x-mine",
            },
        ),
        server.request("POST", path, headers=headers),
    ):
        assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert answer.headers.get("access-control-allow-credentials") == ("true" if allowed else None)
    preflight = server.request(
        "OPTIONS", path, headers={**headers, "Access-Control-Request-Headers": "x-mine"}
    )
    assert preflight.status == (204 if allowed or not origin else 403)
    if preflight.status == 403:
        assert "allowed_origins" in preflight.json()["message"]
    assert preflight.headers.get("access-control-allow-headers") == ("x-mine" if allowed else None)


@pytest.mark.browser
async def test_a_page_in_a_browser(server: Server) -> None:
    from playwright.async_api import async_playwright

    script = Path(await asyncio.to_thread(installed)) / "node_modules/socket.io-client/dist/socket.io.js"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        page = await browser.new_page()
        # A page of ours that needs no login and has no policy that would forbid the script.
        await page.goto(f"{server.url}/healthz")
        await page.evaluate(script.read_text(encoding="utf-8"))
        for transports in WAYS:
            user = "browser-" + "-".join(transports)
            given = [
                server.url,
                {"auth": {"token": server.token(user)}, "transports": transports},
                f"user:{user}",
            ]
            found = await page.evaluate(
                """async ([url, options, channel]) => {
                    const socket = io(url, { ...options, forceNew: true });
                    const snapshot = new Promise((resolve) => socket.on('snapshot', resolve));
                    const upgraded = new Promise((resolve) => {
                        socket.io.engine.transports.length < 2 || socket.io.engine.transport.name === 'websocket'
                            ? resolve() : socket.io.engine.on('upgrade', resolve);
                    });
                    const answer = await new Promise((resolve, reject) => {
                        socket.on('connect_error', reject);
                        socket.emit('subscribe', { id: 1, channel }, resolve);
                    });
                    const message = await snapshot;
                    await upgraded;
                    const { name } = socket.io.engine.transport;
                    socket.disconnect();
                    return { answer, reset: message.reset, name };
                }""",
                given,
            )
            assert found == {"answer": {"ok": True, "id": 1}, "reset": True, "name": transports[-1]}
        await browser.close()


async def test_events_never_end_with_a_text_that_is_no_offset(server: Server) -> None:
    """The stock client takes any text at the end of an event for its offset."""
    user = "offsets"
    url = f"{server.ws.removesuffix('/ws')}/socket.io/?EIO=4&transport=websocket"
    async with connect(url) as socket:
        await socket.recv()
        await socket.send("40" + json.dumps({"token": server.token(user, ttl=2)}))
        await socket.send('420["subscribe",{"id":1,"channel":"public"}]')
        await socket.send('42["cancel",{"task":"nothing"}]')
        await socket.send('42["ping"]')
        events = []
        async with asyncio.timeout(PATIENCE):
            async for packet in socket:
                if isinstance(packet, str) and packet.startswith("42"):
                    events.append(json.loads(packet[2:]))
                elif isinstance(packet, str) and packet.startswith("41"):
                    break
    names = [event[0] for event in events]
    assert {"welcome", "snapshot", "error", "pong", "expiring"} <= set(names)
    for event in events:
        assert isinstance(event[-1], dict) or event[-1] == event[1]["cursor"]
