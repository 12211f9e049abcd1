"""Whatever somebody brings, one place says who it is; and whether that was taken back."""

from __future__ import annotations

import asyncio

import pytest

from headway.buses.memory import MemoryBus
from headway.errors import TokenRevoked, Unauthenticated
from headway.model.grant import Grant
from headway.server.identity.identity import Identity
from headway.server.tokens import Tokens
from headway.stores.memory import MemoryStore
from headway.transports.credentials import Brought
from tests.servers import SECRET

TOKENS = Tokens(SECRET)


@pytest.fixture
async def identity() -> Identity:
    store = MemoryStore()
    await store.open()
    made = Identity(TOKENS.verify, store, MemoryBus())
    await made.open()
    return made


def known(identity: Identity, token: str) -> Grant:
    found = identity.verify(token)
    assert isinstance(found, Grant)
    return found


async def test_tokens_and_keys_are_told_apart(identity: Identity) -> None:
    _, key = await identity.worker_keys.create("import", ["*"])
    assert known(identity, TOKENS.make("ada")).user == "ada"
    assert known(identity, key).user.startswith("worker-")


async def test_what_was_revoked_is_refused(identity: Identity) -> None:
    token, newer = TOKENS.make("ada"), TOKENS.make("ada")
    await identity.revocations.revoke_token(known(identity, token).id)
    with pytest.raises(TokenRevoked):
        identity.verify(token)
    assert known(identity, newer).user == "ada"
    await identity.revocations.revoke_user("ada")
    with pytest.raises(TokenRevoked):
        identity.verify(newer)


async def test_a_revoked_key_ends_what_goes_on_by_it(identity: Identity) -> None:
    about, key = await identity.worker_keys.create("import", ["*"])
    ended: list[str | None] = []
    identity.revocations.told = lambda **what: ended.append(what["token"])
    grant = known(identity, key)
    await identity.revoke_key(about.id)
    assert ended == [grant.id]
    with pytest.raises(Unauthenticated):
        identity.verify(key)


async def test_a_ticket_is_worth_no_more_than_its_token(identity: Identity) -> None:
    grant = known(identity, TOKENS.make("ada"))
    ticket, _ = await identity.tickets.issue(grant, "")
    other, _ = await identity.tickets.issue(grant, "")
    assert await identity.redeem(Brought(ticket=ticket, host="x")) == grant
    await identity.revocations.revoke_token(grant.id)
    with pytest.raises(TokenRevoked):
        await identity.redeem(Brought(ticket=other, host="x"))


async def test_who_was_revoked_while_keys_were_fetched_does_not_come_in() -> None:
    fetched = asyncio.Event()

    async def slow(_: str) -> Grant:
        await fetched.wait()
        return Grant("ada", id="t-1")

    store = MemoryStore()
    await store.open()
    identity = Identity(slow, store, MemoryBus())
    found = identity.verify("anything")
    assert not isinstance(found, Grant)
    waiting = asyncio.ensure_future(found)
    await asyncio.sleep(0)
    await identity.revocations.revoke_token("t-1")
    fetched.set()
    with pytest.raises(TokenRevoked):
        await waiting


async def test_a_renewal_is_told_to_all(identity: Identity) -> None:
    told: list[tuple[str, Grant]] = []
    identity.renewed = lambda token, grant: told.append((token, grant))
    grant = known(identity, TOKENS.make("ada", ttl=60))
    await identity.renew("old", grant)
    assert told == [("old", grant)]
