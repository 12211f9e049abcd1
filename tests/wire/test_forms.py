"""The forms of native messages on a WebSocket, and which of them a client gets."""

from __future__ import annotations

import pytest

from headway.wire.forms import choose_form


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([], (None, False)),
        (["headway.v1"], ("headway.v1", False)),
        (["headway.v1.msgpack"], ("headway.v1.msgpack", True)),
        (["graphql-ws", "headway.v1.msgpack", "headway.v1"], ("headway.v1.msgpack", True)),
        (["headway.v1", "headway.v1.msgpack"], ("headway.v1", False)),
        (["graphql-ws"], None),
        (["headway.v2", "headway.v1.json"], None),
    ],
)
def test_the_first_that_is_spoken_is_taken(offered: list[str], chosen: object) -> None:
    assert choose_form(offered) == chosen
