"""Share links by themselves: their code is nowhere, their grant is narrow, they end, and there is a limit to them."""

from __future__ import annotations

import pytest

from headway.buses.memory import MemoryBus
from headway.errors import NotFound, Overloaded, TokenExpired, Unauthenticated
from headway.hub.access import Action, check, patterns
from headway.model.grant import Ability
from headway.server.identity.shares import Share, Shares
from headway.stores.memory import MemoryStore

NOW = 1_700_000_000.0


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


async def shares(store: MemoryStore | None = None, most: int = 3) -> tuple[Shares, Clock, MemoryStore]:
    store = store or MemoryStore()
    await store.open()
    clock = Clock()
    made = Shares(store, MemoryBus(), most, clock)
    await made.open()
    return made, clock, store


def wanted(by: str = "ada", **fields: str) -> Share:
    return Share("", by, int(NOW * 1000), int(NOW * 1000) + 60_000, **(fields or {"task": "t"}))


async def test_the_code_is_kept_nowhere() -> None:
    made, _, store = await shares()
    share, code = await made.create(wanted())
    (document,) = await store.documents("share")
    assert code not in repr(document)
    assert code.removeprefix("hws_") not in document.data
    assert share.id not in code
    again, _, _ = await shares(store)
    assert again.find(code) == share == made.find(code)


async def test_its_grant_reads_what_it_is_for_and_nothing_else() -> None:
    made, _, _ = await shares()
    _, code = await made.create(wanted())
    grant = made.verify(code)
    check(grant, Action.READ, "user:ada", "t")
    assert (grant.can, grant.expires_at) == (frozenset((Ability.READ,)), NOW + 60)
    assert patterns(grant) == ()
    for channel, task in (("user:ada", None), ("public", None), ("user:ada", "u"), (grant.own_channel, None)):
        assert not grant.covers(channel, task)
    _, code = await made.create(wanted(channel="project:p"))
    grant = made.verify(code)
    assert grant.covers("project:p")
    assert patterns(grant) == ("project:p",)
    assert not grant.covers("public")


@pytest.mark.parametrize(
    "code", ["", "hws_", "hws_x", "hws_" + "A" * 32, "hws_" + "é" * 32, "hws_" + "A" * 33]
)
async def test_another_code_opens_nothing(code: str) -> None:
    made, _, _ = await shares()
    await made.create(wanted())
    with pytest.raises(Unauthenticated):
        made.verify(code)


async def test_it_ends() -> None:
    made, clock, _ = await shares(most=1)
    share, code = await made.create(wanted())
    clock.now += 59.999
    assert made.all("ada") == (share,)
    clock.now += 0.001
    with pytest.raises(TokenExpired):
        made.verify(code)
    assert made.all() == ()
    # What has ended does not count against the limit.
    await made.create(Share("", "ada", 0, int(clock.now * 1000) + 1000, task="t"))


async def test_there_is_a_limit_for_each_user() -> None:
    made, _, _ = await shares(most=2)
    first, _ = await made.create(wanted())
    await made.create(wanted())
    with pytest.raises(Overloaded, match="take one back"):
        await made.create(wanted())
    await made.create(wanted("bob"))
    await made.remove(first.id)
    await made.create(wanted())
    assert len(made.all("ada")) == 2
    assert len(made.all()) == 3


async def test_only_its_owner_takes_it_back() -> None:
    made, _, store = await shares()
    share, code = await made.create(wanted())
    for which, by in ((share.id, "bob"), ("other", "ada"), ("other", None)):
        with pytest.raises(NotFound):
            await made.remove(which, by)
    assert await made.remove(share.id, "ada") == share
    assert await store.documents("share") == ()
    with pytest.raises(Unauthenticated):
        made.verify(code)
