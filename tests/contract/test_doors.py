"""The native door in both its forms: who comes in, by which token, and for how long."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
import urllib3
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from headway.model.grant import Ability
from headway.server.tokens import Tokens
from tests.clients import Client, View, connected, logged_in
from tests.servers import FORMS, Form, Server

pytestmark = pytest.mark.slow

DOORS: tuple[Form, ...] = (*FORMS, "mounted")


def unsigned(claims: dict[str, Any]) -> str:
    """A token that says of itself that it has no signature."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        + "."
    )


@pytest.mark.everywhere
async def test_auth_comes_first_and_is_welcomed(door: Server, user: str) -> None:
    token = door.tokens.make(user, channels=["project:x"], can=[Ability.READ, Ability.CANCEL], ttl=3600)
    async with connected(door) as client:
        assert client.socket.subprotocol == "headway.v1"
        before = time.time_ns() // 1_000_000
        welcome = await client.answer("auth", token=token)
    assert before - 1000 <= welcome.pop("now") <= before + 60_000
    assert 3590_000 < welcome.pop("expires_at") - before <= 3_600_000
    assert welcome == {
        "type": "welcome",
        "protocol": "headway.v1",
        "server": "0.1.0",
        "user": user,
        "can": ["cancel", "read"],
        "channels": [f"user:{user}", "public", "project:x"],
        "heartbeat": 25,
    }


async def test_everything_may_be_sent_at_once(door: Server, user: str) -> None:
    async with connected(door) as client:
        await client.say("ping")
        await client.say("auth", token=door.token(user))
        await client.say("subscribe", id=1, channel=f"user:{user}")
        await client.say("ping")
        heard = [(await client.hear())["type"] for _ in range(4)]
    assert heard[:2] == ["pong", "welcome"]
    # A channel that must be read first may be answered after what came later.
    assert sorted(heard[2:]) == ["pong", "snapshot"]


@pytest.mark.everywhere
async def test_a_header_needs_no_auth(door: Server, user: str) -> None:
    headers = {"Authorization": f"Bearer {door.token(user)}", "Origin": "https://evil.example"}
    async with connected(door, additional_headers=headers) as client:
        assert (await client.hear())["user"] == user
        assert (await client.follow(View(), channel=f"user:{user}"))["reset"]


@pytest.mark.parametrize("origin", ["own", "http://localhost:5173", None])
async def test_the_cookie_counts_for_our_pages(door: Server, user: str, origin: str | None) -> None:
    headers = {"Cookie": f"theme=dark; headway={door.token(user)}"}
    if origin is not None:
        headers["Origin"] = door.origin if origin == "own" else origin
    async with connected(door, additional_headers=headers) as client:
        assert (await client.hear())["user"] == user


@pytest.mark.everywhere
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "//["])
async def test_the_cookie_does_not_count_for_other_pages(door: Server, user: str, origin: str) -> None:
    headers = {"Cookie": f"headway={door.token(user)}", "Origin": origin}
    async with connected(door, additional_headers=headers) as client:
        await client.say("subscribe", id=1, channel=f"user:{user}")
        code, _, said = await client.ended()
    assert code == 4403
    assert [message["code"] for message in said] == [403]


async def test_a_page_whose_cookie_does_not_count_may_send_a_token(door: Server, user: str) -> None:
    headers = {"Cookie": f"headway={door.token('somebody')}", "Origin": "https://evil.example"}
    async with connected(door, additional_headers=headers) as client:
        assert (await client.answer("auth", token=door.token(user)))["user"] == user


def forged(door: Server, case: str) -> Any:
    claims = {"sub": "ada", "can": ["admin"], "iat": int(time.time())}
    if case == "another secret":
        return Tokens("another secret that is also long").make("ada")
    if case == "no signature":
        return unsigned(claims)
    if case == "signature cut off":
        return door.token().rpartition(".")[0] + "."
    if case == "claims exchanged":
        head, _, signature = door.token().split(".")
        return f"{head}.{unsigned(claims).split('.')[1]}.{signature}"
    return {
        "empty": "",
        "no token": "hello",
        "giant": "x" * 9000,
        "not text": 5,
        "null": None,
        "odd": "é.ü.\0",
    }[case]


FORGED = [
    "another secret",
    "no signature",
    "signature cut off",
    "claims exchanged",
    "empty",
    "no token",
    "giant",
    "not text",
    "null",
    "odd",
]


@pytest.mark.parametrize("case", FORGED)
async def test_a_token_that_is_none_ends_the_connection(door: Server, case: str) -> None:
    async with connected(door) as client:
        await client.say("auth", token=forged(door, case))
        code, reason, said = await client.ended()
    assert (code, [message["code"] for message in said]) == (4401, [401])
    assert reason
    assert not said[0]["retryable"]


async def test_auth_without_a_token_ends_the_connection(door: Server) -> None:
    async with connected(door) as client:
        await client.say("auth")
        assert (await client.ended())[0] == 4401


@pytest.mark.everywhere
@pytest.mark.parametrize("place", ["message", "header", "cookie"])
async def test_an_expired_token_is_told_from_a_bad_one(door: Server, user: str, place: str) -> None:
    token = door.tokens.make(user, ttl=-1)
    headers = {"header": {"Authorization": f"Bearer {token}"}, "cookie": {"Cookie": f"headway={token}"}}
    async with connected(door, additional_headers=headers.get(place)) as client:
        if place == "message":
            await client.say("auth", token=token)
        code, _, said = await client.ended()
    assert (code, [message["code"] for message in said]) == (4402, [402])


