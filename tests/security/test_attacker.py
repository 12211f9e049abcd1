"""A scripted attacker with a valid token of its own. What is tried here, and what is answered, stands in
`docs/explanation/what-was-tried.md`: the page is read for what to expect, and holds a row for each test."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from headway.model.grant import Ability
from tests.clients import connected, logged_in
from tests.security.conftest import TABLE
from tests.security.doors import DOORS, Heard, by_rest, code_of
from tests.servers import PATIENCE, Form, Server, serving

pytestmark = pytest.mark.slow

VIA = "X-Forwarded-For"


@pytest.fixture(scope="module", params=["fast", "asgi"])
def server(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    form: Form = request.param
    with serving(tmp_path_factory.mktemp("server"), form) as running:
        running.report(
            running.token(),
            {"type": "create", "task": "adas", "title": "Ada's", "start": True},
            {"type": "notify", "id": "adas-note", "title": "Ada's"},
        )
        yield running


@pytest.fixture
def mallory(server: Server) -> str:
    """A good token of somebody who may do everything in a channel of their own."""
    return server.token("mallory")


def refusals(heard: Heard) -> set[int]:
    """The codes in what a door said; 0 for a snapshot."""
    codes = {message["code"] for message in heard if "code" in message}
    return codes | ({0} if any(message.get("type") == "snapshot" for message in heard) else set())


async def follow_everywhere(server: Server, token: str, wanted: dict[str, Any]) -> set[int]:
    return set().union(*[refusals(await door(server, token, wanted)) for door in DOORS.values()])


def test_the_page_has_each_trick_and_no_other() -> None:
    tricks = {
        node.name
        for file in Path(__file__).parent.glob("test_*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(argument.arg == "answered" for argument in node.args.args)
    }
    assert tricks == set(TABLE)


async def test_following_another_users_channel(server: Server, mallory: str, answered: set[int]) -> None:
    for channel in ("user:ada", "project:secret", "user:ADA", "user:Mallory"):
        answered |= await follow_everywhere(server, mallory, {"channel": channel})


async def test_following_another_users_task(server: Server, mallory: str, answered: set[int]) -> None:
    for task in ("adas", "ADAS", "adas0"):
        answered |= await follow_everywhere(server, mallory, {"task": task})
        answered |= await follow_everywhere(server, mallory, {"task": task, "log": 0})


def test_asking_for_another_users_task(server: Server, mallory: str, answered: set[int]) -> None:
    for task in ("adas", "ADAS"):
        for method, path, body in by_rest(task):
            response = server.request(method, path, mallory, body)
            if path == "/api/ingest":
                answered |= {refused["code"] for refused in response.json()["rejected"]}
                assert response.json()["tasks"] == {}
            else:
                answered.add(code_of(response))


async def test_commanding_another_users_task(server: Server, mallory: str, answered: set[int]) -> None:
    async with logged_in(server, mallory) as client:
        for command in ("cancel", "pause", "resume"):
            answered.add((await client.answer(command, task="adas", ref=command))["code"])
    assert server.ask("GET", "/api/tasks/adas", server.token())["state"] == "running"


def test_reading_another_users_notification(server: Server, mallory: str, answered: set[int]) -> None:
    for what in ("read", "unread", "archive"):
        response = server.request("POST", f"/api/notifications/adas-note/{what}", mallory)
        answered.add(code_of(response))
        assert response.json() in ({"updated": 0}, {"updated": 0, "unread": 0})


def test_publishing_for_others(server: Server, mallory: str, answered: set[int]) -> None:
    for body in ({"title": "x", "channel": "user:ada"}, {"title": "x", "channel": "public"}):
        answered.add(code_of(server.request("POST", "/api/tasks", mallory, body)))
        answered.add(code_of(server.request("POST", "/api/notifications", mallory, body)))
    answered.add(
        code_of(server.request("POST", "/api/notifications", mallory, {"title": "x", "user": "ada"}))
    )


def test_doing_what_the_token_does_not_allow(server: Server, answered: set[int]) -> None:
    reader = server.token("mallory", Ability.READ)
    answered.add(code_of(server.request("POST", "/api/tasks", reader, {"title": "x"})))
    writer = server.token("mallory", Ability.PUBLISH)
    answered.add(code_of(server.request("GET", "/api/tasks", writer)))


def test_taking_an_id_that_is_taken(server: Server, mallory: str, answered: set[int]) -> None:
    said = set()
    for taken in ("adas", "adas-note"):
        response = server.request("POST", "/api/tasks", mallory, {"title": "x", "id": taken})
        answered.add(code_of(response))
        said.add(response.json()["message"])
    # Nothing of whose it is, nor of what.
    assert len(said) == 1
    parent = {"title": "x", "parent": "adas"}
    nobody = {"title": "x", "parent": "nobody"}
    first, second = (server.request("POST", "/api/tasks", mallory, body) for body in (parent, nobody))
    assert first.data == second.data
    answered.add(code_of(first))


async def test_path_tricks_in_channel_names(server: Server, mallory: str, answered: set[int]) -> None:
    names = [
        "user:../ada", "user:ada/../x", "user:mallory/../../ada", "user:..", "user:ada%2f..", "user:ada\0", "user:ada\n",
        "user:ad\u0430", "user: ada", "user:", ":", "", "USER:ada", "user:*", "*", "user:ada#x", "user:a\\b", "x" * 300,
        "public/..", "user:ada,user:mallory", "user:ada\u202e",
    ]  # fmt: skip
    for name in names:
        answered |= await follow_everywhere(server, mallory, {"channel": name})
        answered.add(
            code_of(server.request("POST", "/api/tasks", mallory, {"title": "x", "channel": name or " "}))
        )


def test_path_tricks_in_addresses(server: Server, mallory: str, answered: set[int]) -> None:
    paths = [
        "/api/tasks/../tasks/adas", "/api/tasks/%2e%2e%2fadas", "/api/tasks/adas%00", "/api/tasks/adas%0d%0aX: y",
        "/assets/../pages.py", "/assets/..%2f..%2fpages.py", "/assets/%2e%2e/index.html", "//evil.example/..",
        "/tasks/%3Cscript%3E/../..", "/assets/%00", "/assets/" + "x" * 5000, "/t/%00", "/assets/",
    ]  # fmt: skip
    for path in paths:
        with socket.create_connection(server.address, timeout=PATIENCE) as connection:
            # As it is: libraries tidy paths up.
            head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {mallory}\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode())
            answer = b""
            while data := connection.recv(65_536):
                answer += data
        assert b"Ada's" not in answer
        assert b"security_headers" not in answer
        assert b"\r\nX: y" not in answer
        answered.add(int(answer.split()[1]))


def test_breaking_out_of_headers_and_pages(server: Server, mallory: str, answered: set[int]) -> None:
    evil = "<script>alert(1)</script>\r\nSet-Cookie: a=b\r\n\r\n\u202e\u2066\x1b[31m\x07"
    made = server.request("POST", "/api/tasks", mallory, {"title": evil, "tags": [evil[:60]], "start": True})
    answered.add(made.status)
    task = made.json()["id"]
    server.report(mallory, {"type": "progress", "task": task, "message": evil, "detail": {evil: evil}})
    for path in (f"/api/tasks/{task}", "/api/tasks?q=" + "%0d%0aSet-Cookie:%20a=b"):
        response = server.request("GET", path, mallory)
        assert "set-cookie" not in response.headers
        assert response.headers["content-type"] == "application/json"
        assert response.headers["x-content-type-options"] == "nosniff"
    # It comes back as it was: a text, which is what pages show it as.
    assert server.ask("GET", f"/api/tasks/{task}", mallory)["title"] == evil


ODD = (
    "", "-1", "9" * 40, "%00", "%ff", "%ed%a0%80", "%2e%2e", "x" * 3000, "%F0%9F%92%A5", "*", "%25", "%0d%0aX:%20y", "%7B%7D",
    "%C4%B0", "%e2%80%ae", "NaN", "%201",
)  # fmt: skip
PLACES = (
    "/api/tasks/{}", "/api/tasks/{}/log", "/api/tasks?state={}", "/api/tasks?limit={}", "/api/tasks?after={}", "/api/tasks?q={}",
    "/api/tasks?channel={}", "/api/tasks?parent={}", "/api/tasks/mine/log?offset={}", "/api/notifications?after={}",
    "/api/notifications?status={}", "/api/notifications?channel={}", "/api/notifications/{}", "/poll?wait=0&channel={}",
    "/poll?wait=0&task=mine&cursor={}", "/poll?wait=0&task=mine&log={}", "/poll?task=mine&max_hz={}&wait=0", "/events?task={}",
    "/poll?channel=user:mallory&cursor=x&wait={}", "/t/{}", "/t/{}/badge.svg", "/assets/{}", "/tasks/{}", "/{}",
)  # fmt: skip


def test_values_of_any_kind_in_addresses(server: Server, mallory: str, answered: set[int]) -> None:
    """Refused in words, or of no meaning: nothing fails, and nothing waits that was not asked to."""
    server.report(mallory, {"type": "create", "task": "mine", "title": "x"})
    for place in PLACES:
        for odd in ODD:
            path = place.format(odd)
            response = server.request("GET", path, mallory)
            assert response.status < 500, path
            answered.add(response.status)
    assert "Traceback" not in server.output


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "//evil.example", "/\\evil.example", "http\n://x", " /x",
     "\x01javascript:x", "vbscript:x", "file:///etc/passwd", "x/y", "https://x\u0000y", "/a\tb"],
)  # fmt: skip
def test_links_that_run_or_lead_away(server: Server, mallory: str, link: str, answered: set[int]) -> None:
    answered.add(code_of(server.request("POST", "/api/notifications", mallory, {"title": "x", "link": link})))


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "http://[", "x"]
)
async def test_using_the_cookie_from_another_site(
    server: Server, mallory: str, origin: str, answered: set[int]
) -> None:
    headers = {"Cookie": f"headway={mallory}", "Origin": origin}
    async with connected(server, additional_headers=headers) as client:
        await client.say("subscribe", id=1, channel="user:mallory")
        answered.add((await client.hear())["code"])
    for method, path in (
        ("GET", "/events?channel=user:mallory"),
        ("GET", "/poll?channel=user:mallory"),
        ("GET", "/api/tasks"),
        ("POST", "/api/tasks"),
        ("POST", "/api/login"),
        ("POST", "/api/logout"),
    ):
        body = {"title": "x"} if method == "POST" else None
        response = await asyncio.to_thread(server.request, method, path, None, body, headers)
        answered.add(code_of(response))
        assert "access-control-allow-origin" not in response.headers
    preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    response = await asyncio.to_thread(server.request, "OPTIONS", "/api/tasks", None, None, preflight)
    answered.add(code_of(response))
    assert "access-control-allow-origin" not in response.headers


async def test_ten_thousand_subscriptions_on_one_socket(tmp_path: Path, answered: set[int]) -> None:
    with serving(tmp_path, message_rate=10_000, message_burst=100_000) as server:
        async with logged_in(server, server.token("mallory")) as client:
            snapshots = 0
            for number in range(10_000):
                message = await client.answer("subscribe", id=number, channel="user:mallory")
                if message["type"] == "error":
                    answered.add(message["code"])
                else:
                    snapshots += 1
            assert snapshots == 200
            assert server.ask("GET", "/api/stats", server.token("mallory"))["subscriptions"] == 200


async def test_flooding_one_socket(server: Server, mallory: str, answered: set[int]) -> None:
    async with logged_in(server, mallory) as client:
        for _ in range(3000):
            await client.socket.send('{"type":"ping"}')
        code, _, said = await client.ended()
        answered |= {message["code"] for message in said if message["type"] == "error"} | {code - 4000}


async def test_things_that_are_too_large(server: Server, mallory: str, answered: set[int]) -> None:
    async with logged_in(server, mallory) as client:
        await client.socket.send('{"type":"ping","x":"' + "x" * 70_000 + '"}')
        answered.add((await client.ended())[0])
    requests: list[tuple[str, bytes]] = [
        ("/api/tasks", json.dumps({"title": "x" * 9_000_000}).encode()),
        ("/api/ingest", json.dumps({"reports": [{"type": "heartbeat", "task": "t"}] * 2001}).encode()),
        ("/api/tasks", b"[" * 100_000),
        ("/poll", json.dumps({"subscriptions": [{"id": 1, "channel": "x" * 70_000}]}).encode()),
        (
            "/poll",
            json.dumps({"subscriptions": [{"id": n, "channel": "public"} for n in range(201)]}).encode(),
        ),
        ("/api/tasks", json.dumps({"title": "x", "meta": {"x": "x" * 5000}}).encode()),
    ]
    for path, raw in requests:
        response = await asyncio.to_thread(server.request, "POST", path, mallory, None, None, raw)
        answered.add(code_of(response))


@pytest.mark.parametrize("path", ["/api/tasks", "/api/ingest", "/poll", "/events"])
def test_bodies_that_never_end(tmp_path: Path, path: str, answered: set[int]) -> None:
    with serving(tmp_path, body_timeout=0.5) as server:
        with socket.create_connection(server.address, timeout=PATIENCE) as connection:
            token = server.token("mallory")
            connection.sendall(
                f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"title":'.encode()
            )
            answer = b""
            # Until the server has had enough, and hangs up by itself.
            while data := connection.recv(65_536):
                answer += data
        answered.add(json.loads(answer.partition(b"\r\n\r\n")[2])["code"])


BITS = {
    "a body that was refused": "POST /api/tasks HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\nContent-Length: 1000000\r\n\r\n{",
    "a body for nothing": "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{",
    "a first head": "GET /healthz HTTP/1.1\r\nX: ",
    "a second head": "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nX: ",
    "line ends": "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n\r\n",
}


def test_sending_bit_by_bit_for_ever(tmp_path: Path, answered: set[int]) -> None:
    """Whoever always sends a little more is not waited for, before an answer or after it."""
    with serving(tmp_path, auth_timeout=1) as server, ThreadPoolExecutor() as threads:

        def drip(said: str) -> bytes:
            with socket.create_connection(server.address, timeout=0.1) as connection:
                connection.sendall(said.encode())
                answer = b""
                for _ in range(int(PATIENCE / 0.1)):
                    try:
                        data = connection.recv(65_536)
                        answer += data
                        if not data:
                            return answer
                    except TimeoutError:
                        connection.sendall(said[-1:].encode())
                    except ConnectionResetError:
                        return answer
                raise AssertionError(f"it goes on and on: {answer!r}")

        for answer in threads.map(drip, BITS.values()):
            answered |= {int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", answer)}


HEADS = {
    "headers": (b"GET /healthz HTTP/1.1\r\n", b"X: " + b"x" * 10_000 + b"\r\n"),
    "one header": (b"GET /healthz HTTP/1.1\r\nX: ", b"x" * 10_000),
    "an address": (b"GET /", b"x" * 10_000),
    "the second head": (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nX: ",
        b"x" * 10_000,
    ),
    "trailers": (
        b"POST /api/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nX: ",
        b"x" * 10_000,
    ),
}


def test_heads_without_end(tmp_path: Path, answered: set[int]) -> None:
    """As our own server reads them; in another one it is that one's business."""
    with serving(tmp_path) as server:
        for begin, more in HEADS.values():
            answer = b""
            with socket.create_connection(server.address, timeout=PATIENCE) as connection:
                connection.sendall(begin)
                with suppress(ConnectionError):
                    for _ in range(100_000):
                        connection.sendall(more)
                    raise AssertionError(f"a gigabyte was taken: {begin!r}")
                with suppress(ConnectionError):
                    while data := connection.recv(65_536):
                        answer += data
            # When it was reset, the answer may have gone with it.
            answered.add(int((re.findall(rb"HTTP/1.1 (\d+)", answer) or [b"431"])[-1]))


