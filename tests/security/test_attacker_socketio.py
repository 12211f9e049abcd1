"""The scripted attacker at the doors of Socket.IO and of the contracts of older systems; as `test_attacker`, the page
`docs/explanation/what-was-tried.md` says what is answered."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import pytest
import urllib3
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from headway.model.grant import Ability
from tests.servers import PATIENCE, Form, Server, serving
from tests.transports.contracts.clients import raw, speaking

pytestmark = pytest.mark.slow

CONTRACTS = "dedup=/dedup,studio=/studio,voice=/voice,user-tasks,notifications"
SPOKEN = ("/headway", "/dedup", "/studio", "/voice")
WITHOUT = ("/dedup", "/studio")
"""Those that can be open to clients without a token."""
EVIL = "https://evil.example"
VIA = "X-Forwarded-For"


@pytest.fixture(scope="module", params=["fast", "asgi"])
def server(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    form: Form = request.param
    with serving(
        tmp_path_factory.mktemp("server"),
        form,
        dialect=CONTRACTS,
        dialect_open=True,
        max_subscriptions=20,
        message_rate=10_000,
        message_burst=10_000,
        query_tokens=True,
    ) as running:
        running.report(
            running.token(),
            {"type": "create", "task": "adas", "title": "Ada's", "start": True},
            {"type": "notify", "id": "adas-note", "title": "Ada's"},
        )
        yield running


@asynccontextmanager
async def engine(
    server: Server, prefix: str, query: str = "", **options: Any
) -> AsyncIterator[ClientConnection]:
    """A WebSocket that has heard what Engine.IO says first."""
    url = f"ws{server.origin.removeprefix('http')}{prefix}/socket.io/?EIO=4&transport=websocket{query}"
    async with connect(url, proxy=None, close_timeout=1, max_size=None, **options) as socket:
        assert str(await socket.recv()).startswith("0{")
        yield socket


async def reply(socket: ClientConnection, packet: str) -> Any:
    """Send a packet, and take the next for its answer: 0 when it lets one in, else the code of the refusal."""
    await socket.send(packet)
    async with asyncio.timeout(PATIENCE):
        answer = str(await socket.recv())
    return json.loads(answer[2:])["data"]["code"] if answer.startswith("44") else 0


async def end_of(socket: ClientConnection) -> int:
    """The code of the close; what comes until then does not matter."""
    async with asyncio.timeout(PATIENCE):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed:
            code = socket.close_code or 0
    return code - 4000 if code > 4000 else code


def get(server: Server, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request("GET", server.origin + path, headers=headers, retries=False, timeout=PATIENCE)


@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1.evil.example"])
async def test_socketio_from_a_page_of_another_site(server: Server, origin: str, answered: set[int]) -> None:
    """With the cookie, and without anything where that is enough for others."""
    cookie = {"Cookie": f"headway={server.token('mallory')}"}
    for prefix in SPOKEN:
        async with engine(server, prefix, additional_headers={**cookie, "Origin": origin}) as socket:
            answered.add(await reply(socket, "40"))
        path = f"{prefix}/socket.io/?EIO=4&transport=polling"
        response = await asyncio.to_thread(get, server, path, Origin=origin, **cookie)
        assert "access-control-allow-origin" not in response.headers
    for prefix in WITHOUT:
        async with engine(server, prefix, additional_headers={"Origin": origin}) as socket:
            answered.add(await reply(socket, "40"))
        async with engine(server, prefix) as socket:
            assert await reply(socket, "40") == 0


async def test_finding_the_server_by_a_name_of_ones_own(server: Server, answered: set[int]) -> None:
    """A page whose name leads to us once it is open is of our own origin, as its browser sees it."""
    host, port = server.address

    async def ask(name: str, prefix: str, headers: dict[str, str]) -> Any:
        url = f"ws://{name}:{port}{prefix}/socket.io/?EIO=4&transport=websocket"
        async with connect(url, proxy=None, host=host, port=port, additional_headers=headers) as socket:
            await socket.recv()
            return await reply(socket, "40")

    for prefix in WITHOUT:
        for name in ("evil.example", f"{host}.evil.example"):
            # A page's own requests with GET have no origin.
            for headers in ({"Origin": f"http://{name}:{port}"}, {}):
                answered.add(await ask(name, prefix, headers))
        for name in ("localhost", "headway", host):
            assert await ask(name, prefix, {"Origin": f"http://{name}:{port}"}) == 0


@pytest.mark.parametrize("path", ["/api/v1/ws/tasks/mallory", "/api/ws/notifications", "/api/ws/tasks/adas"])
async def test_sockets_of_contracts_from_a_page_of_another_site(
    server: Server, path: str, answered: set[int]
) -> None:
    token = server.token("mallory")
    for given in ({}, {"Cookie": f"headway={token}"}):
        query = "" if given else f"?token={token}"
        async with raw(server, path + query, additional_headers={"Origin": EVIL, **given}) as client:
            answered.add(await client.until("closed"))
            assert len(client.events) == 2


async def test_following_what_is_anothers_by_a_contract(server: Server, answered: set[int]) -> None:
    mallory = server.token("mallory")
    for path in (
        "/api/v1/ws/tasks/ada",
        "/api/v1/ws/tasks/Mallory",
        "/api/v1/ws/tasks/mallory%2F..",
        "/api/ws/tasks/adas",
        "/api/ws/tasks/ADAS",
        "/api/ws/tasks/..%2Fadas",
    ):
        try:
            async with raw(server, f"{path}?token={mallory}") as client:
                answered.add(await client.until("closed"))
                assert "Ada's" not in str(client.events)
        except InvalidStatus as refused:
            answered.add(refused.response.status_code)
    for path in ("/api/stream/tasks/adas", "/api/stream/tasks/ADAS", "/api/notifications/adas-note/x"):
        response = await asyncio.to_thread(get, server, path, Authorization=f"Bearer {mallory}")
        answered.add(response.status)
        assert b"Ada's" not in response.data
    number = server.ask("GET", "/api/tasks/adas", server.token())["number"]
    async with speaking(server, mallory, path="/dedup/socket.io/") as client:
        await client.say("join_task", {"task_id": number})
        await client.say("join_task", {"task_id": 10**9})
        # In the order of the questions: what is there takes no longer than what is not.
        await client.several("error", 2)
        first, second = client.all("error")
        assert first["message"].replace(str(number), "*") == second["message"].replace(str(10**9), "*")
    async with speaking(server, mallory, path="/voice/socket.io/") as client:
        await client.until("authenticated")
        for count, project in enumerate(("secret", "*", "../secret", "__proto__"), 1):
            await client.say("subscribe:project", project)
            await client.several("error", count)


async def test_forging_events(server: Server, answered: set[int]) -> None:
    """What a worker says is not heard from a browser, whoever it is; the next token must be of the same user."""
    mallory = server.token("mallory")
    async with speaking(server, mallory, path="/studio/socket.io/") as client:
        for count, name in enumerate(("task_progress", "task_completed", "task_failed"), 1):
            await client.say(name, {"taskId": "adas", "id": "adas", "progress": 99})
            await client.several("error", count)
    task = server.ask("GET", "/api/tasks/adas", server.token())
    assert (task["state"], task["progress"]["percent"]) == ("running", None)
    async with speaking(server, mallory, path="/voice/socket.io/") as client:
        await client.until("authenticated")
        await client.say("authenticate", {"userId": "ada", "token": server.token("ada")})
        await client.until("disconnect")
    for token in (server.token("ada"), "none"):
        async with engine(server, "/headway") as socket:
            assert await reply(socket, "40" + json.dumps({"token": mallory})) == 0
            await socket.send(f'42["auth",{{"token":"{token}"}}]')
            said = [str(await socket.recv()) for _ in range(2)]
            answered.add(json.loads(said[1][2:])[1]["code"])


@pytest.mark.parametrize("prefix", SPOKEN)
async def test_guessing_tokens_on_one_socket(server: Server, prefix: str, answered: set[int]) -> None:
    async with engine(server, prefix) as socket:
        for _ in range(20):
            answered.add(await reply(socket, '40{"token":"none"}'))
        await socket.send('40{"token":"none"}')
        answered.add(await end_of(socket))


@pytest.mark.parametrize("prefix", SPOKEN)
async def test_taking_over_the_session_of_somebody_else(
    server: Server, prefix: str, answered: set[int]
) -> None:
    """Of a session others see the id that it has in its namespace; that opens nothing, nor does a guess."""
    async with engine(server, prefix) as socket:
        await socket.send("40" + json.dumps({"token": server.token("ada")}))
        seen = json.loads(str(await socket.recv())[2:])["sid"]
        for sid in (seen, "a" * 20, "", "__proto__", "%00"):
            path = f"{prefix}/socket.io/?EIO=4&transport=polling&sid={sid}"
            if sid:
                answered.add((await asyncio.to_thread(get, server, path)).status)
                with pytest.raises(InvalidStatus) as refused:
                    async with engine(server, prefix, f"&sid={sid}"):
                        raise AssertionError("it is open")
                answered.add(refused.value.response.status_code)


async def test_bringing_a_ticket_twice(server: Server, answered: set[int]) -> None:
    for prefix in SPOKEN:
        ticket = server.ask("POST", "/api/tickets", server.token("mallory"), {})["ticket"]
        for _ in range(2):
            async with engine(server, prefix, f"&ticket={ticket}") as socket:
                if prefix == "/voice":
                    await socket.send("40")
                    await socket.send('42["subscribe:project","x"]')
                answered.add(await reply(socket, "40") if prefix != "/voice" else 0)
        assert ticket not in server.output
    token = server.token("mallory")
    async with engine(server, "/headway", f"&token={token}") as socket:
        assert await reply(socket, "40") == 0
    assert token not in server.output


BAD_PACKETS = (
    "9", "2", "4", "49", "42", '42"x"', "42{}", "42[]", "42[1", "42" + "[" * 2000, '42["x",' + "[" * 1000 + "]" * 1000 + "]",
    '451-["x",{"_placeholder":true,"num":7}]', '42/nowhere,["x"]', '43["x"]', "40" + "x" * 200, "41", "b",
    '4299999999999999999999["x"]', '42["x","' + "x" * 70_000 + '"]',
)  # fmt: skip


@pytest.mark.parametrize("prefix", SPOKEN)
async def test_packets_that_are_none(server: Server, prefix: str, answered: set[int]) -> None:
    for bad in BAD_PACKETS:
        async with engine(server, prefix) as socket:
            assert await reply(socket, "40" + json.dumps({"token": server.token("mallory")})) == 0
            await socket.send(bad)
            await socket.send("1")
            answered.add(await end_of(socket))
    # One attachment in a thousand places would be written a thousand times.
    async with engine(server, prefix) as socket:
        assert await reply(socket, "40" + json.dumps({"token": server.token("mallory")})) == 0
        places = ",".join(['{"_placeholder":true,"num":0}'] * 1000)
        await socket.send(f'451-["subscribe",{{"id":[{places}]}}]')
        await socket.send(b"x" * 30_000)
        answered.add(await end_of(socket))
    assert "Traceback" not in server.output


ODD: tuple[Any, ...] = (
    None, 0, -1, 1.5, 10**30, True, "", "x", "__proto__", [], [[]], {}, {"__proto__": {"admin": True}}, {"constructor": 1},
    {"type": "auth", "token": "x"}, {"id": 1, "channel": {"$ne": 1}}, {"id": {"__proto__": 1}, "channel": "public"},
    {"task_id": "1 or 1=1"}, {"task_id": 10**400}, {"userId": {}, "token": {}}, {"id": 10**30}, "\ud800",
    {"a": [[[[[[[[[[]]]]]]]]]]}, {"title": "\0"}, {"token": ["x"]}, {"name": {"toString": 1}}, b"\x00\xff", {"x": b"bytes"},
)  # fmt: skip
EVENTS = {
    "/headway": ("subscribe", "unsubscribe", "cancel", "read", "ping", "x", "__proto__", ""),
    "/dedup": ("join_task", "leave_task", "x", "constructor"),
    "/studio": ("task_created", "task_progress", "x"),
    "/voice": ("subscribe:project", "unsubscribe:project", "x"),
}


@pytest.mark.parametrize("prefix", SPOKEN)
async def test_events_with_values_of_any_kind(server: Server, prefix: str) -> None:
    """They are refused, or mean nothing; who sends them is still heard, and nothing failed."""
    token = server.token("mallory")
    async with engine(server, prefix) as socket:
        assert await reply(socket, "40" + json.dumps({"token": token})) == 0
        for name in EVENTS[prefix]:
            for value in ODD:
                if isinstance(value, bytes):
                    await socket.send(f'451-["{name}",{{"_placeholder":true,"num":0}}]')
                    await socket.send(value)
                elif isinstance(value, dict) and isinstance(value.get("x"), bytes):
                    await socket.send(f'451-["{name}",{{"x":{{"_placeholder":true,"num":0}}}}]')
                    await socket.send(value["x"])
                else:
                    await socket.send("42" + json.dumps([name, value]))
        await socket.send("41")
        # Nobody is left to speak with; the client says so itself.
        await socket.send("1")
        await end_of(socket)
    assert "Traceback" not in server.output
    assert '"failed"' not in server.output


async def test_ten_thousand_subscriptions_by_a_contract(server: Server, answered: set[int]) -> None:
    """Each has as many as it may have; what is beyond them is kept nowhere."""
    token = server.token("greedy", channels=["project:*"])
    for number in range(30):
        server.report(token, {"type": "create", "task": f"g{number}", "title": "x"})
    numbers = [server.ask("GET", f"/api/tasks/g{n}", token)["number"] for n in range(30)]
    for prefix, name, values in (
        ("/voice", "subscribe:project", [f"p{n}" for n in range(10_000)]),
        ("/dedup", "join_task", [{"task_id": number} for number in numbers]),
    ):
        # One of those of `voice` is its own channel.
        allowed = 19 if prefix == "/voice" else 20
        async with engine(server, prefix) as socket:
            assert await reply(socket, "40" + json.dumps({"token": token})) == 0
            errors = 0
            for count, value in enumerate(values, 1):
                await socket.send("42" + json.dumps([name, value]))
                # Who does not read is not heard any more, which is another matter.
                while count % 100 == 0 and errors < count - allowed:
                    errors += str(await socket.recv()).startswith('42["error"')
            while errors < len(values) - allowed:
                errors += str(await socket.recv()).startswith('42["error"')
            assert server.ask("GET", "/api/stats", token)["subscriptions"] == 20
    async with engine(server, "/headway") as socket:
        assert await reply(socket, "40" + json.dumps({"token": token})) == 0
        for number in range(200):
            await socket.send(f'421["subscribe",{{"id":{number},"channel":"user:greedy"}}]')
        acks: list[Any] = []
        while len(acks) < 200:
            packet = str(await socket.recv())
            acks += json.loads(packet[3:]) if packet.startswith("431") else []
        answered |= {ack.get("code", 0) for ack in acks}
        assert len([ack for ack in acks if ack["ok"]]) == 20


async def test_flooding_a_contract(tmp_path: Any, answered: set[int]) -> None:
    with serving(tmp_path, dialect=CONTRACTS, message_rate=1, message_burst=5) as few:
        token = few.token("mallory")
        for path in ("/api/v1/ws/tasks/mallory", "/api/ws/notifications"):
            async with raw(few, f"{path}?token={token}") as client:
                await client.until(lambda _name, _data: True)
                with suppress(ConnectionClosed):
                    for _ in range(2000):
                        await client.say({"type": "ping"})
                answered.add(await client.until("closed"))
        for prefix in SPOKEN:
            async with engine(few, prefix) as socket:
                assert await reply(socket, "40" + json.dumps({"token": token})) == 0
                with suppress(ConnectionClosed):
                    for _ in range(3000):
                        await socket.send('42["ping",{}]')
                answered.add(await end_of(socket))


def test_pings_and_pieces_without_end(tmp_path: Any, answered: set[int]) -> None:
    """Over each WebSocket of our own server: who reads nothing is not answered on and on, and what never ends is not kept."""
    with serving(tmp_path, dialect=CONTRACTS) as few:
        token = few.token("mallory")
        for path in ("/headway/ws", f"/api/ws/notifications?token={token}"):
            ping = b"\x89\xfd" + bytes(4) + b"x" * 125
            with upgraded(few, path) as connection:
                asked = 20_000_000 // len(ping)
                for _ in range(asked // 1000):
                    connection.sendall(ping * 1000)
                connection.sendall(b"\x88\x80" + bytes(4))
                got = 0
                with suppress(ConnectionError):
                    while data := connection.recv(262_144):
                        got += len(data)
                # The rest was never kept: this is what the system holds on its way.
                assert got < 10_000_000
                answered.add(1000)
        path = f"/api/ws/notifications?token={token}"
        with upgraded(few, path) as connection, suppress(ConnectionError):
            connection.sendall(b"\x01\x80" + bytes(4))
            for _ in range(1000):
                connection.sendall((b"\x00\x80" + bytes(4)) * 1000)
            raise AssertionError("a million pieces were taken")


@contextmanager
def upgraded(server: Server, path: str) -> Iterator[socket.socket]:
    """A WebSocket without a library, which would read."""
    with socket.create_connection(server.address, timeout=PATIENCE) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1)
        assert b" 101 " in head
        yield connection


@pytest.mark.parametrize("form", ["fast", "asgi"])
async def test_coming_too_often_by_a_contract(tmp_path: Any, form: Form, answered: set[int]) -> None:
    rates = dict.fromkeys(
        ("connects_per_user", "connects_per_address", "requests_per_user", "messages_per_user"), 0.1
    )
    with serving(tmp_path, form, dialect=CONTRACTS, **rates) as few:
        paths = [f"{prefix}/socket.io/?EIO=4&transport=websocket" for prefix in SPOKEN]
        paths += ["/api/v1/ws/tasks/mallory", "/api/ws/notifications"]
        for number, path in enumerate(paths):
            url = f"ws{few.origin.removeprefix('http')}{path}"
            from_one = {VIA: f"192.0.2.{number}"}
            async with connect(url, proxy=None, additional_headers=from_one):
                pass
            with pytest.raises(InvalidStatus) as refused:
                async with connect(url, proxy=None, additional_headers=from_one):
                    raise AssertionError("it is open")
            answered.add(refused.value.response.status_code)
            assert 1 <= int(refused.value.response.headers["retry-after"]) <= 10
        for number, prefix in enumerate(SPOKEN):
            # One user is one user, from wherever, by whatever door.
            user = few.token(f"mallory{number}")
            for address in range(2):
                via = {VIA: f"198.51.{100 + number}.{address}"}
                async with engine(few, prefix, additional_headers=via) as socket:
                    answered.add(await reply(socket, "40" + json.dumps({"token": user})))
        stream = {"Authorization": f"Bearer {few.token('bob')}", VIA: "203.0.113.1"}
        path = "/api/notifications/unread_count"
        for _ in range(2):
            answered.add((await asyncio.to_thread(get, few, path, **stream)).status)


def test_asking_a_contract_as_nobody(server: Server, answered: set[int]) -> None:
    for path in ("/api/v1/ws/status", "/api/notifications", "/api/ws/stats", "/api/notifications/stream"):
        answered.add(get(server, path).status)
        answered.add(get(server, path, Authorization="Bearer " + "x" * 3000).status)
    reader = server.token("mallory", Ability.READ)
    answered.add(get(server, "/api/ws/stats", Authorization=f"Bearer {reader}").status)
