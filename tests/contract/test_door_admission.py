"""Who is let in: the ceilings of a server and of a user, the lifetime of a connection, and what is said at the end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from websockets.exceptions import InvalidStatus

from headway.model.grant import Ability
from tests.clients import connected, logged_in
from tests.contract.test_streams import Events
from tests.raw_client import raw_client, text, upgrade
from tests.servers import FORMS, Form, Server, running_server, serving

pytestmark = pytest.mark.slow


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    chosen: Form = request.param
    return chosen


@pytest.fixture
def alone(form: Form, tmp_path: Path) -> Iterator[Server]:
    """A server that takes two clients who follow something."""
    with serving(tmp_path, form, max_connections=2) as server:
        yield server


async def test_a_full_server_says_when_to_come_again(alone: Server, user: str) -> None:
    token = alone.token(user)
    events = Events(alone, f"/events?channel=user:{user}", token)
    events.next()
    async with logged_in(alone, token) as client:
        waits = set()
        for path in ("/events", "/poll"):
            answer = alone.request("GET", f"{path}?channel=user:{user}", token)
            assert (answer.status, answer.json()["code"]) == (503, 202)
            waits.add(int(answer.headers["retry-after"]))
        for _ in range(10):
            with pytest.raises(InvalidStatus) as refused:
                async with connected(alone):
                    pass
            assert refused.value.response.status_code == 503
            waits.add(int(refused.value.response.headers["retry-after"]))
        # By chance, so that not all come back at once.
        assert len(waits) > 1
        assert waits <= set(range(1, 31))
        # Workers are still heard, and who was let in is served.
        alone.report(token, {"type": "create", "task": "one", "title": "One"})
        assert events.next()["task"]["id"] == "one"
        assert (await client.answer("ping"))["type"] == "pong"
    events.close()
    while alone.request("GET", f"/poll?channel=user:{user}", token).status == 503:
        pass


async def test_the_newest_connection_of_a_user_is_refused(form: Form, tmp_path: Path) -> None:
    async with running_server(tmp_path, form, max_connections_per_user=2) as server:
        token = server.token("ada")
        async with logged_in(server, token) as first, logged_in(server, token):
            async with connected(server) as third:
                await third.say("auth", token=token)
                code, _, said = await third.ended()
            assert (code, said[-1]["code"], said[-1]["limit"]) == (4429, 429, 2)
            assert said[-1]["retryable"] is False
            for path in ("/events", "/poll"):
                answer = server.request("GET", f"{path}?channel=public", token)
                assert (answer.status, answer.json()["code"]) == (429, 429)
            # A token that is renewed is no further connection, and others are others.
            assert (await first.answer("auth", token=token))["type"] == "welcome"
            async with logged_in(server, server.token("bob")):
                pass
        # Whoever has left makes room.
        while server.request("GET", "/poll?channel=public", token).status == 429:
            pass
        async with logged_in(server, token):
            pass


async def test_the_oldest_connection_of_a_user_is_closed(form: Form, tmp_path: Path) -> None:
    settings = {"max_connections_per_user": 2, "connections_beyond": "close-oldest"}
    async with running_server(tmp_path, form, **settings) as server:
        token = server.token("ada")
        async with logged_in(server, token) as first, logged_in(server, token) as second:
            events = Events(server, "/events?channel=public", token)
            assert (await first.ended())[0] == 4429
            assert (await second.answer("ping"))["type"] == "pong"
            async with logged_in(server, token), logged_in(server, token):
                assert (await second.ended())[0] == 4429
                assert events.rest()[-1]["code"] == 429


async def test_a_connection_has_a_lifetime(form: Form, tmp_path: Path) -> None:
    async with running_server(tmp_path, form, max_lifetime=1) as server:
        token = server.token("ada")
        began = asyncio.get_running_loop().time()
        async with logged_in(server, token) as client:
            events = Events(server, "/events?channel=public", token)
            # A renewed token makes it no longer.
            await client.say("auth", token=token)
            code, _, said = await client.ended()
            rest = await asyncio.to_thread(events.rest)
        assert asyncio.get_running_loop().time() - began >= 0.8
        assert code == 4303
        assert [message["type"] for message in said[-2:]] == ["goodbye", "error"]
        assert [message["type"] for message in rest[-2:]] == ["goodbye", "error"]
        assert said[-1]["code"] == rest[-1]["code"] == 303


async def test_a_drain_spreads_those_who_come_back(tmp_path: Path) -> None:
    # A server that is not ours ends the connections itself, before it says that it stops.
    async with running_server(tmp_path, "fast", drain_spread=20) as server:
        token = server.token("ada")
        streams = [Events(server, "/events?channel=public", token) for _ in range(4)]
        for events in streams:
            events.next()
        cursor = server.ask("GET", "/poll?channel=public", token)["messages"][0]["cursor"]
        path = f"/poll?channel=public&cursor={cursor}&wait=60"
        polls = [asyncio.create_task(asyncio.to_thread(server.request, "GET", path, token)) for _ in range(2)]
        async with contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(logged_in(server, token)) for _ in range(4)]
            root = server.token("root", *Ability)
            while server.ask("GET", "/api/stats", root)["connections"] < 4 + 4 + 2:
                pass
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            goodbyes = [(await client.ended())[2][-2] for client in clients]
            retries = []
            for events in streams:
                rest = await asyncio.to_thread(events.rest)
                assert [message["type"] for message in rest[-2:]] == ["goodbye", "error"]
                assert events.retry == round(rest[-2]["reconnect_in"] * 1000)
                retries.append(events.retry)
            for poll in polls:
                answer = await poll
                assert (answer.status, answer.json()["code"]) == (503, 300)
                assert 0 < int(answer.headers["retry-after"]) <= 21
            await stopping
        assert len({goodbye["reconnect_in"] for goodbye in goodbyes}) == 4
        assert len(set(retries)) == 4


async def test_who_goes_on_far_beyond_the_rate_is_closed(impatient: Server, user: str) -> None:
    async with raw_client(impatient, token=impatient.token(user)) as client:
        with contextlib.suppress(ConnectionError):
            await client.write(text(type="ping") * 3000)
        code, said = await client.ended()
    refused = [message for message in said if message.get("code") == 201]
    # Not one by one, since it reads them more slowly than it writes.
    assert len(refused) >= 200
    assert (code, said[-1]["code"]) == (4306, 306)


async def test_when_descriptors_run_out_who_is_there_is_served(tmp_path: Path) -> None:
    """More come than the system lets the server have: each is answered or cut, and none of them makes it spin."""
    async with (
        running_server(tmp_path, "fast", descriptors=200) as server,
        contextlib.AsyncExitStack() as stack,
    ):
        token = server.token("ada")
        followers = []
        refusals = 0
        for _ in range(300):
            client = await stack.enter_async_context(raw_client(server, upgraded=False))
            with contextlib.suppress(ConnectionError):
                await client.write(upgrade(server, f"Authorization: Bearer {token}"))
                answer = await client.reader.read(15)
                if answer.startswith(b"HTTP/1.1 101"):
                    followers.append(client)
                refusals += answer.startswith(b"HTTP/1.1 503")
        assert 40 < len(followers) < 80
        assert refusals > 50
        process = psutil.Process(server.process.pid)
        # One in ten is kept for those who report.
        before = process.cpu_times()
        assert server.request("GET", "/poll?channel=public", token).status == 503
        server.report(token, {"type": "create", "task": "one", "title": "One"})
        followers[0].writer.write(text(type="subscribe", id=1, channel="user:ada"))
        while b'"One"' not in await followers[0].reader.read(65_536):
            pass
        assert server.request("GET", "/healthz").status == 200
        after = process.cpu_times()
        assert after.user + after.system - before.user - before.system < 0.5


async def test_no_descriptor_at_all_does_not_make_the_server_spin(tmp_path: Path) -> None:
    async with running_server(tmp_path, "fast") as server, contextlib.AsyncExitStack() as stack:
        token = server.token("ada")
        process = psutil.Process(server.process.pid)
        cursor = server.ask("GET", "/poll?channel=public", token)["messages"][0]["cursor"]
        # The server has counted on many, and something else in its process has taken them.
        process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds() + 3, process.rlimit(psutil.RLIMIT_NOFILE)[1]))
        for _ in range(50):
            await stack.enter_async_context(raw_client(server, upgraded=False))
        before = process.cpu_times()
        answer = server.request("GET", f"/poll?channel=public&cursor={cursor}&wait=2", token)
        after = process.cpu_times()
        assert answer.status == 200
        assert after.user + after.system - before.user - before.system < 0.5
        process.rlimit(psutil.RLIMIT_NOFILE, (1024, process.rlimit(psutil.RLIMIT_NOFILE)[1]))
        await stack.aclose()
        async with logged_in(server, token):
            pass
