"""What a client chooses of a channel."""

from __future__ import annotations

import asyncio

from headway.hub.wanted import Only
from headway.model import report as r
from tests.hub.scenes import create, follow, held, running, send
from tests.hub.world import ADA, instant


@instant
async def test_a_filter_lets_pass_what_it_names_and_every_removal() -> None:
    async with running() as hub:
        await send(hub, create("p", total=None), create("a", kind="x", tags=("q",), parent="p"), create("b"))
        for only, ids in [
            (Only(kind="x"), {"a"}),
            (Only(tag="q"), {"a"}),
            (Only(parent="p"), {"a"}),
            (Only(kind="x", tag="z"), set()),
            (Only(), {"a", "b", "p"}),
        ]:
            link, _, _ = follow(hub, channel="user:ada", only=only)
            assert set(held(link).records) == ids
        link, _, _ = follow(hub, channel="user:ada", only=Only(kind="x"))
        await send(hub, r.Notify(id="n", title="Note"), r.Fail(task="a"))
        await hub.remove(ADA, "a")
        await asyncio.sleep(1)
        assert held(link).records == {}
        assert all("notification" not in message for message in link.messages)
