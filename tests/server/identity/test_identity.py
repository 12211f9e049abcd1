"""Whatever somebody brings, one place says who it is; and whether that was taken back."""

from __future__ import annotations

import asyncio

import pytest

from headway.buses.memory import MemoryBus
from headway.errors import HeadwayError, TokenRevoked, Unauthenticated
from headway.model.grant import Grant
from headway.model.token import token_id
from headway.server.authentication import checked
from headway.server.identity.identity import Identity
from headway.server.identity.revocations import KIND as REVOKED
from headway.server.identity.shares import Share
from headway.server.tokens import Tokens
from headway.stores.memory import MemoryStore
from headway.transports.credentials import Brought
from headway.transports.members import Member, Members
from tests.server.identity.makers import signed
from tests.servers import SECRET

TOKENS = Tokens(SECRET)


class _Connected(Member):
    """A connection as the list of those who are connected sees it."""

    full = False

    def deliver(self, data: bytes) -> bool:
        raise AssertionError(data)

    def end(self, error: HeadwayError) -> None:
        raise AssertionError(error)

    def mute(self) -> None:
        """Nothing is delivered to it."""


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


def a_share(by: str) -> Share:
    return Share("", by, created_at=0, expires_at=2**50, task="t")


@pytest.mark.parametrize(
    "token", ["a-session", "session.ada-1", "v1.session.ada-1", signed({"sub": "ada", "jti": "x"})]
)
async def test_a_token_of_any_kind_is_revoked_by_its_text(token: str) -> None:
    # Given an application that knows its users by sessions of its own.
    store = MemoryStore()
    await store.open()
    names = {token: "ada", token.rpartition("-")[0] + "-2": "bob"}
    identity = Identity(checked(lambda text: Grant(names[text])), store, MemoryBus())
    assert known(identity, token).user == "ada"
    # When one is taken back by its text, twice.
    for _ in range(2):
        assert token not in str(await identity.revoke(token))
    # Then it is worth nothing, also after a restart, and the others are; the text is kept nowhere.
    kept = await store.documents(REVOKED)
    assert kept
    assert not any(token in document.id + document.data for document in kept)
    again = Identity(checked(lambda text: Grant(names[text])), store, MemoryBus())
    await again.open()
    for one in (identity, again):
        with pytest.raises(TokenRevoked):
            one.verify(token)
        assert known(one, list(names)[1]).user == "bob"


async def test_an_id_that_the_application_gave_is_revoked_by_itself() -> None:
    store = MemoryStore()
    await store.open()
    identity = Identity(checked(lambda text: Grant("ada", id=text[:4])), store, MemoryBus())
    members, link = Members(), _Connected()
    members.join(known(identity, "s-17 and what is secret"), link)
    ended: list[Member] = []
    identity.revocations.told = lambda **what: ended.extend(members.of_token(str(what["token"])))
    await identity.revoke("s-17")
    assert ended == [link]
    with pytest.raises(TokenRevoked):
        identity.verify("s-17 and what is secret")


async def test_keys_and_shares_are_revoked_by_their_text_or_by_their_id(identity: Identity) -> None:
    for by_text in (True, False):
        about, key = await identity.worker_keys.create("import", ["*"])
        share, code = await identity.shares.create(a_share("ada"))
        assert await identity.revoke(key if by_text else f"hwk_{about.id}") == [("key", about.id)]
        assert await identity.revoke(code if by_text else f"hws_{share.id}") == [("share", share.id)]
        for text in (key, code):
            with pytest.raises(Unauthenticated):
                identity.verify(text)
    assert not identity.worker_keys.all()
    assert not identity.shares.all()


async def test_with_a_user_or_a_key_go_the_shares_that_were_made(identity: Identity) -> None:
    about, key = await identity.worker_keys.create("import", ["*"])
    makers = {"ada": known(identity, TOKENS.make("ada")), "key": known(identity, key)}
    makers["bob"] = known(identity, TOKENS.make("bob"))
    made = {name: await identity.share(grant, a_share(grant.user)) for name, grant in makers.items()}
    ended: list[str | None] = []
    identity.revocations.told = lambda **what: ended.append(what["token"])
    # When
    assert await identity.revoke_user("ada") == [("user", "ada"), ("share", made["ada"][0].id)]
    assert await identity.revoke_key(about.id) == [("key", about.id), ("share", made["key"][0].id)]
    # Then what is open by them ends, and that of others is as it was.
    assert ended == [None, f"hws_{made['ada'][0].id}", f"hwk_{about.id}", f"hws_{made['key'][0].id}"]
    assert identity.shares.all() == (made["bob"][0],)
    # Nor is another one made for somebody who came before that.
    with pytest.raises(TokenRevoked):
        await identity.share(makers["ada"], a_share("ada"))


async def test_a_share_that_is_being_made_goes_with_its_user_too(identity: Identity) -> None:
    making = asyncio.ensure_future(identity.share(known(identity, TOKENS.make("ada")), a_share("ada")))
    await asyncio.sleep(0)
    await identity.revoke_user("ada")
    _, code = await making
    with pytest.raises(Unauthenticated):
        identity.verify(code)


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
    assert told == [(token_id("old"), grant)]
