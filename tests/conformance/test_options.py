"""The options of the stock clients: whatever a page was given, it connects, is heard, and hears."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.stock import NEW, stock_client
from tests.network import Fault, Network
from tests.servers import FORMS, Form, Server, serving

pytestmark = pytest.mark.slow

BOTH = ["polling", "websocket"]
WAYS = ([BOTH[0]], [BOTH[1]])


@pytest.fixture(params=FORMS, scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    form: Form = request.param
    with serving(tmp_path_factory.mktemp("options"), form, compression=True) as server:
        yield server


def options(server: Server, user: str, **more: Any) -> dict[str, Any]:
    return {"auth": {"token": server.token(user)}, "transports": BOTH, **more}


@pytest.mark.parametrize(
    "given",
    [
        {"addTrailingSlash": False},
        {"closeOnBeforeunload": True, "withCredentials": True, "forceBase64": True},
        {"query": {"who": "é€", "a b": "c&d"}, "timestampRequests": True},
    ],
    ids=lambda given: next(iter(given)),
)
async def test_a_client_with_these_options(server: Server, given: dict[str, Any]) -> None:
    user = next(iter(given)).lower()
    async with stock_client(server.url, **options(server, user, **given)) as client:
        await client.emit(
            "subscribe", {"id": 1, "channel": f"user:{user}", "of no matter": {"bytes": "0102"}}
        )
        assert (await client.event("snapshot"))[0]["reset"]
        # Who begins by polling may have changed before it was let in.
        connected = next(said for said in client.seen if said["what"] == "connect")
        if connected["transport"] == "polling" and all(said["what"] != "upgrade" for said in client.seen):
            await client.hear("upgrade")
        assert (await client.ask("ping"))[0]["ok"]


async def test_who_remembers_that_it_could_change_begins_so(server: Server) -> None:
    given = {"path": "/socket.io/", "rememberUpgrade": True}
    async with stock_client(server.url, "engine.io-client", **given) as client:
        await client.hear("upgrade")
        await client.do("again")
        assert (await client.hear("open"))["transport"] == "websocket"


async def test_who_tries_all_transports_finds_one(server: Server) -> None:
    faults = [Fault("reset", 0, "server")]
    with Network(server.address[1], lambda: [faults.pop()] if faults else []) as way:
        given = {"path": "/socket.io/", "transports": BOTH[::-1], "tryAllTransports": True}
        async with stock_client(way.url, "engine.io-client", **given) as client:
            assert (await client.hear("open"))["transport"] == "polling"
    assert way.struck["reset"] == 1


@pytest.mark.parametrize("transports", WAYS, ids="+".join)
async def test_what_is_asked_with_retries_is_answered_though_the_way_was_away(
    server: Server, transports: list[str]
) -> None:
    user = f"retries-{transports[0]}"
    given = options(server, user, transports=transports, retries=5, ackTimeout=500)
    with Network(server.address[1]) as way:
        async with stock_client(way.url, **given) as client:
            await client.event("welcome")
            way.cut()
            await client.do("emit", event="subscribe", args=[{"id": 1, "channel": f"user:{user}"}], ack=True)
            assert (await client.hear("disconnect"))["reason"] in ("transport close", "transport error")
            way.restore()
            # The client puts an error in front, which there is none.
            assert (await client.hear("ack"))["args"] == [None, {"ok": True, "id": 1}]
            # Asked again, it is the same subscription.
            await client.do("emit", event="subscribe", args=[{"id": 1, "channel": f"user:{user}"}], ack=True)
            assert (await client.hear("ack"))["args"] == [None, {"ok": True, "id": 1}]


async def test_a_token_is_asked_for_at_each_connection(server: Server) -> None:
    tokens = ["no token", *(server.token("renewed", ttl=100 + n) for n in range(2))]
    async with stock_client(server.url, tokens=tokens, transports=BOTH) as client:
        assert (await client.hear("connect_error"))["data"]["code"] == 401
        await client.do("connect")
        first = await client.event("welcome")
        assert (await client.ask("subscribe", {"id": 1, "channel": "user:renewed"}))[0]["ok"]
        await client.do("drop")
        assert (await client.hear("connect"))["recovered"]
        assert (await client.event("welcome"))[0]["expires_at"] > first[0]["expires_at"]


@pytest.mark.parametrize("followed", [False, True])
async def test_who_takes_its_leave_begins_anew(server: Server, followed: bool) -> None:
    async with stock_client(server.url, **options(server, "leaving", transports=WAYS[1])) as client:
        await client.event("welcome")
        if followed:
            assert (await client.ask("subscribe", {"id": 1, "channel": "user:leaving"}))[0]["ok"]
        await client.do("disconnect")
        assert (await client.hear("disconnect"))["reason"] == "io client disconnect"
        await client.do("connect")
        assert not (await client.hear("connect"))["recovered"]


@pytest.mark.parametrize("transports", WAYS, ids="+".join)
async def test_what_is_too_large_ends_the_connection_and_the_client_comes_again(
    server: Server, transports: list[str]
) -> None:
    async with stock_client(server.url, **options(server, "large", transports=transports)) as client:
        await client.event("welcome")
        assert (await client.ask("subscribe", {"id": 1, "channel": "user:large"}))[0]["ok"]
        await client.emit("ping", {"x": "x" * 100_000})
        assert (await client.hear("disconnect"))["reason"] in ("transport close", "transport error")
        assert (await client.hear("connect"))["recovered"]
        # Many that fit are sent in as many requests as it takes.
        for _ in range(30):
            await client.emit("ping", {"x": "x" * 10_000})
        for _ in range(30):
            await client.event("pong")


@pytest.mark.parametrize("transports", [*WAYS, BOTH], ids="+".join)
async def test_a_client_of_messagepack_follows(server: Server, transports: list[str]) -> None:
    user = "packed-" + "-".join(transports)
    given = options(server, user, transports=transports, msgpack=True)
    async with (
        stock_client(server.url, NEW, **given) as client,
        stock_client(server.url, NEW, **options(server, user)) as other,
    ):
        said: list[Any] = []
        for one in (client, other):
            assert (await one.event("welcome"))[0]["user"] == user
            assert await one.ask("subscribe", {"id": 1, "channel": f"user:{user}"}) == [{"ok": True, "id": 1}]
        task = server.ask(
            "POST", "/api/tasks", server.token(user), {"title": "€", "total": 10, "start": True}
        )
        for one in (client, other):
            while not (found := (await one.event("change"))) or found[0]["task"]["id"] != task["id"]:
                pass
            said.append(found)
        assert said[0] == said[1]
        assert (await client.ask("dance", {}))[0]["code"] == 101
        await client.do("drop")
        assert (await client.hear("connect"))["recovered"]
        answer = (await client.ask("cancel", {"task": task["id"]}))[0]
        assert (answer["ok"], answer["task"]["state"]) == (True, "cancelled")


# Other servers than ours compress by themselves.
@pytest.mark.parametrize("server", ["fast"], indirect=True)
async def test_a_websocket_is_compressed_where_that_was_asked_for(server: Server) -> None:
    token, pad = server.token("pressed"), "abc" * 1000
    async with (
        stock_client(server.url, **options(server, "pressed", transports=WAYS[1])) as client,
        stock_client(server.url, **options(server, "pressed", msgpack=True)) as packed,
        stock_client(
            server.url, **options(server, "pressed", transports=WAYS[1], perMessageDeflate=False)
        ) as plain,
        stock_client(server.url, **options(server, "pressed", transports=WAYS[1], forceBase64=True)) as text,
    ):
        clients = (client, packed, plain, text)
        for one in clients:
            assert (await one.ask("subscribe", {"id": 1, "channel": "user:pressed"}))[0]["ok"]
        task = server.ask("POST", "/api/tasks", token, {"title": "x", "meta": {"pad": pad}, "start": True})
        for one in clients:
            while not (found := await one.event("change"))[0]["task"]["meta"]:
                pass
            assert found[0]["task"] == {**found[0]["task"], "id": task["id"], "meta": {"pad": pad}}
            # Long enough to be compressed on its way to the server.
            assert (await one.ask("ping", {"x": "x" * 5000}))[0]["ok"]
        extensions = []
        for one in clients:
            await one.do("extensions")
            extensions.append((await one.hear("extensions"))["extensions"])
    agreed = "permessage-deflate"
    assert extensions == [agreed, agreed, "", ""]