@pytest.mark.parametrize(
    "message",
    [
        {"type": "subscribe", "id": 1, "channel": "public"},
        {"type": "unsubscribe", "id": 1},
        {"type": "cancel", "task": "t"},
        {"type": "read", "notifications": "all"},
    ],
)
async def test_nothing_is_done_before_auth(door: Server, message: dict[str, Any]) -> None:
    async with connected(door) as client:
        await client.socket.send(json.dumps(message))
        code, _, said = await client.ended()
    assert (code, [message["code"] for message in said]) == (4401, [401])


@pytest.mark.everywhere
async def test_auth_again_renews_for_the_same_user(door: Server, user: str) -> None:
    async with logged_in(door, door.tokens.make(user, ttl=3600)) as client:
        view = View()
        await client.follow(view, channel=f"user:{user}")
        welcome = await client.answer("auth", token=door.token(user))
        assert welcome["type"] == "welcome"
        assert "expires_at" not in welcome
        door.ask("POST", "/api/tasks", door.token(user), {"title": "still followed"})
        assert view.take(await client.hear("change"))["task"]["title"] == "still followed"


async def test_auth_again_for_another_user_ends_the_connection(door: Server, user: str) -> None:
    async with logged_in(door, door.token(user)) as client:
        await client.say("auth", token=door.token("another"))
        code, _, said = await client.ended()
    assert (code, [message["code"] for message in said]) == (4401, [401])


async def test_auth_again_with_a_bad_token_ends_the_connection(door: Server, user: str) -> None:
    async with logged_in(door, door.token(user)) as client:
        await client.say("auth", token="stale")
        assert (await client.ended())[0] == 4401


async def test_a_renewed_token_that_covers_less_ends_what_it_does_not_cover(door: Server, user: str) -> None:
    project, other = f"project:{user}", f"project:{user}-kept"
    producer = door.token("producer", channels=[project, other])
    task = door.ask("POST", "/api/tasks", producer, {"title": "secret", "channel": project})
    async with logged_in(door, door.token(user, channels=[project, other])) as client:
        await client.follow(View(1), channel=project)
        await client.follow(View(2), task=task["id"])
        kept = View(3)
        await client.follow(kept, channel=other)
        await client.say("auth", token=door.token(user, channels=[other]))
        told = [await client.hear() for _ in range(3)]
        door.ask("PATCH", f"/api/tasks/{task['id']}", producer, {"done": 1})
        door.ask("POST", "/api/tasks", producer, {"title": "ours", "channel": other})
        change = kept.take(await client.hear("change"))
    assert [(message["type"], message.get("id"), message.get("code")) for message in told] == [
        ("welcome", None, None),
        ("error", 1, 105),
        ("error", 2, 104),
    ]
    assert change["task"]["title"] == "ours"


async def test_subprotocols(door: Server) -> None:
    async with connected(door, subprotocols=None) as client:
        assert client.socket.subprotocol is None
        assert (await client.answer("auth", token=door.token()))["type"] == "welcome"
    offered = [Subprotocol("graphql-ws"), Subprotocol("headway.v1")]
    async with connected(door, subprotocols=offered) as client:
        assert client.socket.subprotocol == "headway.v1"


@pytest.mark.everywhere
async def test_other_subprotocols_are_refused_readably(door: Server) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connected(door, subprotocols=[Subprotocol("graphql-ws")]):
            pass
    response = refused.value.response
    assert response.status_code == 400
    assert b"headway.v1" in response.body


@pytest.mark.everywhere
@pytest.mark.parametrize("path", ["/", "/ws/", "/ws2", "/socketio", "/api/tasks", "/%77s"])
async def test_other_paths_are_refused_readably(door: Server, path: str) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
    }
    response = urllib3.request("GET", door.url + path, headers=headers, timeout=5, retries=False)
    if path == "/%77s":
        # The same path in other letters.
        assert response.status == 101
        return
    assert response.status == 404
    assert b"/ws" in response.data


@pytest.mark.everywhere
async def test_ping_is_answered(door: Server) -> None:
    async with connected(door) as client:
        pong = await client.answer("ping")
        assert pong["type"] == "pong"
        assert abs(pong["now"] - time.time() * 1000) < 60_000
        await (await client.socket.ping())


@pytest.mark.everywhere
async def test_connections_are_counted_down(door: Server, user: str) -> None:
    admin = door.token(user, Ability.ADMIN)
    before = door.ask("GET", "/api/stats", admin)["connections"]
    async with logged_in(door, door.token(user)) as first, logged_in(door, door.token(user)) as second:
        assert door.ask("GET", "/api/stats", admin)["connections"] == before + 2
        # One leaves orderly, one is cut.
        await first.socket.close()
        second.socket.transport.abort()
    async with logged_in(door, door.token(user)) as third:
        await until_alone(door, admin, third, before + 1)


async def until_alone(door: Server, admin: str, client: Client, wanted: int) -> None:
    while door.ask("GET", "/api/stats", admin)["connections"] != wanted:
        assert (await client.answer("ping"))["type"] == "pong"
