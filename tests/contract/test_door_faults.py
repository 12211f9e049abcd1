"""The native door in both its forms: what is not said as it should be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.frames import Opcode

from tests.clients import View, connected, logged_in
from tests.raw_client import frame, raw_client, text, upgrade
from tests.servers import Server, serving

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ("hello", 100, None),
        ("", 100, None),
        ("[]", 100, None),
        ("5", 100, None),
        ("null", 100, None),
        ('"subscribe"', 100, None),
        ("{}", 100, None),
        ('{"type": 5}', 100, None),
        ('{"type": null}', 100, None),
        ('{"type": "ping"', 100, None),
        ('{"type": "ping"} {"type": "ping"}', 100, None),
        ('{"type": "subscribe", "id": 1, "filter": ' + "[" * 10_000, 100, None),
        ('{"type": "cancel", "task": "\\ud800"}', 100, None),
        ('{"type": "dance"}', 101, None),
        ('{"type": ""}', 101, None),
        ('{"type": "subscribe", "id": 1}', 102, "channel"),
        ('{"type": "subscribe", "channel": "public"}', 102, "id"),
        ('{"type": "subscribe", "id": -1, "channel": "public"}', 102, "id"),
        ('{"type": "subscribe", "id": 2147483648, "channel": "public"}', 102, "id"),
        ('{"type": "subscribe", "id": 1e400, "channel": "public"}', 102, "id"),
        ('{"type": "subscribe", "id": "", "channel": "public"}', 102, "id"),
        ('{"type": "subscribe", "id": 1, "channel": "public", "task": "t"}', 102, "channel"),
        ('{"type": "subscribe", "id": 1, "channel": "elsewhere"}', 102, "channel"),
        ('{"type": "subscribe", "id": 1, "channel": 5}', 102, "channel"),
        ('{"type": "subscribe", "id": 1, "task": "a b"}', 102, "task"),
        ('{"type": "subscribe", "id": 1, "channel": "public", "log": 0}', 102, "log"),
        ('{"type": "subscribe", "id": 1, "task": "t", "log": -2}', 102, "log"),
        ('{"type": "subscribe", "id": 1, "channel": "public", "filter": {"kind": 5}}', 102, "filter"),
        ('{"type": "cancel"}', 102, "task"),
        ('{"type": "read", "notifications": "some"}', 102, "notifications"),
        ('{"type": "read", "notifications": [1]}', 102, "notifications"),
        ('{"type": "unsubscribe", "id": {}}', 102, "id"),
    ],
)
async def test_a_message_that_is_none_is_explained_and_forgiven(
    door: Server, user: str, said: str, code: int, field: str | None
) -> None:
    async with logged_in(door, door.token(user)) as client:
        await client.socket.send(said)
        error = await client.hear()
        assert (error["type"], error["code"], error["retryable"]) == ("error", code, False)
        assert error["message"]
        assert (error.get("field") or "").partition(".")[0] == (field or "")
        assert (await client.answer("ping"))["type"] == "pong"


async def test_unknown_fields_are_ignored(door: Server, user: str) -> None:
    async with logged_in(door, door.token(user)) as client:
        answer = await client.answer("subscribe", id=1, channel=f"user:{user}", hurry=True, nested={"a": [1]})
        assert answer["type"] == "snapshot"


async def test_what_is_said_before_auth_is_explained_too(door: Server) -> None:
    async with connected(door) as client:
        await client.socket.send("hello")
        assert (await client.hear())["code"] == 100
        assert (await client.answer("auth", token=door.token()))["type"] == "welcome"


async def test_a_message_that_is_too_large(door: Server, user: str) -> None:
    async with logged_in(door, door.token(user)) as client:
        # As large as may be, and then one byte more.
        body = json.dumps({"type": "ping", "pad": ""})
        await client.socket.send(body[:-2] + "x" * (65_536 - len(body)) + body[-2:])
        assert (await client.hear())["type"] == "pong"
        await client.socket.send(body[:-2] + "x" * (65_537 - len(body)) + body[-2:])
        assert (await client.ended())[0] == 1009


async def test_a_message_that_is_too_large_in_pieces(door: Server, user: str) -> None:
    async with logged_in(door, door.token(user)) as client:
        await client.socket.send(["x" * 40_000] * 2)
        assert (await client.ended())[0] == 1009


async def test_binary(door: Server, user: str) -> None:
    async with logged_in(door, door.token(user)) as client:
        await client.socket.send(b'{"type":"ping"}')
        assert (await client.ended())[0] == 1003


@pytest.mark.parametrize("said", [b'{"type":"\xff"}', b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80"])
async def test_text_that_is_not_utf_8(door: Server, said: bytes) -> None:
    async with raw_client(door, token=door.token()) as client:
        await client.write(frame(Opcode.TEXT, said))
        assert (await client.ended())[0] == 1007


@pytest.mark.parametrize(
    "broken",
    [
        frame(Opcode.TEXT, b"{}", mask=False),
        bytes([0xC1, 0x80, 0, 0, 0, 0]),
        bytes([0x91, 0x80, 0, 0, 0, 0]),
        bytes([0x83, 0x80, 0, 0, 0, 0]),
        frame(Opcode.CONT, b"{}"),
        frame(Opcode.TEXT, b"{", fin=False) + text(type="ping"),
        bytes([0x09, 0x80, 0, 0, 0, 0]),
        bytes([0x88, 0x81, 0, 0, 0, 0, 1]),
    ],
    ids=[
        "unmasked",
        "rsv1",
        "rsv3",
        "opcode",
        "continuation",
        "interrupted",
        "split ping",
        "half a close code",
    ],
)
async def test_a_frame_that_breaks_the_protocol(door: Server, broken: bytes) -> None:
    async with raw_client(door, token=door.token()) as client:
        await client.write(broken)
        assert (await client.ended())[0] == 1002


async def test_several_messages_in_one_segment(door: Server, user: str) -> None:
    async with raw_client(door) as client:
        pings = b"".join(text(type="ping") for _ in range(30))
        subscribe = text(type="subscribe", id=1, channel=f"user:{user}")
        await client.write(text(type="auth", token=door.token(user)) + subscribe + pings)
        heard = [(await client.hear())["type"] for _ in range(32)]
    assert heard[0] == "welcome"
    assert sorted(heard[1:]) == ["pong"] * 30 + ["snapshot"]


async def test_a_message_over_many_segments(door: Server, user: str) -> None:
    async with raw_client(door) as client:
        said = text(type="auth", token=door.token(user))
        for at in range(0, len(said), 7):
            await client.write(said[at : at + 7])
        assert (await client.hear())["type"] == "welcome"
        # And in fragments, with a ping between them, each byte by itself.
        body = json.dumps({"type": "ping", "pad": "é" * 20}, ensure_ascii=False).encode()
        pieces = (
            frame(Opcode.TEXT, body[:30], fin=False)
            + frame(Opcode.PING, b"are you there")
            + frame(Opcode.CONT, body[30:])
        )
        for at in range(len(pieces)):
            await client.write(pieces[at : at + 1])
        assert await client.read_frame() == (Opcode.PONG, b"are you there")
        assert (await client.hear())["type"] == "pong"


async def test_a_handshake_over_many_segments(door: Server, user: str) -> None:
    async with raw_client(door, upgraded=False) as client:
        head = upgrade(door, f"Authorization: Bearer {door.token(user)}")
        for at in range(0, len(head), 11):
            await client.write(head[at : at + 11])
        assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        assert (await client.hear())["user"] == user


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (("Version: 13", "Version: 8"), b"426"),
        (("Version: 13", "Version: x"), b"426"),
        (("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Key: short"), b"400"),
        (("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", ""), b"400"),
    ],
)
async def test_a_handshake_that_is_none(door: Server, change: tuple[str, str], status: bytes) -> None:
    async with raw_client(door, upgraded=False) as client:
        request = upgrade(door).decode()
        assert change[0] in request
        await client.write(request.replace(*change).encode())
        answer = await client.lost()
    assert answer.split()[1] in {status, b"400"}
    # Said in words.
    assert len(answer.partition(b"\r\n\r\n")[2]) > 10


async def test_a_large_answer_comes_in_parts(door: Server, user: str) -> None:
    token = door.token(user)
    large: dict[str, Any] = {"title": "x", "meta": {"pad": "y" * 4000}, "start": True}
    door.report(token, *({"type": "create", "task": f"{user}-{n}", **large} for n in range(300)))
    async with logged_in(door, token) as client:
        view = View()
        await client.say("subscribe", id=1, channel=f"user:{user}")
        parts = [view.take(await client.hear())]
        while parts[-1].get("more"):
            parts.append(view.take(await client.hear()))
    assert len(parts) > 3
    assert [part["reset"] for part in parts] == [True] + [False] * (len(parts) - 1)
    assert len(view.records) == 300
    # Each part's cursor is good by itself.
    async with logged_in(door, token) as client:
        rest = View()
        rest.cursor = parts[1]["cursor"]
        first = await client.follow(rest, channel=f"user:{user}")
        assert not first["reset"]
    assert len(rest.records) == 300 - len(parts[0]["tasks"]) - len(parts[1]["tasks"])


async def test_a_server_that_is_full_says_so(tmp_path_factory: pytest.TempPathFactory, door: Server) -> None:
    with serving(tmp_path_factory.mktemp("full"), door.form, max_connections=1) as server:
        async with connected(server), raw_client(server, upgraded=False) as second:
            await second.write(upgrade(server))
            answer = await second.lost()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: " in answer.lower()
        assert server.request("GET", "/healthz").status == 200