@pytest.mark.parametrize("form", ["fast", "asgi"])
async def test_coming_too_often(tmp_path: Path, form: Form, answered: set[int]) -> None:
    limits = dict.fromkeys(("connects_per_user", "requests_per_user", "messages_per_user"), 0.1)
    with serving(tmp_path, form, **limits) as server:
        token = server.token("mallory")

        def ask(address: str) -> int:
            response = server.request("GET", "/api/me", token, headers={VIA: address})
            if response.status != 200:
                assert response.status == 429
                assert 1 <= response.json()["retry_after"] <= 10
                assert response.headers["retry-after"] == str(response.json()["retry_after"])
            return code_of(response)

        # One user is one user, from wherever.
        assert await asyncio.to_thread(ask, "192.0.2.1") == 200
        answered.add(await asyncio.to_thread(ask, "192.0.2.2"))
        for number in (3, 4):
            async with connected(server, additional_headers={VIA: f"192.0.2.{number}"}) as client:
                await client.say("auth", token=token)
                first = await client.hear()
                if number == 3:
                    assert first["type"] == "welcome"
                    await client.say("ping")
                    await client.say("ping")
                    answered |= {m["code"] for m in [await client.hear(), await client.hear()] if "code" in m}
                else:
                    answered |= {first["code"], (await client.ended())[0] - 4000}
        response = await asyncio.to_thread(
            server.request, "GET", "/events?channel=public", token, None, {VIA: "192.0.2.5"}
        )
        assert response.status == 429
        answered.add(code_of(response))
        # Others are not the worse for it, nor is who comes from this machine.
        bob = await asyncio.to_thread(
            server.request, "GET", "/api/me", server.token("bob"), None, {VIA: "192.0.2.1"}
        )
        assert bob.status == 200
        assert await asyncio.to_thread(server.ask, "GET", "/api/me", token)


