"""Who may come in, and until when, is the same on every door and over REST."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headway.model.grant import Ability
from headway.server.tokens import Tokens
from tests.clients import connected, logged_in
from tests.contract.test_streams import Events, make_task
from tests.server.identity.makers import KEYS, crude, key_set, public_pem, signed
from tests.servers import FORMS, SECRET, Server, serving

pytestmark = pytest.mark.slow

AUDIENCE = "headway.tests"
RSA = KEYS["RS256"]


@pytest.fixture(params=FORMS, scope="module")
def strict(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows a secret, an RSA key and a key set, and wants an issuer and an audience."""
    folder = tmp_path_factory.mktemp("strict")
    jwks = folder / "jwks.json"
    jwks.write_bytes(key_set((KEYS["ES256"], {"kid": "e"}), (KEYS["EdDSA"], {"kid": "d"})))
    with serving(
        folder,
        request.param,
        audience=AUDIENCE,
        issuer="https://login.example",
        token_keys=public_pem("RS256"),
        jwks_file=str(jwks),
        query_tokens=False,
        auth_timeout=30,
    ) as server:
        yield server


def claims(**more: Any) -> dict[str, Any]:
    return {"sub": "ada", "iss": "https://login.example", "aud": AUDIENCE, "exp": time.time() + 7200, **more}


def confused() -> str:
    """Signed by HMAC with the public key, which everybody may know."""
    header = {"alg": "HS256", "typ": "JWT"}
    unsigned = crude(header, claims()).rpartition(".")[0]
    return crude(
        header, claims(), hmac.digest(public_pem("RS256").encode(), unsigned.encode(), hashlib.sha256)
    )


