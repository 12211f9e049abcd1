"""The native door in both its forms: patience and its end, on either side."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from headway.model.grant import Ability
from tests.clients import Client, View, connected, logged_in
from tests.raw_client import raw_client, text, upgrade
from tests.servers import PATIENCE, Server, running_server, serving

pytestmark = pytest.mark.slow

# Behind plain ASGI, handshakes and pings are the other server's.
own_sockets = pytest.mark.parametrize("impatient", ["fast"], indirect=True, scope="session")

LARGE = {"pad": "x" * 15_000}


async def test_no_token_in_time(impatient: Server) -> None:
    began = time.monotonic()
    async with connected(impatient) as client:
        code, _, said = await client.ended()
    assert (code, [message["code"] for message in said]) == (4304, [304])
    assert said[0]["retryable"]
    assert time.monotonic() - began >= 0.5


async def test_talking_does_not_put_off_auth(impatient: Server) -> None:
    async with connected(impatient) as client:
        for _ in range(5):
            assert (await client.answer("ping"))["type"] == "pong"
        assert (await client.ended())[0] == 4304


@own_sockets
async def test_a_slow_handshake_is_closed(impatient: Server) -> None:
    # The server waits for a whole head, not anew from each byte on.
    async with raw_client(impatient, upgraded=False) as client, raw_client(impatient, upgraded=False) as mute:
        await client.write(upgrade(impatient)[:-2])
        assert await client.lost() == b""
        assert await mute.lost() == b""


async def test_heartbeats_keep_a_quiet_client(impatient: Server) -> None:
    async with logged_in(impatient) as client:
        # A browser answers pings by itself and says nothing; it stays for longer than silence is borne.
        heard = [await client.hear("heartbeat") for _ in range(4)]
        assert (await client.answer("ping"))["type"] == "pong"
    assert all(after["now"] - before["now"] >= 950 for before, after in itertools.pairwise(heard))


@own_sockets
async def test_a_silent_client_is_closed(impatient: Server) -> None:
    async with raw_client(impatient, token=impatient.token()) as client:
        began = time.monotonic()
        code, said = await client.ended()
    assert (code, said[-1]["code"]) == (4302, 302)
    assert {message["type"] for message in said[:-1]} == {"heartbeat"}
    assert time.monotonic() - began > 1.9


async def test_who_says_too_much_is_told_and_not_heard(impatient: Server, user: str) -> None:
    token, task = impatient.token(user), f"{user}-1"
    impatient.report(token, {"type": "create", "task": task, "title": "x", "start": True})
    async with raw_client(impatient, token=token) as client:
        await client.write(b"".join(text(type="ping") for _ in range(40)) + text(type="cancel", task=task))
        heard = [await client.hear() for _ in range(41)]
        limited = [message for message in heard if message["type"] == "error"]
        assert 28 <= len(limited) <= 33
        assert {(error["code"], error["retryable"]) for error in limited} == {(201, True)}
        # The last one was one too many as well.
        assert heard[-1]["type"] == "error"
        assert impatient.ask("GET", f"/api/tasks/{task}", token)["state"] == "running"
        # And it is heard again after a while.
        while json.loads((await client.read_frame())[1] or b"{}").get("type") != "heartbeat":
            pass
        await client.write(text(type="cancel", task=task))
        assert (await client.hear())["type"] == "ok"
    assert impatient.ask("GET", f"/api/tasks/{task}", token)["state"] == "cancelled"


async def test_subscriptions_are_counted(impatient: Server, user: str) -> None:
    async with logged_in(impatient, impatient.token(user)) as client:
        for name in range(3):
            await client.follow(View(name), channel=f"user:{user}")
        error = await client.answer("subscribe", id=3, channel=f"user:{user}")
        assert (error["code"], error["id"], error["limit"]) == (107, 3, 3)
        # One that replaces another is no further one; and one that was refused takes no place.
        await client.follow(View(2), channel="public")
        assert (await client.answer("subscribe", id=2, channel="user:foreign"))["code"] == 105
        await client.follow(View(4), channel="public")
        await client.say("unsubscribe", id=0)
        await client.follow(View(5), channel="public")


async def test_the_message_size_is_a_setting(impatient: Server) -> None:
    async with logged_in(impatient) as client:
        await client.say("ping", pad="x" * 2048)
        assert (await client.ended())[0] == 1009


@asynccontextmanager
async def flood(server: Server, user: str) -> AsyncIterator[tuple[Any, list[str]]]:
    """Twenty tasks whose results are large; gives what changes all of them once."""
    token = server.token(user)
    tasks = [f"{user}-{number}" for number in range(20)]
    server.report(token, *({"type": "create", "task": task, "title": "x", "start": True} for task in tasks))
    count = 0

    def change() -> int:
        nonlocal count
        count += 1
        server.report(
            token, *({"type": "result", "task": task, "result": {"n": count, **LARGE}} for task in tasks)
        )
        return count

    yield change, tasks


async def caught_up(client: Client, view: View, tasks: list[str], count: int) -> None:
    while any((view.records[task].get("result") or {"n": 0})["n"] < count for task in tasks):
        view.take(await client.hear("change"))


async def flooded_until_closed(
    server: Server, user: str, client: Client, change: Any, tasks: list[str]
) -> None:
    """Change everything until somebody who reads nothing was closed; one who reads is never kept waiting."""
    view = View()
    await client.follow(view, channel=f"user:{user}")
    deadline = time.monotonic() + 20
    ended = f'"code": 301.*"user": "{user}"'
    until = asyncio.create_task(asyncio.to_thread(server.until, ended))
    latest = 0.0
    while not until.done():
        assert time.monotonic() < deadline
        began = time.monotonic()
        await caught_up(client, view, tasks, change())
        latest = max(latest, time.monotonic() - began)
    await until
    assert latest < 3


async def test_a_client_that_reads_nothing_is_closed_and_holds_up_nobody(
    impatient: Server, user: str
) -> None:
    token = impatient.token(user)
    subscribe = text(type="subscribe", id=1, channel=f"user:{user}")
    async with (
        flood(impatient, user) as (change, tasks),
        raw_client(impatient, token=token, small=True) as slow,
        logged_in(impatient, token) as client,
    ):
        await slow.write(subscribe)
        await flooded_until_closed(impatient, user, client, change, tasks)
        code, said = await slow.ended()
        assert (await client.answer("ping"))["type"] == "pong"
    if impatient.form == "fast":
        # It reads at last, and is told why it was closed.
        assert (code, said[-1]["code"], said[-1]["retryable"]) == (4301, 301, True)


async def test_a_stream_that_is_not_read_is_closed_and_holds_up_nobody(impatient: Server, user: str) -> None:
    token = impatient.token(user)
    path = f"{urlsplit(impatient.url).path}/events?channel=user:{user}"
    async with (
        flood(impatient, user) as (change, tasks),
        raw_client(impatient, upgraded=False, small=True) as slow,
        logged_in(impatient, token) as client,
    ):
        head = f"GET {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n\r\n"
        await slow.write(head.encode())
        await flooded_until_closed(impatient, user, client, change, tasks)
        said = await slow.lost()
        assert (await client.answer("ping"))["type"] == "pong"
    assert said.startswith(b"HTTP/1.1 200 OK")
    if impatient.form == "fast":
        # It reads at last, and is told why it was closed.
        assert b'"code":301' in said[-400:]
        assert said.endswith(b"0\r\n\r\n")


async def test_answers_that_are_not_read_hold_up_nobody(impatient: Server, user: str) -> None:
    token = impatient.token(user)
    path = f"{urlsplit(impatient.url).path}/poll?channel=user:{user}"
    head = f"GET {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    async with (
        flood(impatient, user) as (change, tasks),
        raw_client(impatient, upgraded=False, small=True) as slow,
        logged_in(impatient, token) as client,
    ):
        view = View()
        await client.follow(view, channel=f"user:{user}")
        await caught_up(client, view, tasks, change())
        # More answers than the systems between hold.
        await slow.write(head * 100)
        gone = asyncio.create_task(slow.writer.wait_closed())
        if impatient.form != "fast":
            # Other servers keep the connection, with an answer at most.
            gone.cancel()
        async with asyncio.timeout(PATIENCE):
            while not gone.done():
                await caught_up(client, view, tasks, change())
                slow.writer.write(b"\r\n")
        await caught_up(client, view, tasks, change())
        await asyncio.wait((gone,))


async def test_a_client_that_reads_late_gets_the_newest_and_costs_little(door: Server, user: str) -> None:
    token = door.token(user)
    async with flood(door, user) as (change, tasks), logged_in(door, token) as client:
        view = View()
        await client.follow(view, channel=f"user:{user}")
        for _ in range(10):
            await caught_up(client, view, tasks, change())
        async with raw_client(door, token=token, small=True) as slow:
            await slow.write(text(type="subscribe", id=1, channel=f"user:{user}"))
            late = View()
            late.take(await slow.hear())
            before = door.memory
            for _ in range(100):
                count = change()
            await caught_up(client, view, tasks, count)
            # Thirty megabytes went by that it did not read.
            assert door.memory - before < 15_000_000
            heard = 0
            while any((late.records.get(task, {}).get("result") or {"n": 0})["n"] < count for task in tasks):
                late.take(await slow.hear())
                heard += 1
    assert late.records == view.records
    # What filled the pipes, and the newest state of each.
    assert heard < 1000


async def test_a_client_that_asks_and_reads_no_answer_costs_little(door: Server, user: str) -> None:
    async with raw_client(door, token=door.token(user), small=True) as client:
        before = door.memory
        said = b"".join(text(type="subscribe", id=1, channel=5, pad="x" * 64) for _ in range(500))
        try:
            async with asyncio.timeout(20):
                for _ in range(600):
                    await client.write(said)
        except (ConnectionError, TimeoutError):
            pass
        assert door.memory - before < 20_000_000
    assert door.request("GET", "/healthz").status == 200


async def test_goodbye(door: Server, tmp_path: Any) -> None:
    async with running_server(tmp_path, door.form, drain_spread=3) as server:
        token = server.token()
        async with logged_in(server, token) as client, connected(server) as stranger:
            view = View()
            await client.follow(view, channel="user:ada")
            server.report(token, {"type": "create", "task": "t", "title": "x"})
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            code, _, said = await client.ended()
            for message in said:
                if message["type"] == "change":
                    view.take(message)
            other = await stranger.ended()
            exited = await stopping
        assert (code, other[0]) == (4300, 4300)
        assert [message["type"] for message in said[-2:]] == ["goodbye", "error"]
        assert 0 <= said[-2]["reconnect_in"] <= 3
        assert said[-1]["code"] == 300
        if door.form == "fast":
            # A host decides about its own exit code: uvicorn raises the signal again.
            assert exited == 0
    # What was acknowledged just before is not only shown, it is there when the server comes back.
    if door.form == "fast":
        async with running_server(tmp_path, door.form) as server, logged_in(server, token) as client:
            assert not (await client.follow(view, channel="user:ada"))["reset"]
            assert list(view.records) == ["t"]


def test_a_drain_waits_for_no_client(tmp_path: Any) -> None:
    async def hold(server: Server) -> tuple[int, float]:
        # One that reads nothing, one that never answers a close, one in the middle of its handshake.
        async with (
            raw_client(server, token=server.token(), small=True) as deaf,
            raw_client(server, token=server.token()),
            raw_client(server, upgraded=False) as half,
        ):
            await deaf.write(text(type="subscribe", id=1, channel="user:ada"))
            await half.write(b"GET /ws HT")
            server.ask("GET", "/api/stats", server.token("root", Ability.ADMIN))
            began = time.monotonic()
            return await asyncio.to_thread(server.stop), time.monotonic() - began

    with serving(tmp_path, drain_seconds=1) as server:
        large = json.dumps({"pad": "y" * 4000})
        for batch in range(4):
            server.report(
                server.token(),
                *(
                    {"type": "create", "task": f"t{batch}-{n}", "title": "x", "meta": json.loads(large)}
                    for n in range(500)
                ),
            )
        code, seconds = asyncio.run(hold(server))
    assert code == 0
    assert seconds < 6
