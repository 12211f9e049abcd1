"""The cases of the published test suites of Engine.IO v4 and Socket.IO v5, one by one, against `tests.conformance.echo`."""

from __future__ import annotations

import asyncio
import json
import socket as tcp
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Opcode

from tests.conformance.stock import NEW, stock_client
from tests.raw_client import frame, upgrade
from tests.servers import PATIENCE

pytestmark = pytest.mark.slow

PATHS = ("/engine.io/", "/socket.io/")
WRONG = ("transport=polling", "EIO=abc&transport=polling", "EIO=4", "EIO=4&transport=abc")


class Echo:
    """The server, and requests to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        host, _, port = url.removeprefix("http://").partition(":")
        self.address = host, int(port)
        self.http = urllib3.PoolManager(maxsize=20)

    async def ask(
        self, path: str, query: str, method: str = "GET", body: bytes | None = None
    ) -> tuple[int, str]:
        url = f"{self.url}{path}?{query}"
        answer = await asyncio.to_thread(
            self.http.request, method, url, body=body, retries=False, timeout=PATIENCE
        )
        return answer.status, answer.data.decode()

    async def open(self, path: str) -> str:
        """A session by polling; its query."""
        status, text = await self.ask(path, "EIO=4&transport=polling")
        assert status == 200
        return f"EIO=4&transport=polling&sid={json.loads(text[1:])['sid']}"

    @asynccontextmanager
    async def socket(
        self, path: str, query: str = "EIO=4&transport=websocket"
    ) -> AsyncIterator[ClientConnection]:
        async with connect(f"ws{self.url[4:]}{path}?{query}", proxy=None, max_size=None) as socket:
            yield socket

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[ClientConnection]:
        """A WebSocket that is in the main namespace."""
        async with self.socket("/socket.io/") as socket:
            await socket.recv()
            await socket.send("40")
            assert str(await hear(socket)).startswith("40{")
            assert await hear(socket) == '42["auth",{}]'
            yield socket


@pytest.fixture(params=["fast", "plain"], scope="module")
def echo(request: pytest.FixtureRequest) -> Iterator[Echo]:
    plain = ["--plain"] if request.param == "plain" else []
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.conformance.echo", "--port", "0", *plain],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with process:
        assert process.stdout is not None
        yield Echo(process.stdout.readline().removeprefix("LISTENING ").strip())
        process.kill()


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest) -> str:
    path: str = request.param
    return path


async def hear(socket: ClientConnection) -> str | bytes:
    async with asyncio.timeout(PATIENCE):
        return await socket.recv()


async def closed(socket: ClientConnection) -> None:
    async with asyncio.timeout(PATIENCE):
        await socket.wait_closed()


# Both protocols: the handshake.


async def test_a_session_by_polling(echo: Echo, path: str) -> None:
    status, text = await echo.ask(path, "EIO=4&transport=polling")
    assert (status, text[0]) == (200, "0")
    opening = json.loads(text[1:])
    assert len(opening.pop("sid")) >= 20
    assert opening == {
        "upgrades": ["websocket"],
        "pingInterval": 300,
        "pingTimeout": 200,
        "maxPayload": 1_000_000,
    }


@pytest.mark.parametrize("query", WRONG)
async def test_a_wrong_query(echo: Echo, path: str, query: str) -> None:
    assert (await echo.ask(path, query))[0] == 400


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_wrong_method(echo: Echo, path: str, method: str) -> None:
    assert (await echo.ask(path, "EIO=4&transport=polling", method))[0] == 400


async def test_a_session_by_websocket(echo: Echo, path: str) -> None:
    async with echo.socket(path) as socket:
        opening = json.loads(str(await hear(socket))[1:])
    assert opening.pop("sid")
    assert opening == {"upgrades": [], "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000}


@pytest.mark.parametrize("query", [query.replace("polling", "websocket") for query in WRONG])
async def test_a_websocket_with_a_wrong_query(echo: Echo, path: str, query: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with echo.socket(path, query):
            pass
    assert refused.value.response.status_code == 400


# Both: heartbeats and the end.


async def test_pings_by_polling(echo: Echo, path: str) -> None:
    query = await echo.open(path)
    for _ in range(3):
        assert await echo.ask(path, query) == (200, "2")
        assert await echo.ask(path, query, "POST", b"3") == (200, "ok")


async def test_who_does_not_answer_pings_is_gone(echo: Echo, path: str) -> None:
    query = await echo.open(path)
    assert await echo.ask(path, query) == (200, "2")
    # The next poll waits for the pong in vain, and is told.
    assert await echo.ask(path, query) == (200, "1")
    assert (await echo.ask(path, query))[0] == 400


async def test_pings_by_websocket(echo: Echo, path: str) -> None:
    async with echo.socket("/engine.io/") as socket:
        await hear(socket)
        for _ in range(3):
            assert await hear(socket) == "2"
            await socket.send("3")


async def test_a_silent_websocket_is_closed(echo: Echo, path: str) -> None:
    async with echo.socket(path) as socket:
        await closed(socket)


async def test_the_end_by_polling(echo: Echo, path: str) -> None:
    query = await echo.open(path)
    poll = asyncio.create_task(echo.ask(path, query))
    await asyncio.sleep(0.05)
    assert await echo.ask(path, query, "POST", b"1") == (200, "ok")
    assert await poll == (200, "6")
    assert (await echo.ask(path, query))[0] == 400


async def test_the_end_by_websocket(echo: Echo, path: str) -> None:
    async with echo.socket(path) as socket:
        await hear(socket)
        await socket.send("1")
        await closed(socket)


# Both: from polling to WebSocket.


async def changed(echo: Echo, path: str, query: str, socket: ClientConnection) -> None:
    await socket.send("2probe")
    assert await hear(socket) == "3probe"
    await socket.send("5")
    # A poll that crosses it is answered by nothing; from then on they are refused.
    while (answer := await echo.ask(path, query))[0] == 200:
        assert answer[1] == "6"


async def test_the_change_to_a_websocket(echo: Echo, path: str) -> None:
    query = await echo.open(path)
    async with echo.socket(path, query.replace("polling", "websocket")) as socket:
        poll = asyncio.create_task(echo.ask(path, query))
        await socket.send("2probe")
        assert await hear(socket) == "3probe"
        assert await poll == (200, "6")
        await socket.send("5")
        if path == "/engine.io/":
            await socket.send("4hello")
            assert await hear(socket) == "4hello"


async def test_after_the_change_requests_are_refused(echo: Echo, path: str) -> None:
    query = await echo.open(path)
    async with echo.socket(path, query.replace("polling", "websocket")) as socket:
        await changed(echo, path, query, socket)
        assert (await echo.ask(path, query))[0] == 400


async def test_after_the_change_other_websockets_are_closed(echo: Echo, path: str) -> None:
    query = await echo.open(path)
    async with echo.socket(path, query.replace("polling", "websocket")) as socket:
        await changed(echo, path, query, socket)
        # Not refused by an answer of HTTP: clients in Node raise that where the suites expect a close.
        async with echo.socket(path, query.replace("polling", "websocket")) as other:
            await closed(other)
        assert other.close_code == 1002
        if path == "/engine.io/":
            await socket.send("4hello")
            assert await hear(socket) == "4hello"


async def test_a_websocket_of_an_unknown_session_is_refused(echo: Echo, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with echo.socket(path, "EIO=4&transport=websocket&sid=unknown"):
            pass
    assert refused.value.response.status_code == 400


# Engine.IO: messages.


@pytest.mark.parametrize("body", ["4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA==", "4€"])
async def test_messages_by_polling(echo: Echo, body: str) -> None:
    query = await echo.open("/engine.io/")
    assert await echo.ask("/engine.io/", query, "POST", body.encode()) == (200, "ok")
    assert await echo.ask("/engine.io/", query) == (200, body)


async def test_a_malformed_body_ends_the_session(echo: Echo) -> None:
    query = await echo.open("/engine.io/")
    assert (await echo.ask("/engine.io/", query, "POST", b"abc"))[0] == 400
    assert (await echo.ask("/engine.io/", query))[0] == 400


async def test_a_body_that_is_too_large_ends_the_session(echo: Echo) -> None:
    query = await echo.open("/engine.io/")
    assert (await echo.ask("/engine.io/", query, "POST", b"4" + bytes(1_000_000)))[0] == 413
    assert (await echo.ask("/engine.io/", query))[0] == 400


async def test_two_polls_at_once_end_the_session(echo: Echo) -> None:
    query = await echo.open("/engine.io/")
    first = asyncio.create_task(echo.ask("/engine.io/", query))
    await asyncio.sleep(0.05)
    assert (await echo.ask("/engine.io/", query))[0] == 400
    assert await first == (200, "1")
    assert (await echo.ask("/engine.io/", query))[0] == 400


async def test_a_poll_that_is_given_up_ends_the_session(echo: Echo) -> None:
    query = await echo.open("/engine.io/")
    _, writer = await asyncio.open_connection(*echo.address)
    writer.write(f"GET /engine.io/?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.transport.abort()
    await asyncio.sleep(0.05)
    assert (await echo.ask("/engine.io/", query))[0] == 400


@pytest.mark.parametrize("message", ["4hello", bytes([1, 2, 3, 4]), "4€", b""], ids=repr)
async def test_messages_by_websocket(echo: Echo, message: str | bytes) -> None:
    async with echo.socket("/engine.io/") as socket:
        await hear(socket)
        await socket.send(message)
        assert await hear(socket) == message


@pytest.mark.parametrize("message", ["abc", "", "0", "2"])
async def test_a_malformed_message_ends_the_session(echo: Echo, message: str) -> None:
    async with echo.socket("/engine.io/") as socket:
        await hear(socket)
        await socket.send(message)
        await closed(socket)


# Socket.IO: namespaces.


@pytest.mark.parametrize(
    ("asked", "answer", "auth"),
    [
        ("40", "40", '42["auth",{}]'),
        ('40{"token":"123"}', "40", '42["auth",{"token":"123"}]'),
        ("40/custom,", "40/custom,", '42/custom,["auth",{}]'),
        ('40/custom,{"token":"abc"}', "40/custom,", '42/custom,["auth",{"token":"abc"}]'),
    ],
)
async def test_connecting_to_a_namespace(echo: Echo, asked: str, answer: str, auth: str) -> None:
    async with echo.socket("/socket.io/") as socket:
        await hear(socket)
        await socket.send(asked)
        found = str(await hear(socket))
        assert found.startswith(answer + "{")
        assert list(json.loads(found[len(answer) :])) == ["sid"]
        assert await hear(socket) == auth


async def test_what_is_said_first_comes_apart_from_the_answer(echo: Echo) -> None:
    """The suites begin to listen for `auth` when they have heard that they are in, and then it must not be over."""
    apart = []
    for _ in range(3):
        with tcp.create_connection(echo.address, timeout=PATIENCE) as raw:
            raw.sendall(upgrade(echo, path="/socket.io/?EIO=4&transport=websocket"))
            while b"pingInterval" not in raw.recv(4096):
                pass
            raw.sendall(frame(Opcode.TEXT, b"40"))
            while b'40{"sid"' not in (answer := raw.recv(4096)):
                pass
            apart.append(b"auth" not in answer)
    # A machine that is busy can be late once.
    assert any(apart)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_it_is_at_each_address_of_this_machine(echo: Echo, host: str) -> None:
    try:
        tcp.create_server((host, 0), family=tcp.AF_INET6 if ":" in host else tcp.AF_INET).close()
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with tcp.create_connection((host, echo.address[1]), timeout=PATIENCE) as raw:
        assert raw.getpeername()[0] == host


async def test_a_namespace_that_is_not_there(echo: Echo) -> None:
    async with echo.socket("/socket.io/") as socket:
        await hear(socket)
        await socket.send("40/random")
        assert await hear(socket) == '44/random,{"message":"Invalid namespace"}'


@pytest.mark.parametrize("first", ["4abc", '42["message"]', "41", "43[]"])
async def test_what_is_no_connecting(echo: Echo, first: str) -> None:
    async with echo.socket("/socket.io/") as socket:
        await hear(socket)
        await socket.send(first)
        await closed(socket)


async def test_who_connects_to_nothing_is_closed(echo: Echo) -> None:
    async with echo.socket("/socket.io/") as socket:
        await hear(socket)
        pings = 0
        async with asyncio.timeout(PATIENCE):
            async for message in socket:
                assert message == "2"
                await socket.send("3")
                pings += 1
    assert pings >= 2


async def test_leaving_the_main_namespace(echo: Echo) -> None:
    async with echo.joined() as socket:
        await socket.send("41")
        assert await hear(socket) == "2"


async def test_leaving_another_namespace(echo: Echo) -> None:
    async with echo.joined() as socket:
        await socket.send("40/custom,")
        assert str(await hear(socket)).startswith("40/custom,")
        assert await hear(socket) == '42/custom,["auth",{}]'
        await socket.send("41/custom,")
        await socket.send('42["message","message to main namespace"]')
        assert await hear(socket) == '42["message-back","message to main namespace"]'


# Socket.IO: messages.


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ('42["message",1,"2",{"3":[true]}]', '42["message-back",1,"2",{"3":[true]}]'),
        ('42456["message-with-ack",1,"2",{"3":[false]}]', '43456[1,"2",{"3":[false]}]'),
    ],
)
async def test_text(echo: Echo, sent: str, answer: str) -> None:
    async with echo.joined() as socket:
        await socket.send(sent)
        assert await hear(socket) == answer


@pytest.mark.parametrize(
    ("sent", "answer"),
    [('452-["message",', '452-["message-back",'), ('452-789["message-with-ack",', "462-789[")],
)
async def test_attachments(echo: Echo, sent: str, answer: str) -> None:
    rest = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
    async with echo.joined() as socket:
        for part in (sent + rest, bytes([1, 2, 3]), bytes([4, 5, 6])):
            await socket.send(part)
        assert [await hear(socket) for _ in range(3)] == [answer + rest, bytes([1, 2, 3]), bytes([4, 5, 6])]


@pytest.mark.parametrize("message", ["4abc", "42{}", '42abc["message-with-ack",1,"2",{"3":[false]}]'])
async def test_a_malformed_packet_ends_the_connection(echo: Echo, message: str) -> None:
    async with echo.joined() as socket:
        await socket.send(message)
        await closed(socket)


# The same with the clients that people have.

ROUND = [1, "two", {"3": [True, None, "€"]}, {"bytes": "010203"}]


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids="+".join)
@pytest.mark.parametrize("msgpack", [False, True], ids=["json", "msgpack"])
async def test_the_stock_client(echo: Echo, msgpack: bool, transports: list[str]) -> None:
    options: dict[str, Any] = {"transports": transports, "msgpack": msgpack}
    async with stock_client(echo.url, NEW, auth={"token": "x"}, **options) as client:
        assert await client.event("auth") == [{"token": "x"}]
        await client.emit("message", *ROUND)
        assert await client.event("message-back") == ROUND
        assert await client.ask("message-with-ack", *ROUND) == ROUND


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids="+".join)
async def test_the_client_of_engineio(echo: Echo, transports: list[str]) -> None:
    async with stock_client(
        echo.url, "engine.io-client", path="/engine.io/", transports=transports
    ) as client:
        assert (await client.hear("open"))["transport"] == transports[0]
        if len(transports) > 1:
            assert (await client.hear("upgrade"))["transport"] == "websocket"
        for message in ("hello", "€", {"bytes": "00ff"}):
            await client.do("send", data=message)
            assert (await client.hear("message"))["data"] == message
        await client.do("close")
        assert (await client.hear("close"))["reason"] == "forced close"