BAD: dict[str, tuple[str, int, str]] = {
    "unsigned": (crude({"alg": "none"}, claims()), 401, "algorithm"),
    "public key as secret": (confused(), 401, "not valid here"),
    "key of another kind": (signed(claims(), KEYS["ES256"], "ES256", kid="d"), 401, "not known"),
    "unknown key": (signed(claims(), KEYS["ES256"], "ES256", kid="x"), 401, "not known"),
    "expired": (signed(claims(exp=time.time() - 5)), 402, "expired"),
    "not yet valid": (signed(claims(nbf=time.time() + 3600)), 401, "not valid yet"),
    "for somebody else": (signed(claims(aud="billing")), 401, "audience"),
    "for nobody by name": (signed({**claims(), "aud": None}), 401, "audience"),
    "of somebody else": (signed(claims(iss="https://evil.example")), 401, "issuer"),
    "giant": ("x" * 8200, 401, "token"),
    "of another deployment": (
        Tokens("another secret that is also long enough").make("ada"),
        401,
        "not valid",
    ),
    "of another deployment with our secret": (Tokens(SECRET).make("ada"), 401, "issuer"),
    "no worker key": ("hwk_aaaaaaaaaaaaaaaa_" + "A" * 43, 401, "worker key"),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_no_good_token_opens_no_door(strict: Server, name: str) -> None:
    token, code, said = BAD[name]
    for method, path in (
        ("GET", "/api/tasks"),
        ("GET", "/events?channel=public"),
        ("GET", "/poll?channel=public"),
    ):
        answer = await asyncio.to_thread(strict.request, method, path, token)
        assert (answer.status, answer.json()["code"]) == (401, code), path
        assert said in answer.json()["message"]
        assert token not in answer.data.decode()
    login = await asyncio.to_thread(strict.request, "POST", "/api/login", None, {"token": token})
    assert login.status in (400, 401)
    async with connected(strict) as client:
        await client.say("auth", token=token)
        end, reason, (message,) = await client.ended()
        assert (end, message["code"], message["retryable"]) == (4000 + code, code, False)
        assert said in message["message"]
        assert said in reason
    if len(token) > 8000:
        # Longer than a line may be where the socket is not ours.
        return
    async with connected(strict, additional_headers={"Authorization": f"Bearer {token}"}) as client:
        assert (await client.ended())[0] == 4000 + code
    assert token not in strict.output


@pytest.mark.parametrize(
    "token",
    [
        signed(claims()),
        signed(claims(aud=["x", AUDIENCE])),
        signed(claims(), RSA, "RS256"),
        signed(claims(), KEYS["ES256"], "ES256", kid="e"),
        signed(claims(), KEYS["EdDSA"], "EdDSA", kid="d"),
    ],
    ids=["HS256", "several audiences", "RS256", "ES256", "EdDSA"],
)
async def test_a_good_token_of_any_source_opens_every_door(strict: Server, token: str) -> None:
    assert (await asyncio.to_thread(strict.request, "GET", "/api/me", token)).json()["user"] == "ada"
    assert (await asyncio.to_thread(strict.request, "GET", "/poll?channel=public", token)).status == 200
    async with logged_in(strict, token):
        pass


@pytest.mark.parametrize("path", ["/events?channel=public", "/poll?channel=public"])
async def test_tokens_in_addresses_count_only_where_that_was_allowed(strict: Server, path: str) -> None:
    answer = await asyncio.to_thread(strict.request, "GET", f"{path}&token={signed(claims())}")
    assert answer.json()["code"] == 401


async def test_a_token_in_the_address_of_a_websocket(door: Server, strict: Server, user: str) -> None:
    token = door.token(user)
    async with connected(_with_query(door, f"token={token}")) as client:
        assert (await client.hear())["user"] == user
    assert token not in door.output
    async with connected(_with_query(strict, f"token={signed(claims())}")) as client:
        # It is as if nothing had been brought.
        assert (await client.answer("ping"))["type"] == "pong"


class _Elsewhere:
    def __init__(self, ws: str) -> None:
        self.ws = ws


def _with_query(server: Server, query: str) -> Any:
    return _Elsewhere(f"{server.ws}?{query}")


# Tickets


def ticket(server: Server, token: str, origin: str | None = None) -> str:
    body = None if origin is None else {"origin": origin}
    answer = server.ask("POST", "/api/tickets", token, body, 201)
    assert 0 < answer["expires_in"] <= 60
    made: str = answer["ticket"]
    return made


async def test_a_ticket_opens_one_websocket(door: Server, user: str) -> None:
    token = door.token(user)
    good = await asyncio.to_thread(ticket, door, token)
    async with connected(_with_query(door, f"ticket={good}")) as client:
        # Whatever is said before it is known who this is waits.
        await client.say("subscribe", id=1, channel=f"user:{user}")
        assert (await client.hear())["user"] == user
        assert (await client.hear())["type"] == "snapshot"
        async with connected(_with_query(door, f"ticket={good}")) as replay:
            end, _, said = await replay.ended()
            assert (end, said[-1]["code"]) == (4401, 401)
            assert "used" in said[-1]["message"]
        # Who came by a ticket goes on by tokens.
        assert (await client.answer("auth", token=door.token(user)))["type"] == "welcome"
    assert good not in door.output


def test_a_ticket_opens_one_stream_and_one_poll(door: Server, user: str) -> None:
    token = door.token(user)
    good = ticket(door, token)
    events = Events(door, f"/events?channel=user:{user}&ticket={good}")
    assert events.next()["type"] == "snapshot"
    events.close()
    for path in ("/events", "/poll"):
        again = door.request("GET", f"{path}?channel=user:{user}&ticket={good}")
        assert (again.status, again.json()["code"]) == (401, 401)
    other = ticket(door, token)
    assert door.request("GET", f"/poll?channel=user:{user}&ticket={other}").status == 200
    assert good not in door.output


async def test_a_ticket_of_another_origin_is_refused_and_not_used_up(door: Server, user: str) -> None:
    good = await asyncio.to_thread(ticket, door, door.token(user), "https://app.example")
    evil = {"Origin": "https://evil.example"}
    for path in ("/events", "/poll"):
        answer = await asyncio.to_thread(
            door.request, "GET", f"{path}?channel=public&ticket={good}", headers=evil
        )
        assert (answer.status, answer.json()["code"]) == (403, 403)
    async with connected(_with_query(door, f"ticket={good}"), origin="https://evil.example") as client:
        assert (await client.ended())[0] == 4403
    async with connected(_with_query(door, f"ticket={good}"), origin="https://app.example") as client:
        assert (await client.hear())["user"] == user


@pytest.mark.parametrize(
    "origin", ["evil", "https://", "https://a.example/path", "javascript:x", "x" * 300, 5]
)
def test_an_origin_that_is_none(door: Server, origin: Any) -> None:
    assert door.request("POST", "/api/tickets", door.token(), {"origin": origin}).json()["code"] in (100, 102)


# Worker keys


def admin(server: Server) -> str:
    return server.token("root", Ability.ADMIN)


def test_a_worker_key_reports_where_it_may_until_it_is_revoked(door: Server, user: str) -> None:
    made = door.ask("POST", "/api/keys", admin(door), {"name": "import", "channels": [f"user:{user}"]}, 201)
    key = made["key"]
    task = make_task(door, key, channel=f"user:{user}")
    door.ask("PATCH", f"/api/tasks/{task}", key, {"done": 3})
    assert (
        door.request("POST", "/api/tasks", key, {"title": "x", "channel": "user:eve"}).json()["code"] == 105
    )
    # It reports and does not read.
    assert door.request("GET", f"/api/tasks/{task}", key).json()["code"] == 105
    assert door.request("GET", "/api/keys", key).json()["code"] == 105
    listed = door.ask("GET", "/api/keys", admin(door))["keys"]
    assert made["about"] in listed
    assert key not in json.dumps(listed)
    door.ask("DELETE", f"/api/keys/{made['about']['id']}", admin(door))
    assert door.request("PATCH", f"/api/tasks/{task}", key, {"done": 4}).json()["code"] == 401
    assert door.request("DELETE", f"/api/keys/{made['about']['id']}", admin(door)).json()["code"] == 104
    assert key not in door.output


@pytest.mark.parametrize(("method", "path", "body"), [
    ("GET", "/api/keys", None),
    ("POST", "/api/keys", {"name": "x", "channels": ["*"]}),
    ("DELETE", "/api/keys/aaaaaaaaaaaaaaaa", None),
    ("POST", "/api/revocations", {"user": "root"}),
])  # fmt: skip
def test_only_administrators_make_keys_and_revoke(door: Server, method: str, path: str, body: Any) -> None:
    assert door.request(method, path, door.token("eve"), body).json()["code"] == 105
    assert door.request(method, path, None, body).json()["code"] == 401


# Expiry and renewal


# Revocation


async def test_a_revoked_token_ends_what_goes_on_by_it_on_every_door(door: Server, user: str) -> None:
    token, other = door.token(user), door.token(user)
    waiting = asyncio.create_task(
        asyncio.to_thread(door.request, "GET", f"/poll?channel=user:{user}&cursor=none&wait=30", token)
    )
    await waiting
    cursor = waiting.result().json()["messages"][0]["cursor"]
    poll = asyncio.create_task(
        asyncio.to_thread(door.request, "GET", f"/poll?channel=user:{user}&cursor={cursor}&wait=30", token)
    )
    events = await asyncio.to_thread(Events, door, f"/events?channel=user:{user}", token)
    await asyncio.to_thread(events.next)
    async with logged_in(door, token) as client, logged_in(door, other) as untouched:
        await untouched.say("subscribe", id=1, channel=f"user:{user}")
        await untouched.hear("snapshot")
        await asyncio.to_thread(door.ask, "POST", "/api/revocations", admin(door), {"token": token}, 204)
        # Whatever happens from now on is for the others.
        task = await asyncio.to_thread(make_task, door, other)
        end, _, said = await client.ended()
        assert (end, said[-1]["code"], said[-1]["retryable"]) == (4404, 404, False)
        rest = await asyncio.to_thread(events.rest)
        assert [message["type"] for message in rest] == ["error"]
        assert rest[-1]["code"] == 404
        assert (await untouched.hear("change"))["task"]["id"] == task
    answer = await poll
    # The poll may still have waited to be opened when the token went; it got nothing in any case.
    assert (answer.status, answer.json()["code"]) == (401, 404)
    for path in ("/api/me", "/poll?channel=public", "/events?channel=public"):
        again = await asyncio.to_thread(door.request, "GET", path, token)
        assert (again.status, again.json()["code"]) == (401, 404)
    async with connected(door) as client:
        await client.say("auth", token=token)
        assert (await client.ended())[0] == 4404
    assert (await asyncio.to_thread(door.request, "GET", "/api/me", other)).status == 200


async def test_a_revoked_user_is_out_on_every_device_and_can_come_again(door: Server, user: str) -> None:
    tokens = [door.token(user) for _ in range(3)]
    async with (
        logged_in(door, tokens[0]) as first,
        logged_in(door, tokens[1]) as second,
        logged_in(door) as ada,
    ):
        await asyncio.to_thread(door.ask, "POST", "/api/revocations", admin(door), {"user": user}, 204)
        assert [(await client.ended())[0] for client in (first, second)] == [4404, 4404]
        assert (await ada.answer("ping"))["type"] == "pong"
    assert (await asyncio.to_thread(door.request, "GET", "/api/me", tokens[2])).json()["code"] == 404
    async with logged_in(door, door.token(user)):
        pass


async def test_logging_out_ends_what_the_cookie_opened(door: Server, user: str) -> None:
    token = door.token(user)
    cookie = {"Cookie": f"headway={token}"}
    async with connected(door, additional_headers=cookie, origin=door.origin) as client:
        assert (await client.hear())["user"] == user
        await asyncio.to_thread(
            door.request, "POST", "/api/logout", headers={**cookie, "Origin": door.origin}
        )
        assert (await client.ended())[0] == 4404
    again = await asyncio.to_thread(door.request, "GET", "/api/me", headers=cookie)
    assert again.json()["code"] == 404
    # Once more is nothing new, and who never was logged in is logged out.
    for headers in (cookie, {}):
        answer = await asyncio.to_thread(
            door.request, "POST", "/api/logout", headers={**headers, "Origin": door.origin}
        )
        assert answer.status == 204


@pytest.mark.parametrize(
    "body", [{}, {"user": "ada", "token": "x"}, {"user": "a b"}, {"user": ""}, {"token": ""}]
)
def test_a_revocation_names_one_thing(door: Server, body: Any) -> None:
    assert door.request("POST", "/api/revocations", admin(door), body).json()["code"] == 102


def test_revocations_and_keys_survive_a_kill(tmp_path: Path) -> None:
    with serving(tmp_path, "fast") as server:
        token, kept = server.token("bob"), server.token("ada")
        made = server.ask("POST", "/api/keys", admin(server), {"name": "x", "channels": ["*"]})
        gone = server.ask("POST", "/api/keys", admin(server), {"name": "y", "channels": ["*"]})
        server.ask("POST", "/api/revocations", admin(server), {"token": token}, 204)
        server.ask("DELETE", f"/api/keys/{gone['about']['id']}", admin(server))
        server.kill()
    with serving(tmp_path, "fast") as server:
        assert server.request("GET", "/api/me", token).json()["code"] == 404
        assert server.request("GET", "/api/me", kept).status == 200
        assert server.request("GET", "/api/me", made["key"]).status == 200
        assert server.request("GET", "/api/me", gone["key"]).status == 401
