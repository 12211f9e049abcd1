"""Compressed WebSockets, with the `websockets` library for a client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.typing import Subprotocol

from tests.clients import Client, View, logged_in
from tests.raw_client import raw_client
from tests.servers import Server, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pressed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("pressed"), compression=True) as server:
        yield server


def extensions_of(client: Client) -> str:
    assert client.socket.response is not None
    return client.socket.response.headers.get("Sec-WebSocket-Extensions", "")


@pytest.mark.parametrize("subprotocol", ["headway.v1", "headway.v1.msgpack"])
@pytest.mark.parametrize(
    "offers",
    [
        {},
        {"client_max_window_bits": True},
        {"server_max_window_bits": 15, "client_max_window_bits": 9},
        {"server_no_context_takeover": True, "client_no_context_takeover": True},
    ],
)
async def test_a_compressed_client_sees_what_others_see(
    pressed: Server, user: str, subprotocol: str, offers: dict[str, Any]
) -> None:
    token, task = pressed.token(user), f"{user}-1"
    meta = {"pad": "abc" * 1000}
    pressed.report(token, {"type": "create", "task": task, "title": "x", "meta": meta, "start": True})
    options: dict[str, Any] = {
        "subprotocols": [Subprotocol(subprotocol)],
        "extensions": [ClientPerMessageDeflateFactory(**offers)],
        "compression": None,
    }
    async with (
        logged_in(pressed, token, **options) as client,
        logged_in(pressed, token, compression=None) as plain,
    ):
        assert "permessage-deflate" in extensions_of(client)
        assert extensions_of(plain) == ""
        views = View(), View()
        assert await client.follow(views[0], channel=f"user:{user}") == await plain.follow(
            views[1], channel=f"user:{user}"
        )
        for done in range(1, 4):
            pressed.report(token, {"type": "progress", "task": task, "done": done})
            change = views[0].take(await client.hear("change"))
            assert change == views[1].take(await plain.hear("change"))
            assert change["task"]["meta"] == meta
        # Long enough to be compressed on its way to the server.
        assert (await client.answer("ping", pad="x" * 1000))["type"] == "pong"
        await (await client.socket.ping())


async def test_a_compressed_bomb_is_refused(pressed: Server, user: str) -> None:
    async with logged_in(pressed, pressed.token(user), compression="deflate") as client:
        await client.say("ping", pad="x" * 10_000_000)
        assert (await client.ended())[0] == 1009


async def test_nothing_is_compressed_unless_it_was_agreed(pressed: Server, door: Server, user: str) -> None:
    async with raw_client(pressed) as client:
        await client.write(bytes([0xC1, 0x80, 0, 0, 0, 0]))
        assert (await client.ended())[0] == 1002
    async with logged_in(door, door.token(user), compression="deflate") as plain:
        if door.form == "fast":
            assert extensions_of(plain) == ""
