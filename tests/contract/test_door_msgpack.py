"""The native door with MessagePack, in both its forms."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from websockets.typing import Subprotocol

from tests.clients import View, connected, logged_in
from tests.servers import Server

pytestmark = pytest.mark.slow

PACKED: dict[str, Any] = {"subprotocols": [Subprotocol("headway.v1.msgpack")]}


async def test_a_packed_client_follows_and_commands(door: Server, user: str) -> None:
    token, task = door.token(user), f"{user}-1"
    meta = {"large": 2**70, "deep": {"list": [1, 2.5, None, True, "é"]}}
    door.report(token, {"type": "create", "task": task, "title": "Ünïcode", "meta": meta, "start": True})
    async with logged_in(door, token, **PACKED) as packed, logged_in(door, token) as plain:
        views = View("mine"), View("mine")
        first = await packed.follow(views[0], channel=f"user:{user}")
        assert first == await plain.follow(views[1], channel=f"user:{user}")
        assert views[0].records[task]["meta"] == {**meta, "large": float(2**70)}
        door.report(token, {"type": "progress", "task": task, "done": 3})
        change = views[0].take(await packed.hear("change"))
        assert change == views[1].take(await plain.hear("change"))
        assert change["task"]["progress"]["done"] == 3
        ok = await packed.answer("cancel", task=task, ref="r")
        while ok["type"] != "ok":
            ok = await packed.hear()
        assert (ok["ref"], ok["task"]["state"]) == ("r", "cancelled")
        assert (await packed.answer("subscribe", id=2, channel="elsewhere"))["field"] == "channel"


async def test_a_packed_client_resumes_and_gets_large_answers(door: Server, user: str) -> None:
    token = door.token(user)
    large = {"title": "x", "meta": {"pad": "y" * 4000}, "start": True}
    door.report(token, *({"type": "create", "task": f"{user}-{n}", **large} for n in range(150)))
    view = View()
    async with logged_in(door, token, **PACKED) as client:
        await client.follow(view, channel=f"user:{user}")
    assert len(view.records) == 150
    door.report(token, {"type": "progress", "task": f"{user}-7", "done": 3})
    async with logged_in(door, token, **PACKED) as client:
        first = await client.follow(view, channel=f"user:{user}")
    assert (first["reset"], [task["id"] for task in first["tasks"]]) == (False, [f"{user}-7"])


async def test_a_bad_token_is_explained(door: Server) -> None:
    async with connected(door, **PACKED) as client:
        assert client.socket.subprotocol == "headway.v1.msgpack"
        await client.say("auth", token="nonsense")
        code, _, said = await client.ended()
    assert (code, said[-1]["code"]) == (4401, 401)


async def test_text_is_refused(door: Server, user: str) -> None:
    async with logged_in(door, door.token(user), **PACKED) as client:
        await client.socket.send(json.dumps({"type": "ping"}))
        assert (await client.ended())[0] == 1003


@pytest.mark.parametrize(
    "said", [b"", b"\xdd\xff\xff\xff\xff", b'{"type":"ping"}', msgspec.msgpack.encode([1])]
)
async def test_what_is_no_message_is_explained_and_forgiven(door: Server, user: str, said: bytes) -> None:
    async with logged_in(door, door.token(user), **PACKED) as client:
        await client.socket.send(said)
        assert (await client.hear())["code"] == 100
        assert (await client.answer("ping"))["type"] == "pong"


async def test_the_first_subprotocol_that_is_spoken_counts(door: Server) -> None:
    both = [Subprotocol("headway.v1"), Subprotocol("headway.v1.msgpack")]
    async with connected(door, subprotocols=both) as client:
        assert client.socket.subprotocol == "headway.v1"
    async with connected(door, subprotocols=both[::-1]) as client:
        assert client.socket.subprotocol == "headway.v1.msgpack"
        assert (await client.answer("ping"))["type"] == "pong"