@pytest.mark.parametrize("form", ["fast", "asgi"])
async def test_coming_too_often_from_one_address(tmp_path: Path, form: Form, answered: set[int]) -> None:
    with serving(tmp_path, form, connects_per_address=0.1, requests_per_address=0.1) as server:
        for number in range(2):
            # Without any token; and what it says of itself stands before what the proxy has seen.
            headers = {VIA: f"198.51.100.{number}, 192.0.2.9"}
            response = await asyncio.to_thread(server.request, "GET", "/api/me", None, None, headers)
            answered.add(code_of(response))
            answered.add(await _upgraded(server, headers))


async def _upgraded(server: Server, headers: dict[str, str]) -> int:
    try:
        async with connect(server.ws, proxy=None, additional_headers=headers):
            return 101
    except InvalidStatus as error:
        refused = error.response
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    return refused.status_code


def test_speaking_for_others_without_being_a_proxy(tmp_path: Path, answered: set[int]) -> None:
    with serving(tmp_path, requests_per_address=0.1, trusted_proxies="") as server:
        for number in range(2):
            response = server.request("GET", "/healthz", headers={VIA: f"192.0.2.{number}"})
            answered.add(code_of(response))


def test_filling_the_server_with_tasks(tmp_path: Path, answered: set[int]) -> None:
    with serving(tmp_path, max_live_tasks=3) as server:
        mallory = server.token("mallory")
        reports = [{"type": "create", "task": f"t{number}", "title": "x"} for number in range(5)]
        answer = server.ask("POST", "/api/ingest", mallory, {"reports": reports})
        assert answer["accepted"] == 3
        answered |= {refused["code"] for refused in answer["rejected"]}
        response = server.request("POST", "/api/tasks", mallory, {"title": "x"})
        assert (response.status, response.json()["limit"]) == (429, 3)
        assert "retry-after" in response.headers
        # The same task again is no new one, others have room of their own, and an end makes room.
        server.ask("POST", "/api/tasks", mallory, {"title": "x", "id": "t0"})
        server.ask("POST", "/api/tasks", server.token("bob"), {"title": "x"})
        server.ask("POST", "/api/tasks/t0/cancel", mallory)
        server.ask("POST", "/api/tasks", mallory, {"title": "x"})
        answered.add(code_of(server.request("POST", "/api/tasks", mallory, {"title": "x"})))


def test_writing_into_the_audit(tmp_path: Path, answered: set[int]) -> None:
    with serving(tmp_path, log_format="json") as server:
        forged = '192.0.2.1"}\\n{"event":"share"'
        for headers in ({VIA: forged}, {VIA: "192.0.2.1"}):
            answered.add(code_of(server.request("GET", "/api/me", None, None, headers)))
        server.until(r'"address":\s*"192\.0\.2\.1"')
        for line in server.output.splitlines()[1:]:
            assert json.loads(line)["event"] != "share"
