"""How long a connection lasts is the same on every door: told of its end, renewed, and ended with its token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from headway.model.grant import Ability
from tests.clients import logged_in
from tests.contract.test_streams import Events, make_task
from tests.servers import FORMS, Server, serving

pytestmark = pytest.mark.slow


@pytest.fixture(params=FORMS, scope="module")
def brief(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that tells of the end long before, and then waits a little."""
    with serving(
        tmp_path_factory.mktemp("brief"), request.param, expiring_before=3600, expiry_grace=0.5
    ) as server:
        yield server


async def test_a_connection_is_told_of_its_end_goes_on_a_little_and_ends(brief: Server, user: str) -> None:
    token = brief.token(user, ttl=2)
    async with logged_in(brief, token) as client:
        await client.say("subscribe", id=1, channel=f"user:{user}")
        assert 0 < (await client.hear("expiring"))["in"] <= 2
        end, _, said = await client.ended()
        assert (end, said[-1]["code"], said[-1]["retryable"]) == (4402, 402, False)
    assert (await asyncio.to_thread(brief.request, "GET", "/api/tasks", token)).json()["code"] == 402


async def test_a_connection_that_is_renewed_ends_with_its_new_token(brief: Server, user: str) -> None:
    async with logged_in(brief, brief.token(user, ttl=1)) as client:
        await client.say("subscribe", id=1, channel=f"user:{user}")
        await client.hear("snapshot")
        new = time.time() + 4
        await client.say("auth", token=brief.token(user, ttl=4))
        assert (await client.hear("welcome"))["user"] == user
        # It is told anew, hears more when the old token and its grace have ended, and ends when the new one does.
        assert (await client.hear("expiring"))["in"] > 1
        await asyncio.sleep(1.6)
        task = await asyncio.to_thread(make_task, brief, brief.token(user))
        assert (await client.hear("change"))["task"]["id"] == task
        assert (await client.ended())[0] == 4402
        assert time.time() > new


def test_a_stream_is_told_of_its_end_and_ends(brief: Server, user: str) -> None:
    events = Events(brief, f"/events?channel=user:{user}", brief.token(user, ttl=2))
    types = [message["type"] for message in events.rest()]
    assert types == ["snapshot", "expiring", "error"]


def test_a_stream_goes_on_with_the_token_that_renews_it(brief: Server, user: str) -> None:
    old, new, other = brief.token(user, ttl=1), brief.token(user), brief.token("eve")
    events = Events(brief, f"/events?channel=user:{user}", old)
    assert [events.next()["type"], events.next()["type"]] == ["snapshot", "expiring"]
    # Somebody else's token changes nothing.
    brief.ask("POST", "/api/renew", other, {"token": old}, 204)
    brief.ask("POST", "/api/renew", new, {"token": old}, 204)
    welcome = events.next()
    assert (welcome["type"], welcome["user"]) == ("welcome", user)
    # Longer than the old token and its grace would have lasted.
    time.sleep(1.6)
    task = make_task(brief, new)
    assert events.next()["task"]["id"] == task
    # It is the new one's now: what ends that ends the stream.
    brief.ask("POST", "/api/revocations", brief.token("root", Ability.ADMIN), {"token": new}, 204)
    assert events.next()["code"] == 404
    events.close()


def test_a_renewal_that_covers_less_ends_what_it_does_not_cover(brief: Server, user: str) -> None:
    old = brief.tokens.make(user, channels=["project:7"], ttl=60)
    events = Events(brief, "/events?channel=public&channel=project:7", old)
    for _ in range(3):
        events.next()
    brief.ask("POST", "/api/renew", brief.token(user), {"token": old}, 204)
    assert events.next()["type"] == "welcome"
    ended = events.next()
    assert (ended["type"], ended["code"], ended["id"]) == ("error", 105, 2)
    events.close()


def test_a_poll_says_that_the_next_needs_another_token(brief: Server, user: str) -> None:
    (snapshot, expiring) = brief.ask("GET", f"/poll?channel=user:{user}", brief.token(user, ttl=60))[
        "messages"
    ]
    assert (snapshot["type"], expiring["type"]) == ("snapshot", "expiring")
    assert 0 < expiring["in"] <= 60
